"""Stand-in for `google.colab.drive`."""


def mount(*_arguments: object, **_options: object) -> None:
    """Say that there is no Drive."""
    print("Aquí no hay Google Drive; sigo sin él.")


def flush_and_unmount(*_arguments: object, **_options: object) -> None:
    """Do nothing: nothing was mounted."""
