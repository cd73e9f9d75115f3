"""Bytes out of the walls: every kind of socket."""

from __future__ import annotations

from tests.attacks.harm.program import Harm

CONNECT = """
tried = socket.socket({family}, socket.SOCK_{kind})
tried.settimeout(1)
tried.connect({address})
tried.send(b"harm")
"""


def connects(family: str, kind: str, address: str) -> str:
    """Code that connects and sends."""
    return CONNECT.format(family=family, kind=kind, address=address)


HARMS = (
    Harm(
        "TCP to the host's loopback",
        "D02",
        connects("2", "STREAM", 'tuple(T["tcp"])'),
        "ECONNREFUSED",
    ),
    Harm(
        "TCP to the host's address",
        "D01",
        connects("2", "STREAM", 'tuple(T["lan"])'),
        "ENETUNREACH",
    ),
    Harm("TCP over IPv6", "D01", connects("10", "STREAM", '("2001:db8::1", 80)'), "ENETUNREACH"),
    Harm(
        "TCP to the host's loopback over IPv6",
        "D02",
        connects("10", "STREAM", 'tuple(T["tcp6"])'),
        "ECONNREFUSED | EADDRNOTAVAIL",
    ),
    Harm(
        "TCP to the cloud's metadata",
        "D02",
        connects("2", "STREAM", '("169.254.169.254", 80)'),
        "ENETUNREACH",
    ),
    Harm(
        "UDP to the host's loopback",
        "D01",
        """
tried = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tried.connect(tuple(T["udp"]))
for _ in range(3):
    tried.send(b"harm")
    time.sleep(0.02)
""",
        "ECONNREFUSED",
    ),
    Harm(
        "UDP to the host's address",
        "D01",
        """
tried = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tried.sendto(b"harm", tuple(T["lan_udp"]))
""",
        "ENETUNREACH",
    ),
    Harm(
        "a broadcast",
        "D01",
        """
tried = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
tried.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
tried.sendto(b"harm", ("255.255.255.255", T["lan_udp"][1]))
""",
        "ENETUNREACH",
    ),
    Harm("a name looked up", "D01", 'socket.getaddrinfo("harm.example.org", 80)', "gaierror"),
    Harm("a raw socket", "D01", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "EPERM"),
    Harm("a packet socket", "D01", "socket.socket(17, socket.SOCK_RAW, 3)", "EAFNOSUPPORT"),
    Harm("VSOCK to the host", "D01", connects("40", "STREAM", "(2, 9)"), "EAFNOSUPPORT"),
    Harm("the kernel's ciphers", "D08", "socket.socket(38, socket.SOCK_SEQPACKET)", "EAFNOSUPPORT"),
    Harm("Bluetooth", "D01", "socket.socket(31, socket.SOCK_RAW, 1)", "EAFNOSUPPORT"),
    Harm(
        "an abstract socket of the host",
        "D02",
        connects("1", "STREAM", '"\\0" + T["abstract"]'),
        "ECONNREFUSED",
    ),
    Harm(
        "abstract datagrams to the host",
        "D02",
        """
tried = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
tried.sendto(b"harm", "\\0" + T["abstract_datagrams"])
""",
        "ECONNREFUSED",
    ),
    Harm("the controller's socket", "D02", connects("1", "STREAM", 'T["control"]'), "ENOENT"),
    Harm("another run's socket", "D02", connects("1", "STREAM", 'T["door"]'), "ENOENT"),
    Harm(
        "a socket of the system",
        "D02",
        """
def reach(path):
    tried = socket.socket(socket.AF_UNIX)
    tried.connect(path)
    return path
every(*(lambda path=path: reach(path) for path in (
    "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/dbus/system_bus_socket", "/run/systemd/private", "/dev/log")))
""",
        "ENOENT",
    ),
    Harm(
        "an interface of its own made",
        "D01",
        """
import struct
tried = socket.socket(16, socket.SOCK_RAW, 0)
tried.bind((0, 0))
name = struct.pack("=HH8s", 12, 3, b"harm0\\0\\0\\0")
kind = struct.pack("=HH", 20, 18) + struct.pack("=HH8s", 10, 1, b"dummy\\0\\0\\0") + bytes(4)
body = struct.pack("=BxHiII", 0, 0, 0, 0, 0) + name + kind
tried.send(struct.pack("=IHHII", 16 + len(body), 16, 0x605, 1, 0) + body)
code = struct.unpack("=i", tried.recv(4096)[16:20])[0]
if code:
    raise OSError(-code, os.strerror(-code))
""",
        "EPERM",
    ),
    Harm(
        "the host's interfaces listed",
        "D01",
        """
names = [name for _, name in socket.if_nameindex() if name != "lo"]
if not names:
    raise OSError(errno.ENODEV, "only lo")
print(names)
""",
        "ENODEV",
    ),
    Harm("a port of the host taken", "D02", 'socket.create_server(tuple(T["tcp"]))', "done"),
)
