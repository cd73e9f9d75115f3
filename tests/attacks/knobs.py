"""The knobs of the walls, read from what the code really passes on, and how to take one away.

Nothing is listed here by hand that the code lists by itself: an argument, a limit or a rule that
is new in `grader.sandbox` is a new knob, and test_mutations.py asks for an attack that needs it.
"""

from __future__ import annotations

import dataclasses
import os
import platform
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from grader.sandbox import (
    Limits,
    bubblewrap,
    cgroup,
    disk,
    interpreter,
    launch,
    processes,
    rlimits,
    running,
    seccomp,
    walls,
)
from grader.sandbox.disk import DiskWatch
from grader.sandbox.interpreter import PACKAGES_INSIDE, SITE_INSIDE
from grader.sandbox.tree import WalledTree
from tests.attacks.ground import Ground

NO_VALUES = {
    "--unshare-user", "--unshare-all", "--unshare-pid", "--disable-userns", "--die-with-parent",
    "--new-session", "--clearenv", "--clear-groups", "--no-new-privs", "--",
}  # fmt: skip
TWO_VALUES = {
    "--ro-bind", "--bind", "--dev-bind", "--ro-bind-data", "--symlink", "--setenv",
}  # fmt: skip
FIRST_NAMES = {"--setenv", "--hostname", "--cap-drop"}
UNNAMED = {"--seccomp", "--json-status-fd", "--uid", "--gid", "--reuid", "--regid"}
MODIFIERS = {"--perms", "--size"}
NAMESPACES = {"ipc", "pid", "net", "uts", "cgroup"}  # "user" is asked for by its own name

ROOTS_CHAIN = "root's chain in front of the walls"
OURS = "(what is ours of the packages)"
NO_CAPABILITIES = "bubblewrap's own: no capabilities for a user who is not root"
Patch = pytest.MonkeyPatch
Edit = Callable[[str, tuple[str, ...]], tuple[str, ...]]


@dataclass(frozen=True)
class Knob:
    """One thing that can be taken away."""

    name: str
    take_away: Callable[[Patch], None]
    grouped: bool = True
    """Whether it is looked at with control groups; else as on a machine without any."""


def all_knobs(ground: Ground) -> dict[str, Knob]:
    """Return every knob of the walls on this machine, by name."""
    found = [
        *_bubblewrap(ground),
        *_rlimits(),
        *_groups(),
        *_seccomp(),
        *_masks(),
        *_start(),
        *_watch(),
    ]
    if ground.root:
        found += _setpriv()
        found += [Knob(ROOTS_CHAIN, lambda patch: _as_a_plain_user(patch, ground))]
    return {knob.name: knob for knob in found}


def options(arguments: list[str], hidden: tuple[str, ...]) -> list[tuple[str, tuple[str, ...]]]:
    """Split arguments of bubblewrap or setpriv into options, each with a name to tell it by."""
    split: list[tuple[str, ...]] = []
    left = list(arguments)
    while left:
        count = 1 if left[0] in NO_VALUES else 3 if left[0] in TWO_VALUES else 2
        split.append(tuple(left[:count]))
        del left[:count]
    named: list[tuple[str, tuple[str, ...]]] = []
    for at, words in enumerate(split):
        of = next(each for each in split[at:] if each[0] not in MODIFIERS)
        named.append((_name(words, of, hidden), words))
    return named


def _name(words: tuple[str, ...], of: tuple[str, ...], hidden: tuple[str, ...]) -> str:
    if len(words) == 1 or words[0] in UNNAMED:
        return words[0]
    place = words[1] if words[0] in FIRST_NAMES else of[-1]
    if place in hidden:
        place = "(packages of other Pythons)"
    elif place.startswith(SITE_INSIDE):
        place = "(links to installed packages)"
    elif place.startswith(PACKAGES_INSIDE):
        depth = place.removeprefix(PACKAGES_INSIDE).count("/")
        place = "(installed packages)" if depth == 1 else OURS
    return f"{words[0]} of {place}" if words[0] in MODIFIERS else f"{words[0]} {place}"


def _bubblewrap(ground: Ground) -> list[Knob]:
    """The arguments that a job of the ground gets."""
    seen: dict[str, list[str]] = {}
    with Patch.context() as patch:
        for side in ("inner", "outer"):
            stock = getattr(bubblewrap, f"{side}_arguments")

            def keep(*given: Any, side: str = side, stock: Any = stock) -> list[str]:
                return seen.setdefault(side, stock(*given))

            patch.setattr(bubblewrap, f"{side}_arguments", keep)
        ground.run("")
    hidden = ground.python.hidden
    roles = _roles(seen, hidden)
    found: dict[str, Knob] = {}
    for side, arguments in seen.items():
        for name, words in options(arguments, hidden):
            shown = f"{side}: {roles.get(name, name) if side == 'outer' else name}"
            for what, edit in _edits(name, words):
                label = f"{shown}{what}"
                found[label] = Knob(label, _edited(side, hidden, edit))
    found[NO_CAPABILITIES] = Knob(NO_CAPABILITIES, _edited("inner", hidden, _add_capabilities))
    return list(found.values())


def _roles(seen: dict[str, list[str]], hidden: tuple[str, ...]) -> dict[str, str]:
    """Outer binds have numbers: name each by what the inner one makes of it."""
    inner = {
        words[1]: name
        for name, words in options(seen["inner"], hidden)
        if words[0] in {"--ro-bind", "--bind"}
    }
    roles = {}
    for name, words in options(seen.get("outer", []), hidden):
        for source, inside in inner.items():
            if words[-1].startswith("/b/") and f"{source}/".startswith(f"{words[-1]}/"):
                roles[name] = f"{words[0]} {inside.partition(' ')[2]}"
        if words[-1].startswith("/b/") and name not in roles:
            roles[name] = f"{words[0]} (bubblewrap)"
    return roles


def _edits(name: str, words: tuple[str, ...]) -> Iterator[tuple[str, Edit]]:
    """The ways of weakening one option; the first part is added to the knob's name."""
    if words[0] in {"--ro-bind", "--ro-bind-data"}:
        yield ", read-only", _replacing(name, words[0].replace("--ro-", "--"))
        if OURS in name:
            yield "", _without(name)
    elif words[0] == "--unshare-all":
        for one in sorted(NAMESPACES):
            rest = [f"--unshare-{each}" for each in sorted(NAMESPACES - {one})]
            yield f", {one}", _replacing(name, *rest)
    else:
        yield "", _without(name)
    if words[0] == "--proc":
        yield " of its own", _replacing(name, "--bind", "/proc")
    if words[0] == "--dev":
        yield " of its own", _replacing(name, "--dev-bind", "/dev")


def _replacing(name: str, *words: str) -> Edit:
    def edit(found: str, given: tuple[str, ...]) -> tuple[str, ...]:
        return (*words, *given[1:]) if found == name else given

    return edit


def _without(name: str) -> Edit:
    def edit(found: str, given: tuple[str, ...]) -> tuple[str, ...]:
        place = name.partition(" ")[2]
        modifies = [*(f"{modifier} of {place}" for modifier in MODIFIERS), f"--remount-ro {place}"]
        whole = name.startswith(("--tmpfs", "--dir"))
        return () if found == name or (whole and found in modifies) else given

    return edit


def _add_capabilities(found: str, given: tuple[str, ...]) -> tuple[str, ...]:
    return ("--cap-add", "ALL", *given) if found == "--unshare-user" else given


def _edited(side: str, hidden: tuple[str, ...], edit: Edit) -> Callable[[Patch], None]:
    def take_away(patch: Patch) -> None:
        stock = getattr(bubblewrap, f"{side}_arguments")

        def weaker(*given: Any) -> list[str]:
            found = options(stock(*given), hidden)
            return [word for name, words in found for word in edit(name, words)]

        patch.setattr(bubblewrap, f"{side}_arguments", weaker)

    return take_away


def _setpriv() -> Iterator[Knob]:
    for name, _ in options(rlimits.setpriv_arguments(1, 1)[1:-1], ()):

        def take_away(patch: Patch, name: str = name) -> None:
            stock = rlimits.setpriv_arguments

            def weaker(uid: int, gid: int) -> list[str]:
                program, *given, end = stock(uid, gid)
                # It wants to be told in any case what to do about groups.
                else_ = ("--keep-groups",) if name == "--clear-groups" else ()
                kept = [else_ if found == name else words for found, words in options(given, ())]
                return [program, *(word for words in kept for word in words), end]

            patch.setattr(rlimits, "setpriv_arguments", weaker)

        yield Knob(f"setpriv: {name}", take_away)


def _as_a_plain_user(patch: Patch, ground: Ground) -> None:
    """Leave out everything in front of the inner bubblewrap, as for somebody who is not root."""
    patch.setattr(ground.walls, "owner", dataclasses.replace(ground.walls.owner, dropped=False))


def _rlimits() -> Iterator[Knob]:
    limits = Limits(wall_s=1, cpu_s=1)
    names = {
        grouped: [word.partition("=")[0] for word in rlimits.prlimit_arguments(limits, grouped)]
        for grouped in (True, False)
    }
    for name in names[False][1:-1]:

        def take_away(patch: Patch, name: str = name) -> None:
            stock = rlimits.prlimit_arguments

            def weaker(limits: Limits, grouped: bool) -> list[str]:
                return [word for word in stock(limits, grouped) if not word.startswith(f"{name}=")]

            patch.setattr(rlimits, "prlimit_arguments", weaker)

        yield Knob(f"prlimit: {name}", take_away, grouped=name in names[True])


def _groups() -> Iterator[Knob]:
    """The files that a new control group's limits are written to."""
    written: list[str] = []
    stock = cgroup._write
    with Patch.context() as patch:
        patch.setattr(cgroup, "_write", lambda file, *rest, **more: written.append(file.name))
        group = cgroup.make_group(Limits(wall_s=1))
    if group is None:
        return
    group.close()
    for name in written:

        def take_away(patch: Patch, name: str = name) -> None:
            def weaker(file: Any, value: int, optional: bool = False) -> None:
                if file.name != name:
                    stock(file, value, optional)

            patch.setattr(cgroup, "_write", weaker)

        yield Knob(f"control group: {name}", take_away)


def _seccomp() -> Iterator[Knob]:
    """Each rule of the filter for this machine."""
    name = platform.machine()
    machine = seccomp.MACHINES[name]

    def without_call(call: str) -> Callable[[Patch], None]:
        def take_away(patch: Patch) -> None:
            now = seccomp.MACHINES[name]
            calls = {each: number for each, number in now.calls.items() if each != call}
            patch.setitem(seccomp.MACHINES, name, dataclasses.replace(now, calls=calls))

        return take_away

    for call in machine.calls:
        if call not in {"clone", "socket"}:
            yield Knob(f"filter: {call}", without_call(call))
    yield Knob("filter: clone", lambda patch: patch.setattr(seccomp, "NEW_NAMESPACES", 0))
    program = seccomp.program
    for family in (17, 31, 38, 40):
        more = (*seccomp.FAMILIES, family)
        yield Knob(
            f"filter: socket, family {family}",
            lambda patch, more=more: patch.setattr(
                seccomp, "program", partial(program, families=more)
            ),
        )
    if machine.has_x32:
        plain = dataclasses.replace(machine, has_x32=False)
        yield Knob("filter: x32", lambda patch: patch.setitem(seccomp.MACHINES, name, plain))
    stock = seccomp._instructions
    yield Knob(
        "filter: other architectures",
        lambda patch: patch.setattr(
            seccomp, "_instructions", lambda *given: list(stock(*given))[3:]
        ),
    )
    yield Knob("filter", lambda patch: patch.setattr(seccomp, "program", lambda: None))


def _masks() -> Iterator[Knob]:
    yield Knob(
        "packages: ours are left out",
        lambda patch: patch.setattr(interpreter, "is_masked", lambda name: False),
    )


def _start() -> Iterator[Knob]:
    """What the controller does when it starts a job."""
    popen = subprocess.Popen

    def started_with(**other: Any) -> Callable[[Patch], None]:
        def weaker(*given: Any, **named: Any) -> Any:
            return popen(*given, **{**named, **other})

        return lambda patch: patch.setattr(launch.subprocess, "Popen", weaker)

    def inherit(patch: Patch) -> None:
        def weaker(*given: Any, **named: Any) -> Any:
            for descriptor in named.pop("pass_fds"):
                os.set_inheritable(descriptor, True)
            return popen(*given, **named, close_fds=False)

        patch.setattr(launch.subprocess, "Popen", weaker)

    yield Knob("start: an empty environment", started_with(env=os.environ))
    yield Knob("start: no descriptor but the named ones", inherit)
    yield Knob("start: a session of its own", started_with(start_new_session=False))
    yield Knob("start: the mask of new files", started_with(umask=-1))
    yield Knob(
        "start: first to go when memory is short", lambda p: p.setattr(walls, "OOM_SCORE", "0")
    )


def _watch() -> Iterator[Knob]:
    """What the controller does while a job runs."""
    stock = running.Running.__init__

    def later(self: Any, process: Any, tree: Any, limits: Limits) -> None:
        stock(self, process, tree, dataclasses.replace(limits, wall_s=limits.wall_s + 8))

    def instead(place: Any, name: str, other: Any) -> Callable[[Patch], None]:
        return lambda patch: patch.setattr(place, name, other)

    nameless = "nameless_files"
    for what, take_away in {
        "the deadline": instead(running.Running, "__init__", later),
        "the disk": instead(DiskWatch, "added_mb", lambda watch, pids=tuple: 0.0),
        "nameless files on the disk": instead(disk, nameless, lambda pids: []),
        "descriptors in sockets": instead(
            processes, "_has_descriptors_waiting", lambda path: False
        ),
        "files that are only mapped": instead(processes, "_mapped_without_name", lambda pid: ()),
        "what is written unseen": instead(disk, "written_bytes", lambda pids: 0),
    }.items():
        yield Knob(f"watch: {what}", take_away)
    for what, take_away in {
        "the sum of memory": instead(processes, "memory_mb", lambda members: 0.0),
        "anonymous files in memory": instead(processes, nameless, lambda pids: []),
        "private file systems": instead(processes, "private_mb", lambda *given: 0.0),
        "all memory": instead(WalledTree, "excess", lambda tree: None),
    }.items():
        yield Knob(f"watch: {what}", take_away, grouped=False)
