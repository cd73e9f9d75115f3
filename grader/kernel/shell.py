"""What cannot work inside the walls is skipped with a note: installs, downloads, Colab's magics."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

SKIPPED = re.compile(
    r"^\s*(sudo\s+)?(pip3?|conda|mamba|uv|apt|apt-get|wget|curl|git|gdown|kaggle|nvidia-smi"
    r"|python3?\s+-m\s+pip)\b"
)
# The kernel does not know in which language the report will be.
NO_NETWORK = (
    "Aquí no hay red: me salto «{command}» y sigo. · "
    "There is no network here: “{command}” is skipped."
)
NOTHING_TO_INSTALL = (
    "Aquí no hace falta instalar nada: me salto esta orden y sigo. · "
    "Nothing needs to be installed here: this line is skipped."
)
MAGICS = ("pip", "conda", "mamba", "uv", "tensorflow_version")


def install(shell: Any, note: Callable[[str, str], object]) -> None:
    """Replace the shell's escapes and these magics.

    Args:
        shell: IPython's interactive shell.
        note: called with what was skipped and its text, for the report.
    """

    def guarded(original: Callable[..., Any], result: Any) -> Callable[..., Any]:
        def run(command: str, *args: Any, **kwargs: Any) -> Any:
            if SKIPPED.match(command):
                print(NO_NETWORK.format(command=_first(command)))
                note("shell", command[:300])
                return result
            return original(command, *args, **kwargs)

        return run

    def skipped(line: str, cell: str | None = None) -> None:
        print(NOTHING_TO_INSTALL)
        note("magic", line[:300])

    shell.system = guarded(shell.system, None)
    shell.system_raw = guarded(shell.system_raw, None)
    shell.system_piped = guarded(shell.system_piped, None)
    shell.getoutput = guarded(shell.getoutput, [])
    for name in MAGICS:
        shell.register_magic_function(skipped, magic_kind="line_cell", magic_name=name)


def _first(command: str) -> str:
    try:
        return " ".join(shlex.split(command)[:2])
    except ValueError:
        return command.split()[0]
