"""Stand-in for `google.colab.files`."""


def upload(*_arguments: object, **_options: object) -> dict[str, bytes]:
    """Say that nobody can choose a file, and return none."""
    print("Aquí no se pueden subir archivos; sigo sin ellos.")
    return {}


def upload_file(*_arguments: object, **_options: object) -> None:
    """Say that nobody can choose a file."""
    upload()


def download(*_arguments: object, **_options: object) -> None:
    """Say that nothing is downloaded."""
    print("Aquí no se descargan archivos; sigo sin hacerlo.")


def view(*_arguments: object, **_options: object) -> None:
    """Say that there is no file browser."""
    print("Aquí no hay explorador de archivos; sigo sin él.")
