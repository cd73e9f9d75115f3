"""assignment.toml and rubric.toml: the shipped ones, and every mistake an instructor can make."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.assignment import Assignment
from grader.loading import default_folder, load_assignment
from grader.specfile import SpecError
from scripts import schemas
from tests.factories import ROOT

POINTS = {
    "data": [2, 2, 4, 2],
    "baseline": [6, 2, 2, 4, 2],
    "evaluation": [3],
    "predictions": [3, 2, 2, 2, 2],
    "wide": [3, 1, 1, 3, 2],
    "longer": [2, 1, 3, 2, 2],
    "deep": [3, 1, 1, 3, 2],
}
Edit = Callable[[str, str], str]


@pytest.fixture(scope="module")
def shipped() -> Assignment:
    return load_assignment(ROOT / "assignment")


@pytest.fixture
def broken(tmp_path: Path) -> Callable[..., str]:
    """Replace a text of the shipped files and return what loading says."""

    def load(old: str, new: str, name: str = "assignment.toml") -> str:
        folder = tmp_path / "assignment"
        folder.mkdir()
        for file in ("assignment.toml", "rubric.toml"):
            shutil.copy(ROOT / "assignment" / file, folder)
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(SpecError) as caught:
            load_assignment(folder)
        message = str(caught.value)
        assert message.startswith(str(folder / name))
        return message.removeprefix(str(folder / name))

    return load


def test_the_points_are_those_of_the_workshop(shipped: Assignment) -> None:
    """Seventy automatic points, twenty of them observed, thirty for the answers."""
    points: dict[str, list[float]] = {}
    for check in shipped.spec.checks:
        points.setdefault(check.name.split(".")[0], []).append(check.points)
    observed = sum(check.points for check in shipped.spec.checks if check.basis == "observed")

    assert POINTS == points
    assert (7_000, 10_000, 20) == (shipped.automatic, shipped.total, observed)


def test_the_contract_with_the_design_holds(shipped: Assignment) -> None:
    """Names and limits that other programs rely on."""
    spec = shipped.spec
    deep = sum(shipped.check(f"deep.{aspect}").points for aspect in ("accuracy", "gap"))

    assert ("taller3", "es", 1_234_567) == (spec.id, spec.language, spec.seed)
    assert ["baseline", "wide", "longer", "deep"] == [one.id for one in spec.experiments]
    assert "2025-05-02T23:59:00-05:00" == spec.due.isoformat()
    assert deep <= 8
    assert {"train": "train", "test": "test"} == {
        "train": spec.dataset.train,
        "test": spec.dataset.test,
    }


def test_titles_and_hints_are_as_they_are_read(shipped: Assignment) -> None:
    """Hints are sentences; titles stand in quotation marks, too, and end without a full stop."""
    titles = [check.title for check in shipped.spec.checks]
    hints = [check.hint for check in shipped.spec.checks]

    assert [] == [one.es for one in titles if one.es.endswith(".") or not one.es[0].isupper()]
    assert [] == [one.es for one in hints if not one.es.endswith(".") or not one.es[0].isupper()]
    assert [] == [one.en for one in [*titles, *hints] if one.es == one.en]


def test_the_dataset_is_described_for_the_dataset_package(shipped: Assignment) -> None:
    """The plain description has the four files in order and the ten class names."""
    spec = shipped.spec.dataset.spec

    assert ["train", "test"] == list(spec.splits)
    assert "t10k-images-idx3-ubyte" == spec.splits["test"].images.name
    assert 10 == len(spec.classes)


def test_the_checkout_is_the_default() -> None:
    """Without a folder the checkout's assignment is taken."""
    assert (ROOT / "assignment").resolve() == default_folder().resolve()


def test_an_unknown_check_names_the_nearest(shipped: Assignment) -> None:
    """A mistyped name is answered with the right one."""
    with pytest.raises(SpecError, match=r"did you mean 'baseline\.accuracy'"):
        shipped.check("baseline.acuracy")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("seed = 1234567", "sed = 1234567", ": sed is no key of this file; did you mean 'seed'?"),
        ("seed = 1234567", "", ": seed is missing"),
        ("seed = 1234567", 'seed = "one"', ": seed = 'one': input should be a valid integer"),
        ("seed = 1234567", "seed = -1", ": seed = -1: input should be greater than or equal to 0"),
        ('id = "taller3"', 'id = "Taller 3"', ": id = 'Taller 3': string should match pattern"),
        ('id = "taller3"', "id = taller3", ": cannot be read: Invalid value"),
        ("decimals = 1", "decimals = 3", ": scale.decimals = 3: input should be 0, 1 or 2"),
        ("-05:00", "", ": due: needs an offset, such as 2025-05-02T23:59:00-05:00"),
        (
            "automatic_points = 70",
            "automatic_points = 71",
            ": automatic_points is 71.0, but the checks add up to 70.0",
        ),
        (
            "observed_at_most = 20",
            "observed_at_most = 19",
            ": checks: observed points are 20.0; at most 19.0 are allowed",
        ),
        (
            "points = 2\n",
            "points = 2.1\n",
            ": checks[0].points = 2.1: input should be a multiple of 0.25",
        ),
        (
            'kind = "loaded"',
            'kind = "loadet"',
            ": checks[0].kind = 'loadet' (data.loaded) is no kind of check; did you mean 'loaded'?",
        ),
        (
            'kind = "loaded"',
            'kind = "gap"',
            (
                ": checks[0].kind = 'gap' (data.loaded): a check of this kind is named "
                "<experiment>.gap; "
                "experiments: baseline, wide, longer, deep"
            ),
        ),
        (
            'kind = "compile"',
            'kind = "loaded"',
            (
                ": checks[5].kind = 'loaded' (baseline.compile): a check of an experiment is "
                "of one of "
                "the kinds architecture, compile, epochs, accuracy, gap"
            ),
        ),
        (
            "{ image = 100 }",
            "{ imagen = 100 }",
            ": checks[1].settings.imagen is no setting of kind 'explored'; did you mean 'image'?",
        ),
        (
            'kind = "loaded"',
            'kind = "loaded"\nsettings = { image = 1 }',
            (
                ": checks[0].settings.image is no setting of kind 'loaded'; this kind takes no "
                "settings"
            ),
        ),
        (", count = 25", "", ": checks[3].settings.count is missing; kind 'image_grid' needs it"),
        ("count = 25", "count = 0", ": checks[3].settings.count = 0: input should be greater than"),
        (
            'split = "train"',
            'split = "trian"',
            (
                ": checks[3].settings.split = 'trian' is no split of the dataset; did you mean "
                "'train'?"
            ),
        ),
        (
            'name = "data.loaded"',
            'name = "data.scaled"',
            ": checks: 'data.scaled' stands twice; each name once",
        ),
        (
            'needs = ["baseline.architecture"]',
            'needs = ["baseline.arquitecture"]',
            (
                ": checks: baseline.accuracy needs 'baseline.arquitecture', which is no "
                "check; did you "
                "mean 'baseline.architecture'?"
            ),
        ),
        (
            'needs = ["baseline.architecture"]',
            'needs = ["deep.gap"]',
            ": checks[7].needs (baseline.accuracy): 'deep.gap' must stand before it",
        ),
        (
            'name = "baseline.gap"',
            'name = "baseline.gab"',
            "has no check 'baseline.gap'; add it under [[checks]]",
        ),
        (
            "attempt_epochs = 11",
            "attempt_epochs = 21",
            ": experiments[2].attempt_epochs = 21 (longer) must be at most epochs = 20",
        ),
        ('id = "wide"', 'id = "baseline"', "'baseline' stands twice; each name once"),
        (
            '"Dense(128, relu)"',
            '"Dens(128, relu)"',
            (
                ": experiments[0].architectures.baseline: 'Dens(128, relu)' is no layer that "
                "can be "
                "trained; did you mean 'Dense'?"
            ),
        ),
        (
            '"Dense(128, relu)"',
            '"Dense(128, rellu)"',
            "has the unknown activation 'rellu'; did you mean 'relu'?",
        ),
        ('"Dense(128, relu)"', '"Dense"', "'Dense' does not say how many units it has"),
        ('"Dense(128, relu)"', '"dense(128, relu)"', "string should match pattern"),
        ("at_most = 1.5", "at_most = 0.4", "at_most is 0.4, but flat is 0.0 and per_day 0.5"),
        (
            'variants_on = ["baseline", "deep"]',
            'variants_on = ["baselin"]',
            ": calibration.variants_on: 'baselin' is no architecture; did you mean 'baseline'?",
        ),
        ('{ es = "Bolso", en = "Bag" }', '{ es = "Bolso" }', ": dataset.classes[8].en is missing"),
        ("c59f468a", "C59F468A", ": dataset.splits.train.images.sha256 = "),
        (
            'title.es = "Taller 3 ·',
            'title.fr = "Taller 3 ·',
            ": title.fr is no key of this file; allowed: en, es",
        ),
    ],
)
def test_mistakes_are_named(broken: Callable[..., str], old: str, new: str, message: str) -> None:
    """Each message has the file, the key, its value and what is allowed."""
    assert message in broken(old, new)


def test_criteria_must_add_up(broken: Callable[..., str]) -> None:
    """A question's points are those of its criteria's best levels."""
    message = broken("points = 6.0", "points = 7.0", "rubric.toml")

    assert "questions.q1" in message
    assert "points is 7.0, but the criteria's best levels add up to 6.0" in message


def test_a_question_names_real_experiments(broken: Callable[..., str]) -> None:
    """An experiment that a question shows must exist."""
    message = broken('experiments = ["baseline"]', 'experiments = ["basline"]', "rubric.toml")

    assert (
        ": questions.q1.experiments: 'basline' is no experiment; did you mean 'baseline'?"
        == message
    )


def test_every_mistake_has_its_line(broken: Callable[..., str]) -> None:
    """Several mistakes are told together, a line each."""
    message = broken("seed = 1234567", "seed = -1\nunknown = 1")

    assert 2 == len(message.splitlines())


@pytest.mark.parametrize("name", ["assignment.toml", "rubric.toml"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    """The message says which file an assignment's folder needs."""
    for file in {"assignment.toml", "rubric.toml"} - {name}:
        shutil.copy(ROOT / "assignment" / file, tmp_path)

    with pytest.raises(SpecError, match=f"{name}: there is no such file"):
        load_assignment(tmp_path)


def test_bad_calibration_is_named(tmp_path: Path) -> None:
    """A calibration that is not JSON is a mistake, a missing one is none."""
    for file in ("assignment.toml", "rubric.toml"):
        shutil.copy(ROOT / "assignment" / file, tmp_path)
    assert load_assignment(tmp_path).calibration is None
    (tmp_path / "calibration.json").write_text("{", encoding="utf-8")

    with pytest.raises(SpecError, match=r"calibration\.json: cannot be read"):
        load_assignment(tmp_path)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    """A file in another encoding is a mistake, not a crash."""
    (tmp_path / "assignment.toml").write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SpecError, match="cannot be read"):
        load_assignment(tmp_path)


@pytest.mark.parametrize("name", ["assignment.json", "rubric.json"])
def test_the_published_schemas_are_fresh(name: str) -> None:
    """docs/schema is what the code says; `python -m scripts.schemas` writes it."""
    assert schemas.texts()[name] == (schemas.FOLDER / name).read_text(encoding="utf-8")


def test_the_published_schema_allows_the_shipped_file() -> None:
    """An editor that uses the schema finds no fault with the shipped keys."""
    document = tomllib.loads((ROOT / "assignment" / "assignment.toml").read_text(encoding="utf-8"))
    allowed = schemas.schemas()["assignment"]["properties"]

    assert set() == set(document) - set(allowed)
