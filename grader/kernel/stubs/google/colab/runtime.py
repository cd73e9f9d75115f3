"""Stand-in for `google.colab.runtime`."""


def unassign(*_arguments: object, **_options: object) -> None:
    """Do nothing: what runs here ends by itself."""
