"""Where this machine's signing key is; machines without one need no cryptography."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.signing import Key


def key_file() -> Path:
    """Return where the key is or would be: `$GRADER_KEY`, else below `$XDG_CONFIG_HOME`."""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return Path(os.environ.get("GRADER_KEY") or config / "grader" / "signing-key.pem")


def own_key() -> Key | None:
    """Return this machine's key, None where there is none.

    Raises:
        SignatureError: the file is no key of ours, or `$GRADER_KEY` names none.
    """
    path = key_file()
    if not path.exists() and not os.environ.get("GRADER_KEY"):
        return None
    from grader.signing import read_key

    return read_key(path)
