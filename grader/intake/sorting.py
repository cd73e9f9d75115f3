"""A source → submissions: whose each file is, which notebook of several counts, who is missing."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from pathlib import Path

from grader.intake.archive import ArchiveError, listing_of_archive
from grader.intake.folder import fault, listing_of_folder, read_file, refused
from grader.intake.layouts import LAYOUTS, PLAIN, Place, Placing
from grader.intake.listing import File, Listing, way
from grader.intake.people import People, Person
from grader.intake.students import is_notebook, natural, stem, students
from grader.intake.submission import Ignored, Intake, IntakeError, Submission
from grader.locale import T, Text
from grader.notebook import shown
from grader.result import Student
from grader.scoring import UNKNOWN
from grader.unreadable import Unreadable, refusal

NOBODY = People()


@dataclass
class _Owner:
    """What one student handed in: notebooks, and archives that cannot be opened."""

    place: Place
    notebooks: list[tuple[Place, File]] = field(default_factory=list)
    broken: list[tuple[File, Text]] = field(default_factory=list)


def submissions(source: Path, notebook: str = "", people: People = NOBODY) -> Intake:
    """Return who handed in what.

    Args:
        source: one notebook, a folder, or a ZIP archive, as a platform or a person laid it out.
        notebook: what the assignment calls its notebook; of several of one student it is taken,
            else the last in natural order.
        people: who is in the class, and how late they were; None of them by default.

    Raises:
        IntakeError: there is no such source, it cannot be read, or it holds no notebook.
    """
    try:
        mode = source.stat().st_mode
    except OSError as error:
        raise refused(source, fault(error)) from error
    if stat.S_ISREG(mode) and is_notebook(source.name):
        (student,) = students([source.name])
        # A link that the person named is theirs; only links inside a class are refused.
        read = partial(read_file, source.resolve())
        only = Submission(student, shown(source.name), read, source.name)
        return Intake((only,), whole=False)
    return _class(source, _listing(source, mode), notebook, people)


def work_of(student: Student, folder: Path, notebook: str = "") -> Intake:
    """Return the notebook of a folder that is all of one student's, whatever its files are called.

    Args:
        notebook: as for `submissions`.

    Raises:
        IntakeError: the folder cannot be read. One without a notebook is no error.
    """
    listing = listing_of_folder(folder)
    ignored = list(listing.ignored)
    own = _owners(listing, lambda parts: Place(student.id, student.id, parts), ignored)
    if not own or not (own[0].notebooks or own[0].broken):
        return Intake((), tuple(ignored), (student,), whole=False)
    _, file, read = _chosen(own[0], notebook, ignored)
    return Intake((Submission(student, shown(file.name), read),), tuple(ignored), whole=False)


def _listing(source: Path, mode: int) -> Listing:
    if stat.S_ISDIR(mode):
        listing = listing_of_folder(source)
        if len(listing.files) == 1 and _is_archive(listing.files[0].parts[0]):
            path = source.resolve() / listing.files[0].name  # the download, in a folder of its own
            return _archive(source, path)
        return listing
    if not stat.S_ISREG(mode):
        raise refused(source, T("neither a folder nor a notebook; give one of them"))
    if not _is_archive(source.name):
        raise refused(
            source,
            T("no notebook (.ipynb); give a notebook, a folder of notebooks or a ZIP archive"),
        )
    return _archive(source, source.resolve())


def _archive(source: Path, path: Path) -> Listing:
    try:
        return listing_of_archive(lambda: path.open("rb"))
    except ArchiveError as error:
        raise refused(source, error.reason) from error
    except OSError as error:
        raise refused(source, fault(error)) from error


def _class(source: Path, listing: Listing, notebook: str, people: People) -> Intake:
    name, listing, placing = _recognised(listing, notebook)
    ignored = list(listing.ignored)
    owners = _owners(listing, placing, ignored)
    if name == PLAIN:
        owners = _without_nobodys_folders(owners, listing, ignored)
    if not any(one.notebooks or one.broken for one in owners):
        raise refused(
            source, T("no notebook (.ipynb) in it; give the folder with the students' notebooks")
        )
    taken: list[Submission] = []
    missing: list[Student] = []
    notices: list[Text] = []
    known = _known(owners, people, notices)
    for owner, student, person in zip(owners, _students(owners, known), known, strict=True):
        if not owner.notebooks and not owner.broken:
            missing.append(student)
            continue
        place, file, read = _chosen(owner, notebook, ignored)
        late = person.late if person and person.late != UNKNOWN else place.late
        key = owner.place.key
        taken.append(Submission(student, shown(file.name), read, key, late, place.handles))
    taken.sort(key=lambda one: natural(one.student.id))
    return Intake(
        tuple(taken), tuple(ignored), (*missing, *_absent(people, known)), name, tuple(notices)
    )


def _recognised(listing: Listing, notebook: str) -> tuple[str, Listing, Placing]:
    """Return the first layout that knows most of the work, and the listing that it knows."""
    levels = [listing]
    while (lone := levels[-1].lone_folder()) is not None:
        levels.append(levels[-1].below(lone))
    for name, layout in LAYOUTS.items():
        for one in levels:
            placing = layout(one, notebook)
            work = [file.parts for file in one.files if _is_work(file.name)]
            tops = {parts[0] for parts in work}  # of each student one, or one for each file
            known = {parts[0] for parts in work if placing(parts) is not None}
            if name != PLAIN and 2 * len(known) > len(tops):
                return name, one, placing
    around = levels[1:2] and _stands_around_students(levels[1])
    return PLAIN, levels[1] if around else listing, LAYOUTS[PLAIN](listing, notebook)


def _stands_around_students(inner: Listing) -> bool:
    """Whether a lone folder holds students' folders, as an unpacked archive leaves it."""
    loose = any(len(one.parts) == 1 and _is_work(one.name) for one in inner.files)
    return not loose and len({one[0] for one in inner.folders}) > 1


def _owners(listing: Listing, placing: Placing, ignored: list[Ignored]) -> list[_Owner]:
    """Return what each student has, in the order of the listing."""
    owners: dict[str, _Owner] = {}
    for folder in listing.folders:
        if (place := placing((*folder, ""))) is not None:
            owners.setdefault(place.key, _Owner(place))
    for file in listing.files:
        place = placing(file.parts)
        if place is None:
            ignored.append(Ignored(way(file.parts), T("nobody's: its name names no student")))
            continue
        owner = owners.setdefault(place.key, _Owner(place))
        if not place.rest:
            ignored.append(Ignored(way(file.parts), T("of another assignment")))
        elif is_notebook(file.name):
            owner.notebooks.append((place, file))
        elif _is_archive(file.name):
            _open_archive(owner, place, file, ignored)
        else:
            ignored.append(Ignored(way(file.parts), T("no notebook (.ipynb)")))
    return sorted(owners.values(), key=lambda one: (natural(one.place.name), one.place.key))


def _open_archive(owner: _Owner, place: Place, file: File, ignored: list[Ignored]) -> None:
    """Take the notebooks of an archive that a student handed in; archives in it stay closed."""
    try:
        inner = listing_of_archive(lambda: BytesIO(file.read()))
    except ArchiveError as error:
        owner.broken.append((file, error.reason))
        return
    except (Unreadable, IntakeError) as error:
        owner.broken.append((file, error.text))
        return
    if not any(is_notebook(one.name) for one in inner.files):
        owner.broken.append((file, T("there is no notebook (.ipynb) in it")))
    ignored.extend(Ignored(f"{way(file.parts)}/{one.shown}", one.reason) for one in inner.ignored)
    for one in inner.files:
        below = replace(one, parts=(*file.parts, *one.parts))
        if is_notebook(one.name):
            owner.notebooks.append((replace(place, rest=(*place.rest, *one.parts)), below))
        else:
            reason = T("no notebook (.ipynb)")
            if _is_archive(one.name):
                reason = T(
                    "an archive in an archive, which is not opened; give the notebook itself"
                )
            ignored.append(Ignored(way(below.parts), reason))


def _without_nobodys_folders(
    owners: list[_Owner], listing: Listing, ignored: list[Ignored]
) -> list[_Owner]:
    """Beside loose notebooks a folder (or file) without one is nobody's."""
    loose = any(len(one.parts) == 1 and is_notebook(one.name) for one in listing.files)
    folders = {one[0] for one in listing.folders}
    kept = []
    for owner in owners:
        if owner.notebooks or owner.broken or (not loose and owner.place.key in folders):
            kept.append(owner)
        elif owner.place.key in folders:
            ignored.append(Ignored(shown(owner.place.key), T("no notebook (.ipynb) in it")))
    return kept


def _known(owners: Sequence[_Owner], people: People, notices: list[Text]) -> list[Person | None]:
    """Return whose row each one is; a row that two would be is nobody's, and a person decides."""
    found = [people.find(owner.place) for owner in owners]
    for person in people.people:
        same = [owner.place.name for owner, one in zip(owners, found, strict=True) if one is person]
        if len(same) > 1:
            found = [None if one is person else one for one in found]
            notices.append(
                T(
                    "{count} submissions would be {name}'s ({submissions}); each is graded under "
                    "its own name, and a person must decide.",
                    count=len(same), name=person.name,
                    submissions=", ".join(map(shown, same)),
                )
            )  # fmt: skip
    return found


def _students(owners: Sequence[_Owner], known: Sequence[Person | None]) -> Iterator[Student]:
    """Return a student for each: the id of the roster or the source, the name that is known."""
    labels: list[str] = []
    names: list[str | None] = []
    for owner, person in zip(owners, known, strict=True):
        place = owner.place
        label = max(place.name, place.key, key=len)
        if place.key not in place.name and place.name not in place.key:
            label = f"{place.name} {place.key}"
        labels.append(person.id if person is not None and person.id else label)
        own = None if place.key == place.name else place.name
        names.append(own if person is None else person.name)
    for student, name, person in zip(students(labels), names, known, strict=True):
        if person is not None:
            yield replace(student, name=person.name)
        else:
            yield student if name is None else replace(student, name=students([name])[0].name)


def _chosen(
    owner: _Owner, wanted: str, ignored: list[Ignored]
) -> tuple[Place, File, Callable[[], bytes]]:
    """Take the notebook that the assignment names, else the last; list the others."""
    if not owner.notebooks:
        file, reason = owner.broken[-1]
        return owner.place, file, partial(_refuse, shown(file.name), reason)
    if len(owner.notebooks) == 1:
        place, file = owner.notebooks[0]
        return place, file, file.read
    named = stem(wanted).casefold()

    def rank(one: tuple[Place, File]) -> tuple[object, ...]:
        place, file = one
        name = stem(place.rest[-1])
        return name.casefold() == named, natural(name), place.attempt, file.parts

    *others, (place, file) = sorted(owner.notebooks, key=rank)
    reason = T("not graded: of the {count} notebooks of {student}, {taken} was taken")
    values = {
        "student": shown(stem(owner.place.name)),
        "count": len(owner.notebooks),
        "taken": shown(file.name),
    }
    ignored.extend(Ignored(way(other.parts), Text(reason.template, values)) for _, other in others)
    return place, file, file.read


def _refuse(name: str, reason: Text) -> bytes:
    raise refusal("no-archive", name=name, reason=reason)


def _absent(people: People, known: Sequence[Person | None]) -> Iterator[Student]:
    """Return who is on the list and handed in nothing."""
    seen = {id(person) for person in known if person is not None}
    rest = [person for person in people.people if id(person) not in seen]
    for person, safe in zip(rest, students([one.id or one.name for one in rest]), strict=True):
        yield Student(safe.id, person.name)


def _is_archive(name: str) -> bool:
    return name.lower().endswith(".zip")


def _is_work(name: str) -> bool:
    return is_notebook(name) or _is_archive(name)
