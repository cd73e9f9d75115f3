"""The kernel's line to the controller's door: one question at a time, one answer to each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from .. import wire


class Lost(Exception):
    """Nobody answers any more, or the training cannot be served; the kernel trains by itself."""


class Line:
    """A connection that is made when it is needed.

    Args:
        address: what `wire.dial` takes; None where there is no door.
    """

    def __init__(self, address: str | None) -> None:
        self.address = address
        self._socket: socket.socket | None = None
        self._stream: Any = None
        self._turn = threading.Lock()

    def ask(
        self, message: Mapping[str, Any], blobs: Sequence[bytes] = ()
    ) -> tuple[dict[str, Any], list[bytes]]:
        """Return the answer and what came with it.

        Raises:
            Lost: the line broke, or the answer is a refusal.
        """
        if self.address is None:
            raise Lost("there is no trainer")
        with self._turn:
            try:
                if self._stream is None:
                    self._socket = wire.dial(self.address)
                    self._stream = self._socket.makefile("rwb")
                wire.write_frame(self._stream, message, blobs)
                answer, data = wire.read_frame(self._stream)
            except (OSError, EOFError, ValueError, wire.FrameError) as error:
                self._hang_up()
                raise Lost(f"the trainer was lost ({type(error).__name__})") from error
            except BaseException:  # an interrupt: what comes next on this line is no answer to us
                self._hang_up()
                raise
        for refusal in ("refused", "fault"):
            if refusal in answer:
                raise Lost(str(answer[refusal])[:250])
        return answer, data

    def _hang_up(self) -> None:
        for thing in (self._stream, self._socket):
            try:
                if thing is not None:
                    thing.close()
            except OSError:
                pass
        self._stream = self._socket = None
