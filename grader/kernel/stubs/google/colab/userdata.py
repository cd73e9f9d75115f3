"""Stand-in for `google.colab.userdata`: there are no secrets here."""


class SecretNotFoundError(Exception):
    """The secret does not exist."""


class NotebookAccessError(Exception):
    """The notebook may not read the secret; never raised here."""


class TimeoutException(Exception):
    """Nobody answered; never raised here."""


def get(key: str, *_arguments: object, **_options: object) -> str:
    """Say that there is no such secret.

    Raises:
        SecretNotFoundError: always.
    """
    raise SecretNotFoundError(
        f"El secreto {key!r} no existe aquí: este cuaderno se ejecuta sin los secretos de Colab "
        "y sin internet. Quita esta línea; el taller no la necesita."
    )
