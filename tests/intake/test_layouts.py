"""Every layout keeps one contract, as a folder and as an archive; then what each has of its own."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from grader.intake import Intake, submissions
from grader.locale import Translator
from grader.scoring import Late

NOTEBOOK = "taller3.ipynb"
Files = dict[str, bytes]
# Accents, an apostrophe and a space; Moodle itself writes no underscores in a name.
STUDENTS = {"1234": "Ana Pérez", "77": "Luis O'Ñandú Gil"}


@dataclass(frozen=True)
class Source:
    """How a platform lays out the files of students, and the ids that they get.

    Attributes:
        lay: key, name, the file's own name → its way.
        ids: of the two students, in that order.
        again: the own name of a file that is handed in once more, where that is told apart.
        folders: a student without any file is known, by an empty folder.
    """

    name: str
    lay: Callable[[str, str, str], str]
    ids: tuple[str, str]
    also: tuple[tuple[str, bytes], ...] = ()
    again: str = ""
    folders: bool = True


METADATA = """---
submission_1234:
  :submitters:
  - :name: Ana Pérez
    :sid: '1001'
    :email: ana@example.edu
  :created_at: 2025-05-02 10:00:00.000000000 Z
submission_77:
  :submitters:
  - :name: 'Luis O''Ñandú Gil'
    :sid: '1002'
    :email: luis@example.edu
"""
NUMBERED = ("ana-perez-1234", "luis-o-nandu-gil-77")
NAMED = ("ana-perez", "luis-o-nandu-gil")


def canvas_name(name: str) -> str:
    """In lower case, without what is no letter (lib/content_zipper.rb)."""
    return re.sub(r"\W", "", name).lower()


def attachment(key: str, file: str) -> int:
    """A number for each file; a later one for another attempt."""
    return 9_000 + 100 * list(STUDENTS).index(key) + sum(map(ord, file)) % 97 + 50 * ("-1" in file)


SOURCES = [
    Source("moodle", lambda key, name, file: f"{name}_{key}_assignsubmission_file/{file}",
           NUMBERED),
    Source("moodle", lambda key, name, file: f"{name}_{key}_assignsubmission_file_/{file}",
           NUMBERED),
    Source("moodle", lambda key, name, file: f"{name}_{key}_assignsubmission_file_{file}",
           NUMBERED, folders=False),
    Source("moodle", lambda key, name, file: f"Participante_{key}_assignsubmission_file/{file}",
           ("participante-1234", "participante-77")),
    Source("moodle", lambda key, name, file: f"Mesa {key[0]}_{key}_assignsubmission_file/a/{file}",
           ("mesa-1-1234", "mesa-7-77")),
    Source("canvas", lambda key, name, file: (
        f"{canvas_name(name)}_{key}_{attachment(key, file)}_{file}"),
        ("anaperez-1234", "luisonandugil-77"), again="taller3-1.ipynb", folders=False),
    Source("canvas", lambda key, name, file: (
        f"grupo_{key[:1]}b_LATE_{key}_{attachment(key, file)}_{file}"),
        ("grupo-1b-1234", "grupo-7b-77"), again="taller3-1.ipynb", folders=False),
    Source("canvas", lambda key, name, file: f"anon_x{key}_{attachment(key, file)}_{file}",
           ("anon-x1234", "anon-x77"), again="taller3-1.ipynb", folders=False),
    Source("gradescope", lambda key, name, file: f"assignment_5_export/submission_{key}/{file}",
           NUMBERED, (("assignment_5_export/submission_metadata.yml", METADATA.encode()),)),
    Source("gradescope", lambda key, name, file: f"submission_{key}/{file}",
           ("submission-1234", "submission-77")),
    Source("nbgrader", lambda key, name, file: f"submitted/{name}/taller3/{file}", NAMED,
           tuple((f"submitted/{name}/taller3/timestamp.txt", b"x") for name in STUDENTS.values())),
    Source("nbgrader", lambda key, name, file: f"{name}/taller3/{file}", NAMED,
           tuple((f"{name}/taller3/timestamp.txt", b"x") for name in STUDENTS.values())),
    Source("folder", lambda key, name, file: f"{name}/{file}", NAMED),
    Source("folder", lambda key, name, file: f"{name.replace(' ', '_')}/entrega/{file}", NAMED),
]  # fmt: skip


def laid(source: Source, of: dict[str, tuple[str, ...]]) -> Files:
    """The files of these students, with their own way as content; a folder's way ends in `/`."""
    ways = [source.lay(key, STUDENTS[key], file) for key, files in of.items() for file in files]
    return {way: way.encode() for way in ways} | dict(source.also)


def as_folder(folder: Path, files: Files) -> Path:
    for way, data in files.items():
        path = folder / "clase" / way
        (path if way.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
        if not way.endswith("/"):
            path.write_bytes(data)
    return folder / "clase"


def as_archive(folder: Path, files: Files) -> Path:
    path = folder / "clase.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for way, data in files.items():
            archive.writestr(way, data)
    return path


def as_archive_in_a_folder(folder: Path, files: Files) -> Path:
    """As a browser leaves it."""
    (folder / "descargas").mkdir()
    as_archive(folder, files).rename(folder / "descargas" / "clase.zip")
    return folder / "descargas"


def wrapped(files: Files) -> Files:
    """What unpacking or packing a folder puts around the files."""
    return {f"entregas del curso/{way}": data for way, data in files.items()}


def as_folder_in_a_folder(folder: Path, files: Files) -> Path:
    return as_folder(folder, wrapped(files))


def as_archive_of_a_folder(folder: Path, files: Files) -> Path:
    return as_archive(folder, wrapped(files))


KINDS = [as_folder, as_archive, as_archive_in_a_folder, as_folder_in_a_folder,
         as_archive_of_a_folder]  # fmt: skip


def taken(intake: Intake) -> dict[str, str]:
    """Student → the way of the notebook that was read."""
    return {one.student.id: one.read().decode() for one in intake.submissions}


def reasons(intake: Intake) -> dict[str, str]:
    return {one.shown: Translator("en")(one.reason) for one in intake.ignored}


def called(source: Source) -> str:
    return f"{source.name}-{source.lay('77', 'a', 'f')}"


Handed = Callable[[dict[str, tuple[str, ...]]], Intake]


@pytest.mark.parametrize("source", SOURCES, ids=called)
@pytest.mark.parametrize("kind", KINDS)
class TestEveryLayout:
    """What holds for all of them, as a folder, as an archive, and in a lone folder around it."""

    @pytest.fixture
    def handed(self, source: Source, kind: Callable[[Path, Files], Path], tmp_path: Path) -> Handed:
        return lambda of: submissions(kind(tmp_path, laid(source, of)), NOTEBOOK)

    def test_each_student_has_a_notebook(self, source: Source, handed: Handed) -> None:
        """The layout is known, ids are safe and the same however it came, the bytes are right."""
        intake = handed({"1234": (NOTEBOOK,), "77": ("otro.ipynb",)})

        assert source.name == intake.source
        assert {
            source.ids[0]: source.lay("1234", STUDENTS["1234"], NOTEBOOK),
            source.ids[1]: source.lay("77", STUDENTS["77"], "otro.ipynb"),
        } == taken(intake)
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", one) for one in taken(intake))
        assert () == intake.missing
        if source.ids in (NUMBERED, NAMED):
            assert set(STUDENTS.values()) == {one.student.name for one in intake.submissions}

    def test_of_several_notebooks_the_named_one_counts(
        self, source: Source, handed: Handed
    ) -> None:
        """The others are listed with the one that was taken."""
        intake = handed({"1234": ("a.ipynb", NOTEBOOK, "zeta.ipynb"), "77": (NOTEBOOK,)})

        wanted = source.lay("1234", STUDENTS["1234"], NOTEBOOK)
        assert wanted == taken(intake)[source.ids[0]]
        name = wanted.rpartition("/")[2]
        assert {"a.ipynb", "zeta.ipynb"} == {
            re.findall(r"[a-z]+\.ipynb$", way)[0]
            for way, reason in reasons(intake).items()
            if reason.startswith("not graded: of the 3 notebooks of ")
            and reason.endswith(f", {name} was taken")
        }

    def test_what_is_no_notebook_is_listed(self, source: Source, handed: Handed) -> None:
        """Nothing disappears without a word."""
        intake = handed({"1234": (NOTEBOOK, "informe.docx"), "77": (NOTEBOOK, "datos.csv")})

        found = reasons(intake)
        listed = {way: why for way, why in found.items() if way.endswith((".docx", ".csv"))}
        assert ["no notebook (.ipynb)"] * 2 == list(listed.values())
        assert len(source.also) == len(found) - len(listed)
        assert set(source.ids) == set(taken(intake))

    def test_a_student_with_other_files_only_is_missing(
        self, source: Source, handed: Handed
    ) -> None:
        """Whoever is known by a file, and has no notebook, is named."""
        intake = handed({"1234": (NOTEBOOK,), "77": ("foto.png",)})

        assert [source.ids[1]] == [one.id for one in intake.missing]
        assert {source.ids[0]} == set(taken(intake))

    def test_a_student_without_any_file_is_missing_where_a_folder_names_them(
        self, source: Source, handed: Handed
    ) -> None:
        """Flat names know nobody without a file; a roster does."""
        intake = handed({"1234": (NOTEBOOK,), "77": ("",) if source.folders else ()})

        assert [source.ids[1]] * source.folders == [one.id for one in intake.missing]
        assert {source.ids[0]} == set(taken(intake))


@pytest.mark.parametrize("source", [one for one in SOURCES if one.again], ids=called)
def test_what_is_handed_in_again_counts(source: Source, tmp_path: Path) -> None:
    """A later attempt is still the assignment's notebook, though its name says `-1`."""
    files = laid(source, {"1234": (source.again, "borrador.ipynb", NOTEBOOK), "77": (NOTEBOOK,)})

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert {
        source.ids[0]: source.lay("1234", STUDENTS["1234"], source.again),
        source.ids[1]: source.lay("77", STUDENTS["77"], NOTEBOOK),
    } == taken(intake)
    assert 2 == len(reasons(intake))


@pytest.mark.parametrize(
    ("notebook", "text", "ids"),
    [
        ("Ana_1_assignsubmission_file/t.ipynb", "Eva Gil_2_assignsubmission_onlinetext/o.html",
         ("ana-1", "eva-gil-2")),
        ("ana_1_901_t.ipynb", "gileva_2_text.html", ("ana-1", "gileva-2")),
        ("ana_1_901_t.ipynb", "gileva_LATE_2_link.html", ("ana-1", "gileva-2")),
        ("anon_aa1_901_t.ipynb", "LATE_anon_bb2_text.html", ("anon-aa1", "anon-bb2")),
    ],
)  # fmt: skip
def test_who_wrote_a_text_online_is_known(
    tmp_path: Path, notebook: str, text: str, ids: tuple[str, str]
) -> None:
    """It is no notebook, but somebody's: they are named as missing, and the text is listed."""
    intake = submissions(as_archive(tmp_path, {notebook: b"", text: b"<p>hola</p>"}), NOTEBOOK)

    assert ids == (*taken(intake), *(one.id for one in intake.missing))
    assert {text: "no notebook (.ipynb)"} == reasons(intake)


def test_a_zip_of_a_students_is_opened_once(tmp_path: Path) -> None:
    """Notebooks in a student's ZIP count; a ZIP in it stays closed and is named."""
    as_archive(tmp_path, {"trabajo/taller3.ipynb": b"dentro", "otra.zip": b"x", "n.txt": b""})
    inner = (tmp_path / "clase.zip").read_bytes()
    files = {
        "Ana_1_assignsubmission_file/t.zip": inner,
        "Eva_2_assignsubmission_file/x.ipynb": b"e",
    }

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert {"ana-1": "dentro", "eva-2": "e"} == taken(intake)
    found = reasons(intake)
    assert "an archive in an archive" in found["Ana_1_assignsubmission_file/t.zip/otra.zip"]
    assert "no notebook" in found["Ana_1_assignsubmission_file/t.zip/n.txt"]


def test_moodle_keeps_the_folder_that_feedback_goes_back_in(tmp_path: Path) -> None:
    """importziplib.php knows a student by the exact name of the downloaded folder."""
    files = {
        "Ana Pérez_12_assignsubmission_file_/t.ipynb": b"",
        "Equipo 3_40_assignsubmission_file/a/t.ipynb": b"",
        "Eva Gil_13_assignsubmission_onlinetext/onlinetext.html": b"",
    }

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert [
        {
            "moodle_folder": "Ana Pérez_12_assignsubmission_file_",
            "moodle_id": "12",
            "moodle_name": "Ana Pérez",
        },
        {
            "moodle_folder": "Equipo 3_40_assignsubmission_file",
            "moodle_id": "40",
            "moodle_name": "Equipo 3",
        },
    ] == [dict(one.handles) for one in intake.submissions]
    assert ["eva-gil-13"] == [one.id for one in intake.missing]


def test_canvas_says_who_is_late(tmp_path: Path) -> None:
    """`_LATE_` is lateness without an amount; without it the platform says: in time."""
    files = {
        "perezana_LATE_101_9001_taller3.ipynb": b"a",
        "lopez_maria_102_9002_mi_taller 3.ipynb": b"b",
        "LATE_anon_aZ3_9003_taller3.ipynb": b"c",
    }

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert {"perezana-101": True, "lopez-maria-102": False, "anon-az3": True} == {
        one.student.id: one.late.late for one in intake.submissions
    }
    assert all(one.late.by_s is None for one in intake.submissions)
    assert "lopez_maria_102_9002_mi_taller 3.ipynb" == intake.submissions[1].handles["canvas_file"]


def test_canvas_keeps_the_last_attempt(tmp_path: Path) -> None:
    """A resubmitted file has `-2` before its extension; it is still the assignment's notebook."""
    files = {
        "perezana_101_9001_taller3.ipynb": b"1",
        "perezana_101_10004_taller3-2.ipynb": b"3",
        "perezana_101_10003_taller3-1.ipynb": b"2",
        "perezana_101_9002_borrador.ipynb": b"0",
    }

    assert {"perezana-101": "3"} == taken(submissions(as_archive(tmp_path, files), NOTEBOOK))


def test_canvas_texts_have_no_number(tmp_path: Path) -> None:
    """Two of them have none, which is no number that stands twice."""
    files = {"ana_1_901_t.ipynb": b"", "eva_2_text.html": b"", "leo_3_text.html": b""}

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert ("canvas", ["eva-2", "leo-3"]) == (intake.source, [one.id for one in intake.missing])


def test_gradescope_without_metadata_knows_folders_only(tmp_path: Path) -> None:
    """A submission is then called by its number; a planted file below it says nothing."""
    files = {
        "submission_9/taller3.ipynb": b"x",
        "submission_9/submission_metadata.yml": METADATA.replace("1234", "9").encode(),
        "submission_10/taller3.ipynb": b"y",
    }

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert ("gradescope", {"submission-9": "x", "submission-10": "y"}) == (
        intake.source, taken(intake),
    )  # fmt: skip


def test_nbgrader_takes_the_assignment_of_that_name(tmp_path: Path) -> None:
    """Of several assignments of a student only this one's notebooks count."""
    files = {
        f"submitted/ana/{which}/{file}": which.encode()
        for which in ("taller2", "taller3", "taller4")
        for file in (f"{which}.ipynb", "timestamp.txt")
    }
    files["submitted/ana/borradores/taller3.ipynb"] = b"no timestamp"

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert ("nbgrader", {"ana": "taller3"}) == (intake.source, taken(intake))
    assert "of another assignment" == reasons(intake)["ana/taller2/taller2.ipynb"]
    assert "nobody's" in reasons(intake)["ana/borradores/taller3.ipynb"]
    del files["submitted/ana/taller3/taller3.ipynb"]
    files["submitted/eva/taller3/timestamp.txt"] = files["submitted/eva/taller3/x.ipynb"] = b"eva"
    assert {"eva": "eva"} == taken(submissions(as_archive(tmp_path, files), NOTEBOOK))


def test_names_with_numbers_are_no_canvas(tmp_path: Path) -> None:
    """Files called by a workshop's number and a year are one student's each."""
    for names in (
        ["Taller_3_2025_Ana.ipynb", "Taller_3_2025_Luis.ipynb", "Taller_3_2025_Eva.ipynb"],
        ["2025_05_02_Ana.ipynb", "2025_05_02_Luis.ipynb"],
    ):
        intake = submissions(as_archive(tmp_path, dict.fromkeys(names, b"")), NOTEBOOK)

        assert ("folder", len(names)) == (intake.source, len(intake.submissions))


def test_one_student_does_not_choose_the_layout(tmp_path: Path) -> None:
    """A planted timestamp and many files make no nbgrader of a class of folders."""
    files = {f"{name}/taller3.ipynb": b"" for name in ("ana", "luis", "eva")}
    files |= {f"mal/x/{number}.ipynb": b"" for number in range(9)} | {"mal/x/timestamp.txt": b""}

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert ("folder", ["ana", "eva", "luis", "mal"]) == (intake.source, list(taken(intake)))


def test_another_students_number_replaces_nobody(tmp_path: Path) -> None:
    """Who sets another's student number in Gradescope is still a submission of their own."""
    text = METADATA.replace("1002", "1001")
    files = {
        "submission_1234/taller3.ipynb": b"ana",
        "submission_77/taller3.ipynb": b"luis",
        "submission_metadata.yml": text.encode(),
    }

    intake = submissions(as_archive(tmp_path, files), NOTEBOOK)

    assert dict(zip(NUMBERED, ("ana", "luis"), strict=True)) == taken(intake)


def test_lateness_is_unknown_where_nobody_says_it(tmp_path: Path) -> None:
    """A file's date is not asked."""
    intake = submissions(as_folder(tmp_path, {"ana/taller3.ipynb": b""}), NOTEBOOK)

    assert Late() == intake.submissions[0].late
