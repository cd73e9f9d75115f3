"""Signed reports: every change is found, and a self-check says that it is no grade."""

from __future__ import annotations

import base64
import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from grader.batch.desk import Desk
from grader.cli import main
from grader.dataset.store import Dataset
from grader.gradebook import Gradebook
from grader.grading import Override
from grader.keyfile import own_key
from grader.report.html import render_report
from grader.result import SELF_CHECK, Mark, Student, result_json
from grader.rubric.marks import key_of
from grader.signing import (
    META,
    UNSIGNED,
    Key,
    SignatureError,
    make_key,
    read_key,
    signed,
    statement,
    verified,
)
from tests.report.graded_factory import sample
from tests.review.a_class import ASSIGNMENT, hand_in

RESULT = result_json(sample(), "es")
PAGE = render_report(sample(), "es", None)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_key(tmp_path_factory.mktemp("keys") / "signing-key.pem")


@pytest.fixture(scope="module")
def report(key: Key) -> str:
    return signed(PAGE, RESULT, key)


def parts(report: str) -> dict[str, Any]:
    """What a signed report carries."""
    text = report.partition(META.partition("{}")[0])[2].partition('"')[0]
    return dict(json.loads(base64.urlsafe_b64decode(text)))


def with_parts(report: str, whole: dict[str, Any]) -> str:
    """The same page with other things in the signature's place."""
    before, _, rest = report.partition(META.partition("{}")[0])
    text = base64.urlsafe_b64encode(json.dumps(whole).encode()).decode()
    return before + META.format(text) + rest.partition('">')[2]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in plain values where one that is no container stands."""
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, one in items:
            yield from places(one, (*path, name))
    else:
        yield path


def changed(value: Any, path: tuple[Any, ...]) -> Any:
    """The same values with another one at a place."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    before = inner[path[-1]]
    is_number = isinstance(before, int | float) and not isinstance(before, bool)
    inner[path[-1]] = before + 1 if is_number else f"{before}x"
    return copy


def test_a_signed_report_is_the_page_and_its_signature(report: str, key: Key) -> None:
    """Nothing but the place of the signature differs, and it says what the result says."""
    said = verified(report, key.public)

    assert PAGE == with_parts(report, {}).replace(META.format("e30="), UNSIGNED)
    assert statement(RESULT, PAGE, said["at"]) == said
    assert RESULT["points"] == said["points"] and RESULT["grade"] == said["grade"]
    assert {one["check"] for one in RESULT["findings"]} == set(said["findings"])


def test_every_changed_field_of_the_statement_is_found(report: str, key: Key) -> None:
    """Each value of it, one after the other, with the rest as it was signed."""
    whole = parts(report)
    paths = list(places(whole["statement"]))
    assert len(paths) > 100
    for path in paths:
        forged = {**whole, "statement": changed(whole["statement"], path)}
        with pytest.raises(SignatureError, match="says something else"):
            verified(with_parts(report, forged), key.public)


def test_every_changed_part_of_the_page_is_found(report: str, key: Key) -> None:
    """A digit, a word, a space, a line, wherever on the page it is."""
    step = len(report) // 300
    for place in range(0, len(report), step):
        other = "x" if report[place] != "x" else "y"
        with pytest.raises(SignatureError):
            verified(report[:place] + other + report[place + 1 :], key.public)
    for forged in (report + "\n", report.replace("</p>", "</p> ", 1), report[: len(report) // 2]):
        with pytest.raises(SignatureError):
            verified(forged, key.public)


def test_another_hand_is_found(report: str, key: Key, tmp_path: Path) -> None:
    """Another key's signature, also with this key's name on it; none; two; what is no base64."""
    other = make_key(tmp_path / "other.pem")
    theirs = signed(PAGE.replace("Ana", "Eva"), RESULT, other)
    for said, forged in (
        ("another key", theirs),
        ("something else", with_parts(theirs, {**parts(theirs), "key": key.public})),
        ("is not signed", PAGE),
        ("more than one", report.replace("</head>", f"{META.format('e30=')}</head>")),
        ("cannot be read", with_parts(report, {"statement": {}})),
    ):
        with pytest.raises(SignatureError, match=said):
            verified(forged, key.public)


def test_a_students_text_cannot_hold_a_signature(report: str, key: Key) -> None:
    """What looks like one in an answer is text, so there is still one signature only."""
    answers = tuple(sample().answers)
    first = answers[0].__class__("q1", "found", "marker", report[:3000] + META.format("e30="))
    graded = sample(answers=(first, *answers[1:]))
    page = render_report(graded, "es", None)

    assert verified(signed(page, result_json(graded, "es"), key), key.public)


def test_only_the_owner_reads_the_key(tmp_path: Path) -> None:
    """0600 from the first byte on, and what is no key is said in one line."""
    path = tmp_path / "deep" / "key.pem"
    made = make_key(path)

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert made.public == read_key(path).public
    path.chmod(0o640)
    with pytest.raises(SignatureError, match="others can use it, too: chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(SignatureError, match="is no key"):
        read_key(path)


def test_a_key_that_was_named_must_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that was to be signed is not written unsigned; without a name there is just none."""
    monkeypatch.setenv("GRADER_KEY", str(tmp_path / "nowhere.pem"))
    with pytest.raises(SignatureError, match=r"nowhere\.pem: is not there"):
        own_key()
    monkeypatch.delenv("GRADER_KEY")

    assert own_key() is None


def test_a_class_is_signed_and_verified(
    tmp_path: Path, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`grader keys`, a desk's report, `grader verify`; then the gradebook says something else."""
    monkeypatch.setenv("GRADER_KEY", str(tmp_path / "key.pem"))
    made = CliRunner().invoke(main, ["keys"])
    assert 0 == made.exit_code and "made" in made.output
    assert made.output.splitlines()[1:] == CliRunner().invoke(main, ["keys"]).output.splitlines()
    public = made.output.splitlines()[-1].split()[-1]
    folder, ana, text = tmp_path / "class", Student("ana", "Ana"), "La red memoriza."
    folder.mkdir()
    with Gradebook(folder, ASSIGNMENT, "es") as book:
        first = ASSIGNMENT.rubric.questions["q1"].criteria[0]
        mark = Mark("q1", first.id, 0, answer=key_of(text))
        book.marks.add("Eva", [("ana", mark)], {}, {key_of(text): text})
        hand_in(book, ana, {"q1": text})
        desk = Desk(ASSIGNMENT, dataset, book, folder, "es")
        before = desk.scored_by(ana)
        result, _ = desk.write(ana, book.entry("ana").gathered, ran=False)
        book.rescore(ana, json.dumps(result), before)
    report = folder / "students" / "ana" / "report.html"
    words = ["verify", str(report), "--class", str(folder)]

    good = CliRunner().invoke(main, words)
    assert (0, True) == (good.exit_code, "unchanged since" in good.output), good.output
    assert "ana  Ana" in good.output
    monkeypatch.delenv("GRADER_KEY")
    assert 0 == CliRunner().invoke(main, [*words, "--key", public]).exit_code
    assert 2 == CliRunner().invoke(main, words).exit_code
    words += ["--key", public]
    notebook = tmp_path / "otro.ipynb"
    assert 2 == CliRunner().invoke(main, [*words, "--notebook", str(notebook)]).exit_code
    notebook.write_text("{}")
    other = CliRunner().invoke(main, [*words, "--notebook", str(notebook)])
    assert (1, True) == (other.exit_code, "is another notebook" in other.output)
    with Gradebook(folder) as book:
        book.override("ana", Override("data.grid", 0, "no"))
        later = {**result, "points": {**result["points"], "earned": 0.0}}
        book.rescore(ana, json.dumps(later), "")
    stale = CliRunner().invoke(main, words)
    assert (1, True) == (stale.exit_code, "the gradebook now has points" in stale.output)
    report.write_text(report.read_text(encoding="utf-8").replace("puntos", "Puntos", 1))
    forged = CliRunner().invoke(main, words)
    assert (1, True) == (forged.exit_code, "was changed" in forged.output)
    with Gradebook(folder) as book:
        assert before != Desk(ASSIGNMENT, dataset, book, folder, "es").scored_by(ana)


def test_a_self_check_says_that_it_is_no_grade() -> None:
    """Behind walls too; and it has no signature."""
    graded = sample(student=SELF_CHECK)
    page = render_report(graded, "es", None)

    assert 2 == page.count("autocomprobación") and "sin aislamiento" not in page
    assert UNSIGNED in page
    assert "autocomprobación" not in render_report(sample(), "es", None)
