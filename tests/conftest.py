"""What every test may use: the real dataset, verified, and a cache of its own where it writes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.dataset import DatasetSpec, FileSpec, SplitSpec
from grader.dataset.identity import Pristine
from grader.dataset.store import Dataset, DatasetError, open_dataset
from grader.delegation import Memory, Service
from grader.grading import open_service
from grader.loading import default_folder, load_assignment
from grader.sandbox import Level

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FASHION = DatasetSpec(
    name="fashion-mnist",
    loader="keras.datasets.fashion_mnist",
    keras_folder="fashion-mnist",
    shape=(28, 28),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    splits={
        "train": SplitSpec(
            images=FileSpec(
                "train-images-idx3-ubyte",
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            ),
            labels=FileSpec(
                "train-labels-idx1-ubyte",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            ),
        ),
        "test": SplitSpec(
            images=FileSpec(
                "t10k-images-idx3-ubyte",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            ),
            labels=FileSpec(
                "t10k-labels-idx1-ubyte",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
    },
    debian_package="dataset-fashion-mnist",
    debian_folder="usr/share/datasets/fashion-mnist",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that no worker is alone with it at the end.

    That is what starts TensorFlow, and of it what asks for more time than others do.
    """
    longest: dict[str, float] = {}
    for item in items:
        asked = item.get_closest_marker("timeout")
        module = item.nodeid.partition("::")[0]
        longest[module] = max(longest.get(module, 0), asked.args[0] if asked else 0)

    def order(item: pytest.Item) -> tuple[bool, float]:
        return item.get_closest_marker("tf") is None, -longest[item.nodeid.partition("::")[0]]

    items.sort(key=order)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (pytest's `record_property`), so that a kept output says it."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[-1]}: {value} {name}")


@pytest.fixture(scope="session", autouse=True)
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A memory of trainings of this test run's own, and no signing key of this machine's user."""
    folder = tmp_path_factory.mktemp("memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADER_MEMORY", str(folder))
        patch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
        patch.delenv("GRADER_KEY", raising=False)
        yield folder


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """The real dataset, from the user's own cache (`make setup` puts it there)."""
    try:
        return open_dataset(FASHION)
    except DatasetError as error:
        pytest.fail(f"the tests need the dataset: {error}")


@pytest.fixture(scope="session")
def pristine(dataset: Dataset) -> Pristine:
    return Pristine.open(dataset.rows)


@pytest.fixture(scope="session")
def service(memory: Path, dataset: Dataset) -> Iterator[Service]:
    """One trainer for all tests of a process; nobody starts it before it is asked."""
    assignment = load_assignment(default_folder())
    with open_service(assignment, dataset, Level.STANDARD, memory=Memory(memory)) as opened:
        yield opened


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty Keras folder, so that nothing of this machine is found."""
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras-home"))
    monkeypatch.delenv("GRADER_DATA", raising=False)
    return cache


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings one")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()
