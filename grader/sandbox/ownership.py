"""Who a job runs as, and the permissions it needs on what it is given.

Root never runs a job: it becomes uid 60001 + slot, because root in a user namespace still reads
root's files, and because a limit on processes counts per uid. All slots share one group, so that
folders which several trainers write stay usable.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grader.sandbox.jobs import Mount, WallsError

FIRST_ID = 60001
SLOTS = 1000
UID_MAP = Path("/proc/self/uid_map")


@dataclass(frozen=True)
class Owner:
    """The user that a sandbox's jobs have on the host."""

    uid: int
    gid: int
    dropped: bool
    """Whether we are root and become this user; else it is ourselves.

    Root of a user namespace that has no other users is somebody else outside, and stays that.
    """

    @classmethod
    def for_slot(cls, slot: int) -> Owner:
        """Return the user for one of the sandboxes that run at the same time.

        Raises:
            WallsError: there is no such slot, or root can become nobody else.
        """
        if not 0 <= slot < SLOTS:
            raise WallsError(f"sandbox slot {slot}: give a number from 0 to {SLOTS - 1}")
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), dropped=False)
        uid = FIRST_ID + slot
        if outside(uid) is not None:
            return cls(uid, FIRST_ID, dropped=True)
        if outside(0) == 0 or sum(count for _, _, count in _mapped()) > 1:
            raise WallsError(f"root cannot become uid {uid} in this user namespace: map it")
        return cls(0, os.getegid(), dropped=False)

    def prepare(self, mount: Mount) -> None:
        """Make sure that the job can use a mount as it was promised.

        Raises:
            WallsError: the source is missing, or root's own and not to be handed over.
        """
        if not mount.source.exists():
            raise WallsError(f"mount {mount.target}: {mount.source} does not exist")
        if mount.writable:
            self.give(mount.source)
        elif self.dropped and not self._readable(mount.source.stat()):
            raise WallsError(f"mount {mount.target}: {mount.source} is root's alone: chmod o+rX")

    def give(self, path: Path) -> None:
        """Hand over a run folder with its contents, or a socket; links are not followed.

        A folder that was handed over before is left alone: what root adds later inherits the
        group, and the trainers' store may be large.
        """
        if not self.dropped:
            return
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode) or path.resolve() == Path("/"):
            raise WallsError(f"{path} cannot be handed to a job: give a folder of the run")
        if status.st_gid == self.gid and status.st_mode & stat.S_ISGID:
            return
        for entry in [*_contents(path), path]:
            self._own(entry)

    def _own(self, path: Path) -> None:
        mode = path.lstat().st_mode
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        if stat.S_ISDIR(mode):
            path.chmod(stat.S_IMODE(mode) | 0o2770)
        elif not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) | 0o660)

    def _readable(self, status: os.stat_result) -> bool:
        wanted = 0o5 if stat.S_ISDIR(status.st_mode) else 0o4
        shift = 6 if status.st_uid == self.uid else 3 if status.st_gid == self.gid else 0
        return (status.st_mode >> shift) & wanted == wanted


def outside(uid: int) -> int | None:
    """Return who a user is outside of this user namespace, None where that is nobody."""
    for inside, beyond, count in _mapped():
        if inside <= uid < inside + count:
            return beyond + uid - inside
    return None


def _mapped() -> list[tuple[int, int, int]]:
    """The users of this user namespace: their first uid, the one it has outside, how many."""
    try:
        lines = UID_MAP.read_text(encoding="ascii").splitlines()
    except OSError:  # a system without user namespaces
        return [(0, 0, 2**32)]
    return [(int(first), int(beyond), int(count)) for first, beyond, count in map(str.split, lines)]


def _contents(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        yield from (Path(parent) / name for name in [*folders, *files])
