"""Stand-in for `google.colab.widgets`: tabs and grids become plain output, one after another."""

from collections.abc import Iterator
from contextlib import contextmanager


class Grid:
    """Shows each place's output where it is printed."""

    def __init__(self, *_arguments: object, **_options: object) -> None:
        pass

    @contextmanager
    def output_to(self, *_arguments: object, **_options: object) -> Iterator[None]:
        """Run the block as it is."""
        yield

    def clear_cell(self, *_arguments: object, **_options: object) -> None:
        """Do nothing."""


class TabBar(Grid):
    """Shows each tab's output where it is printed."""

    def clear_tab(self, *_arguments: object, **_options: object) -> None:
        """Do nothing."""
