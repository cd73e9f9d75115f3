"""Where the files of a dataset may be found, in the order in which they are tried.

A source answers with a folder that may hold the files, or None; it vouches for nothing, the
hashes decide (see `grader.dataset.store`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from grader.dataset import DatasetSpec

ENVIRONMENT = "GRADER_DATA"
"""Environment variable that names a folder with the files."""

_MAX_DOWNLOAD_BYTES = 1 << 30
_CONNECT_TIMEOUT_S = 20
_APT_TIMEOUT_S = 300


class SourceProblem(Exception):
    """A source that cannot be used; its text says why, in one line."""


@dataclass(frozen=True)
class Source:
    """One place to look; ``folder`` is called only when files are still missing."""

    name: str
    folder: Callable[[Path, tuple[str, ...]], Path]
    """Takes an empty scratch folder and the missing file names; raises SourceProblem."""


def sources(spec: DatasetSpec, named: Path | None) -> Iterator[Source]:
    """Yield the sources of a dataset, those that cost nothing first."""
    from_environment = os.environ.get(ENVIRONMENT)
    if named is not None:
        yield _existing(str(named), named)
    if from_environment:
        yield _existing(f"{from_environment} ({ENVIRONMENT})", Path(from_environment))
    yield _existing("Keras's cache", keras_home() / "datasets" / spec.keras_folder)
    if spec.debian_package and spec.debian_folder:
        package, folder = spec.debian_package, spec.debian_folder
        yield _existing(f"Debian's installed package {package}", Path("/") / folder)
        yield Source(f"apt-get download {package}", partial(_apt, package, folder))
    for url in spec.urls:
        yield Source(url, partial(_download, url))


def keras_home() -> Path:
    """Return the folder that Keras keeps its files in."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def _existing(name: str, folder: Path) -> Source:
    def check(scratch: Path, names: tuple[str, ...]) -> Path:
        if not folder.is_dir():
            raise SourceProblem(f"no folder {folder}")
        return folder

    return Source(name, check)


def _apt(package: str, folder: str, scratch: Path, names: tuple[str, ...]) -> Path:
    """Download and unpack a package without installing it; needs neither root nor system lists."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise SourceProblem("no apt-get and dpkg-deb on this machine")
    try:
        _run(["apt-get", "-q", "download", *_quick(), package], scratch)
    except SourceProblem:
        # The machine's lists do not know the package: fetch lists of our own, as any user may.
        (scratch / "lists" / "partial").mkdir(parents=True)
        (scratch / "cache" / "archives" / "partial").mkdir(parents=True)
        own = ["-o", f"Dir::State::Lists={scratch}/lists", "-o", f"Dir::Cache={scratch}/cache"]
        _run(["apt-get", "-q", "update", *_quick(), *own], scratch)
        _run(["apt-get", "-q", "download", *_quick(), *own, package], scratch)
    archives = sorted(scratch.glob("*.deb"))
    if not archives:
        raise SourceProblem("apt-get downloaded nothing")
    _run(["dpkg-deb", "-x", str(archives[0]), str(scratch / "unpacked")], scratch)
    return scratch / "unpacked" / folder


def _quick() -> list[str]:
    """Options that make apt-get give up soon and, as root, write into our own folder."""
    options = [f"Acquire::http::Timeout={_CONNECT_TIMEOUT_S}", "Acquire::Retries=1"]
    if os.name == "posix" and os.geteuid() == 0:
        options.append("APT::Sandbox::User=root")
    return [word for option in options for word in ("-o", option)]


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_APT_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SourceProblem(f"{command[0]}: {error}") from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "dpkg"))]
        said = lines[-1] if lines else f"exit code {done.returncode}"
        raise SourceProblem(f"{command[0]}: {said}")


def _download(base: str, scratch: Path, names: tuple[str, ...]) -> Path:
    """Fetch ``<base><name>.gz`` for each name into the scratch folder."""
    for name in names:
        address = f"{base.rstrip('/')}/{name}.gz"
        try:
            with urllib.request.urlopen(address, timeout=_CONNECT_TIMEOUT_S) as reply:
                data = reply.read(_MAX_DOWNLOAD_BYTES + 1)
        except (urllib.error.URLError, OSError, ValueError) as error:
            reason = getattr(error, "reason", error)
            host = urlsplit(address).hostname or address
            raise SourceProblem(f"{name}.gz: {host} cannot be reached ({reason})") from error
        if len(data) > _MAX_DOWNLOAD_BYTES:
            raise SourceProblem(f"{name}.gz: more than {_MAX_DOWNLOAD_BYTES} bytes")
        (scratch / f"{name}.gz").write_bytes(data)
    return scratch
