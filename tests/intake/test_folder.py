"""Folders, single notebooks and everything in them that is no submission."""

from __future__ import annotations

import os
import re
import socket
import zipfile
from pathlib import Path

import pytest

from grader.intake import Intake, IntakeError, read_file, submissions, work_of
from grader.locale import Translator
from grader.notebook import Unreadable
from grader.result import Student


def put(folder: Path, *names: str) -> None:
    """Write a small file under each of these names."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def ids(intake: Intake) -> list[str]:
    """The students' ids, in order."""
    return [submission.student.id for submission in intake.submissions]


def reasons(intake: Intake) -> dict[str, str]:
    """Why each ignored path was ignored, in English."""
    return {ignored.shown: Translator("en")(ignored.reason) for ignored in intake.ignored}


def problem(source: Path) -> str:
    """The one line with which a source is refused, after a look at the Spanish one."""
    with pytest.raises(IntakeError) as caught:
        submissions(source)
    assert Translator("es")(caught.value.text) != str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_of_notebooks(tmp_path: Path) -> None:
    """Each notebook is one student's; id and name come from the file's name."""
    put(tmp_path, "ana_pérez.ipynb", "Luis Gómez-López.ipynb", "NÚÑEZ.IPYNB", "m. eva.ipynb.txt")

    intake = submissions(tmp_path)

    assert [
        ("ana-perez", "Ana Pérez", "ana_pérez.ipynb"),
        ("luis-gomez-lopez", "Luis Gómez López", "Luis Gómez-López.ipynb"),
        ("m-eva", "M Eva", "m. eva.ipynb.txt"),
        ("nunez", "Núñez", "NÚÑEZ.IPYNB"),
    ] == [(one.student.id, one.student.name, one.name) for one in intake.submissions]
    assert "ana_pérez.ipynb".encode() == intake.submissions[0].read()
    assert () == intake.ignored


def test_one_notebook_is_a_class_of_one(tmp_path: Path) -> None:
    """A single file is taken, also through a link that the person named."""
    put(tmp_path, "taller3.ipynb")
    (tmp_path / "enlace.ipynb").symlink_to(tmp_path / "taller3.ipynb")

    intake = submissions(tmp_path / "taller3.ipynb")
    linked = submissions(tmp_path / "enlace.ipynb")

    assert ["taller3"] == ids(intake)
    assert (["enlace"], b"taller3.ipynb") == (ids(linked), linked.submissions[0].read())


def test_equal_ids_get_a_hash_that_does_not_depend_on_the_order(tmp_path: Path) -> None:
    """Names that make the same id all get a short hash; nobody loses a submission."""
    put(tmp_path, "ana.ipynb", "ANA.ipynb", "Ana/x.ipynb", "bea.ipynb")

    together = ids(submissions(tmp_path))
    (tmp_path / "ANA.ipynb").unlink()
    fewer = ids(submissions(tmp_path))

    assert "bea" == together[-1]
    assert all(re.fullmatch(r"ana-[0-9a-f]{6}", one) for one in together[:-1])
    assert 4 == len(set(together))
    assert set(fewer) < set(together)


def test_ids_are_safe_for_every_name(tmp_path: Path) -> None:
    """Whatever a file is called, its id is short and made of a-z, 0-9 and hyphens."""
    names = [
        "...x",
        "学生",
        "💥",
        "-rf",
        "a" * 200,
        "a" * 201,
        "ǅ",
        "x\u202ey",
        "con\x1b[31m",
        "%s{0}",
    ]
    put(tmp_path, *(f"{name}.ipynb" for name in names if not name.startswith(".")))
    with open(os.fsencode(tmp_path) + b"/\xff\xfe.ipynb", "wb") as stream:
        stream.write(b"x")

    intake = submissions(tmp_path)

    assert len(names) == len(set(ids(intake)))
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,75}", one) for one in ids(intake))
    for submission in intake.submissions:
        assert submission.student.name.encode().decode().isprintable()
        assert len(submission.student.name) <= 100
        assert submission.name.encode().decode().isprintable()


def test_a_folder_for_each_student(tmp_path: Path) -> None:
    """A student's folder gives one notebook, wherever it lies in it; an empty one is missing."""
    put(tmp_path, "ana/taller3.ipynb", "ana/notas.txt", "luis/entrega/final/t.ipynb", "eva/x.docx")
    (tmp_path / "leo").mkdir()

    intake = submissions(tmp_path)

    assert ["ana", "luis"] == ids(intake)
    assert ["eva", "leo"] == [student.id for student in intake.missing]
    assert {"ana/notas.txt", "eva/x.docx"} == set(reasons(intake))


@pytest.mark.parametrize(
    ("taken", "wanted", "names"),
    [
        ("taller3.ipynb", "taller3.ipynb", ["taller3.ipynb", "zeta.ipynb"]),
        ("TALLER3.ipynb", "taller3.ipynb", ["TALLER3.ipynb", "zeta.ipynb"]),
        (
            "taller (10).ipynb",
            "otro.ipynb",
            ["taller (2).ipynb", "taller (10).ipynb", "taller.ipynb"],
        ),
        ("v2.ipynb", "", ["v1.ipynb", "v2.ipynb", "V1b.ipynb"]),
    ],
)
def test_of_several_notebooks_one_is_taken(
    tmp_path: Path, taken: str, wanted: str, names: list[str]
) -> None:
    """The one that the assignment names is taken, else the last in natural order; others listed."""
    put(tmp_path, *(f"ana/{name}" for name in names))

    intake = submissions(tmp_path, wanted)

    assert [taken] == [one.name for one in intake.submissions]
    assert {f"ana/{name}" for name in set(names) - {taken}} == set(reasons(intake))
    assert all(taken in reason and str(len(names)) in reason for reason in reasons(intake).values())


def test_rubbish_is_skipped_in_silence(tmp_path: Path) -> None:
    """What Jupyter, macOS and Office leave lying is nobody's submission."""
    put(
        tmp_path,
        "ana.ipynb",
        "._ana.ipynb",
        "~$ana.ipynb",
        ".oculto.ipynb",
        ".ipynb_checkpoints/ana-checkpoint.ipynb",
        "__MACOSX/ana.ipynb",
        "luis/.ipynb_checkpoints/taller3-checkpoint.ipynb",
        "luis/taller3.ipynb",
    )

    intake = submissions(tmp_path)

    assert ["ana", "luis"] == ids(intake)
    assert () == intake.ignored


def test_links_and_devices_are_listed_and_never_followed(tmp_path: Path) -> None:
    """Links, pipes and sockets are listed with a reason; nothing behind them is read."""
    secret = tmp_path / "fuera"
    put(secret, "x.ipynb")
    folder = tmp_path / "curso"
    put(folder, "ana.ipynb", "datos/a.csv")
    (folder / "enlace.ipynb").symlink_to(secret / "x.ipynb")
    (folder / "carpeta").symlink_to(secret)
    (folder / "roto.ipynb").symlink_to("nada")
    os.mkfifo(folder / "tubo.ipynb")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s.ipynb"))
        intake = submissions(folder)

    assert ["ana"] == ids(intake)
    found = reasons(intake)
    assert {"enlace.ipynb", "carpeta", "roto.ipynb"} == {
        name for name, reason in found.items() if "link" in reason
    }
    assert {"tubo.ipynb", "s.ipynb"} == {name for name, r in found.items() if "device" in r}
    assert {"datos", "datos/a.csv"} == {name for name, r in found.items() if "no notebook" in r}


def test_a_lone_folder_around_the_students_is_stepped_into(tmp_path: Path) -> None:
    """An unpacked archive's own folder is no student."""
    put(tmp_path, "taller3/ana/a.ipynb", "taller3/luis/b.ipynb", "__MACOSX/x.ipynb")

    intake = submissions(tmp_path)

    assert ["ana", "luis"] == ids(intake)


def test_folders_too_deep_are_not_entered(tmp_path: Path) -> None:
    """A tower of folders ends the search, not the program."""
    deep = "ana/" + "d/" * 60
    put(tmp_path, "ana.ipynb", f"{deep}x.ipynb")

    intake = submissions(tmp_path)

    assert ["ana"] == ids(intake)
    assert "more than 8 folders deep" == reasons(intake)["ana/" + "/".join("d" * 8)]


def test_sources_that_cannot_be_taken(tmp_path: Path) -> None:
    """Each is refused with one line: what, which value, what to do."""
    put(tmp_path, "clase.zip", "ana.py", "vacia/notas.txt")
    os.mkfifo(tmp_path / "tubo")

    assert re.search("nada: does not exist; check", problem(tmp_path / "nada"))
    assert re.search(
        "clase.zip: no ZIP archive.* download it again", problem(tmp_path / "clase.zip")
    )
    assert re.search("ana.py: no notebook .* give a", problem(tmp_path / "ana.py"))
    assert re.search("vacia: no notebook .* give the", problem(tmp_path / "vacia"))
    assert re.search("tubo: neither a folder nor", problem(tmp_path / "tubo"))


def test_folders_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A student's closed folder is listed; a closed source is an error."""
    put(tmp_path, "ana.ipynb", "luis/x.ipynb")
    real = os.scandir

    def closed(path: Path) -> object:
        if path.name == "luis":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", closed)

    intake = submissions(tmp_path)

    assert ["ana"] == ids(intake)
    assert "may not be read; ask for permission or copy it" in reasons(intake).values()
    assert re.search("luis: may not be read", problem(tmp_path / "luis"))


def test_long_ways_are_shown_in_part(tmp_path: Path) -> None:
    """What a sentence says of a file does not grow with the names of the folders to it."""
    way = tmp_path.joinpath(*["d" * 200] * 9)
    way.mkdir(parents=True)
    (way / "ana.ipynb").write_text("{}")
    put(tmp_path, "eva.ipynb")
    said = reasons(submissions(tmp_path))

    with pytest.raises(IntakeError) as missing:
        read_file(way / "nada.ipynb")

    assert 1000 == max(map(len, said)), said
    assert len(str(missing.value)) < 1100


def test_read_file(tmp_path: Path) -> None:
    """A file is read once, up to the cap, and only if it is one."""
    put(tmp_path, "ana.ipynb")
    (tmp_path / "enlace.ipynb").symlink_to("ana.ipynb")
    os.mkfifo(tmp_path / "tubo.ipynb")

    assert b"ana.ipynb" == read_file(tmp_path / "ana.ipynb", cap=9)
    with pytest.raises(Unreadable) as large:
        read_file(tmp_path / "ana.ipynb", cap=8)
    assert "too-large" == large.value.looks_like
    with (tmp_path / "hueco.ipynb").open("wb") as hole:
        hole.truncate(50_000_001)
    with pytest.raises(Unreadable):
        read_file(tmp_path / "hueco.ipynb")
    for name, reason in {
        "nada.ipynb": "does not exist",
        "enlace.ipynb": "a link",
        "tubo.ipynb": "a device",
        "": "a folder",
    }.items():
        with pytest.raises(IntakeError, match=f"{name}: {reason}.*;"):
            read_file(tmp_path / name)


ANA = Student("ana", "Ana")


@pytest.mark.parametrize(
    "names",
    [
        ("b.ipynb", "taller3.ipynb", "z.ipynb"),
        ("a/b.ipynb", "c/taller3.ipynb", "d/e/z.ipynb"),
        ("Eva_7_assignsubmission_file/b.ipynb", "Luis_9_assignsubmission_file/taller3.ipynb"),
        ("submission_1/b.ipynb", "submission_2/taller3.ipynb"),
    ],
)
def test_a_folder_of_one_student_is_no_class(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Whatever its files are called, it has one owner, and the assignment names the notebook."""
    put(tmp_path, *names)
    intake = work_of(ANA, tmp_path, "taller3.ipynb")

    (submission,) = intake.submissions
    assert (ANA, "taller3.ipynb") == (submission.student, submission.name)
    assert submission.read().decode().endswith("taller3.ipynb")
    assert {name for name in names if "taller3" not in name} == set(reasons(intake))


def test_a_folder_of_one_student_without_a_notebook(tmp_path: Path) -> None:
    """It is missing, and no error."""
    put(tmp_path, "notas.txt")
    (tmp_path / "vacía").mkdir()
    intake = work_of(ANA, tmp_path)

    assert ((), (ANA,)) == (intake.submissions, intake.missing)
    assert {"notas.txt": "no notebook (.ipynb)"} == reasons(intake)
    assert () == work_of(ANA, tmp_path / "vacía").submissions


def test_an_archive_in_a_folder_of_one_student_is_opened(tmp_path: Path) -> None:
    """As in a class; one that cannot be opened is said when it is read."""
    with zipfile.ZipFile(tmp_path / "entrega.zip", "w") as archive:
        archive.writestr("x/taller3.ipynb", "inside")
    put(tmp_path, "roto.zip")
    (submission,) = work_of(ANA, tmp_path).submissions
    inside = submission.read()
    (tmp_path / "entrega.zip").unlink()
    (broken,) = work_of(ANA, tmp_path).submissions

    assert b"inside" == inside
    with pytest.raises(Unreadable, match=r"roto\.zip cannot be opened"):
        broken.read()
