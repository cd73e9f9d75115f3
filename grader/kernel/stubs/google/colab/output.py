"""Stand-in for `google.colab.output`: cells keep their outputs, and there is no browser to ask."""

from collections.abc import Iterator
from contextlib import contextmanager


def clear(*_arguments: object, **_options: object) -> None:
    """Do nothing."""


def eval_js(*_arguments: object, **_options: object) -> None:
    """Say that there is no browser."""
    print("Aquí no hay navegador que ejecute JavaScript; sigo sin él.")


def register_callback(*_arguments: object, **_options: object) -> None:
    """Do nothing."""


def enable_custom_widget_manager(*_arguments: object, **_options: object) -> None:
    """Do nothing."""


def disable_custom_widget_manager(*_arguments: object, **_options: object) -> None:
    """Do nothing."""


def no_vertical_scroll() -> None:
    """Do nothing."""


def serve_kernel_port_as_iframe(*_arguments: object, **_options: object) -> None:
    """Say that there is no browser."""
    print("Aquí no hay navegador que muestre la página; sigo sin él.")


def serve_kernel_port_as_window(*_arguments: object, **_options: object) -> None:
    """Say that there is no browser."""
    serve_kernel_port_as_iframe()


@contextmanager
def use_tags(*_arguments: object, **_options: object) -> Iterator[None]:
    """Run the block as it is."""
    yield


@contextmanager
def redirect_to_element(*_arguments: object, **_options: object) -> Iterator[None]:
    """Run the block as it is."""
    yield
