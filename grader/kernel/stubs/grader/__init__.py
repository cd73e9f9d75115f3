"""What `%load_ext grader` finds while a notebook is graded: the self-check, without any effect."""

from typing import Any


def check(*_arguments: object, **_options: object) -> None:
    """Do nothing: the notebook is being checked already."""


def load_ipython_extension(ip: Any) -> None:
    """Register `%check` and `%%check`: the line does nothing, the cell's own code still runs."""

    def magic(_line: str = "", cell: str | None = None) -> None:
        if cell is not None:
            exec(compile(ip.transform_cell(cell), "<check>", "exec"), ip.user_ns)

    ip.register_magic_function(magic, magic_kind="line_cell", magic_name="check")


def unload_ipython_extension(ip: Any) -> None:
    """Leave the magic where it is: it does nothing."""
