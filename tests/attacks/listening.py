"""Listeners outside the walls: what they hear is harm."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

UNREACHED = ("192.0.2.1", 9)


class Listeners:
    """TCP, UDP and UNIX sockets of the host that remember whoever reaches them."""

    def __init__(self, folder: Path, marker: str) -> None:
        self.heard: list[str] = []
        self._open: list[socket.socket] = []
        self.abstract, self.datagrams = f"{marker}-stream", f"{marker}-datagram"
        self.tcp = self._stream(socket.AF_INET, ("127.0.0.1", 0))[:2]
        self.udp = self._datagram(socket.AF_INET, ("127.0.0.1", 0))[:2]
        own = _own_address()
        self.lan = UNREACHED if own is None else self._stream(socket.AF_INET, (own, 0))[:2]
        self.lan_udp = UNREACHED if own is None else self._datagram(socket.AF_INET, (own, 0))[:2]
        try:
            self.tcp6 = self._stream(socket.AF_INET6, ("::1", 0))[:2]
        except OSError:
            self.tcp6 = ("::1", 9)
        self._stream(socket.AF_UNIX, f"\0{self.abstract}")
        self._datagram(socket.AF_UNIX, f"\0{self.datagrams}")
        self.control, self.door = folder / "control.sock", folder / "door.sock"
        for path in (self.control, self.door):
            self._stream(socket.AF_UNIX, str(path))
            path.chmod(0o777)

    def close(self) -> None:
        """Stop listening."""
        for listener in self._open:
            # A blocked accept() or recv() notices a shutdown, but no close.
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _stream(self, family: int, address: Any) -> Any:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.bind(address)
        listener.listen()
        return self._started(listener, self._accept)

    def _datagram(self, family: int, address: Any) -> Any:
        listener = socket.socket(family, socket.SOCK_DGRAM)
        listener.bind(address)
        return self._started(listener, self._receive)

    def _started(self, listener: socket.socket, work: Any) -> Any:
        listener.settimeout(0.5)
        self._open.append(listener)
        threading.Thread(target=work, args=(listener, listener.getsockname()), daemon=True).start()
        return listener.getsockname()

    def _accept(self, listener: socket.socket, name: Any) -> None:
        while listener.fileno() >= 0:
            try:
                accepted = listener.accept()[0]
            except TimeoutError:
                continue
            except OSError:
                return
            self.heard.append(f"a connection at {_kind(listener, name)}")
            accepted.close()

    def _receive(self, listener: socket.socket, name: Any) -> None:
        while listener.fileno() >= 0:
            try:
                listener.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            self.heard.append(f"a datagram at {_kind(listener, name)}")


def _kind(listener: socket.socket, name: Any) -> str:
    if listener.family == socket.AF_UNIX:
        return "a UNIX socket" if isinstance(name, str) else "an abstract socket"
    return "the loopback" if name[0] in {"127.0.0.1", "::1"} else "the machine's address"


def _own_address() -> str | None:
    """Return an address of this machine that is not its loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(UNREACHED)  # a datagram socket sends nothing by that
        except OSError:
            return None
        own: str = asking.getsockname()[0]
        return None if own.startswith("127.") else own
