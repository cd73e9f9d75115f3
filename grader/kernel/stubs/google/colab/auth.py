"""Stand-in for `google.colab.auth`."""


def authenticate_user(*_arguments: object, **_options: object) -> None:
    """Say that nobody signs in here."""
    print("Aquí no hace falta iniciar sesión en Google; sigo sin hacerlo.")


def authenticate_service_account(*_arguments: object, **_options: object) -> None:
    """Say that nobody signs in here."""
    authenticate_user()
