"""A student's morning: JupyterLab in Chromium, the workshop's notebook, `%check`."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.dataset.store import cache_home
from grader.loading import default_folder
from tests.factories import ROOT

pytestmark = [
    pytest.mark.tf, pytest.mark.browser, pytest.mark.long, pytest.mark.timeout(900),
]  # fmt: skip
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
TOKEN = "solo-para-esta-prueba"
FILLED = {
    "t3-load": "(train_images, train_labels), (test_images, test_labels) = "
    "keras.datasets.fashion_mnist.load_data()",
    "t3-shapes": "print(train_images.shape, train_labels.shape, test_images.shape)",
    "t3-scale": "train_images, test_images = train_images / 255.0, test_images / 255.0",
    "t3-baseline": "model = keras.Sequential([keras.layers.Input((28, 28)), "
    "keras.layers.Flatten(), keras.layers.Dense(128, activation='relu'), "
    "keras.layers.Dense(10, activation='softmax')])\n"
    "model.compile(optimizer='adam', loss='sparse_categorical_crossentropy', "
    "metrics=['accuracy'])\n"
    "model.fit(train_images[:6400], train_labels[:6400], epochs=3)",
    "t3-evaluate": "model.evaluate(test_images, test_labels)\n",
    "t3-results": "%check",
}


def notebook(folder: Path) -> Path:
    """The workshop's notebook with the first tasks done, and `%check` at its end."""
    document = json.loads((default_folder() / "taller3.ipynb").read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if cell["id"] in FILLED:
            cell["source"] = FILLED[cell["id"]]
    path = folder / "taller3.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, keras_home: Path) -> Iterator[tuple[str, Path]]:
    """A JupyterLab server of the newest version, beside this environment's TensorFlow."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings one")
    packages = tmp_path_factory.mktemp("lab")
    folder = tmp_path_factory.mktemp("taller")
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--target", packages, "jupyterlab"], check=True
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    share = packages / "share" / "jupyter"
    search = os.pathsep.join([str(ROOT), str(packages)])
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         f"--IdentityProvider.token={TOKEN}", f"--ServerApp.root_dir={folder}",
         f"--app-dir={share / 'lab'}"],
        cwd=folder, env={**os.environ, "PYTHONPATH": search, "HOME": str(folder / ".home"),
             "KERAS_HOME": str(keras_home), "XDG_CACHE_HOME": str(cache_home().parent),
             "JUPYTER_PATH": str(share)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(f"{address}/api?token={TOKEN}")
        yield address, folder
    finally:
        server.terminate()
        server.wait(30)


def _wait(address: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail("JupyterLab did not start")


def test_check_shows_its_table_in_jupyterlab(lab: tuple[str, Path], tmp_path: Path) -> None:
    """All cells are run, and under the last one stands what the checks say."""
    address, folder = lab
    name = notebook(folder).name
    sync_api: Any = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.goto(f"{address}/lab/tree/{name}?token={TOKEN}")
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=120_000)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=120_000)
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        page.wait_for_selector(".grader-check", timeout=300_000, state="attached")
        table = page.locator(".grader-check")
        table.scroll_into_view_if_needed()
        said = " ".join(table.inner_text().split())
        picture = os.environ.get("GRADER_PICTURES")
        if picture:
            page.screenshot(path=Path(picture) / "check.png")
        browser.close()

    assert "Construir la línea base" in said and "(provisional)" in said
    assert "Entrenar con imágenes escaladas" in said
    assert "Veo 0 de 5 respuestas escritas" in said
