"""TensorFlow and Keras's own dataset loader work behind the walls."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from grader.sandbox import Mount

pytestmark = [pytest.mark.sandbox, pytest.mark.tf, pytest.mark.timeout(120)]

CODE = """
import json, sys
import keras, tensorflow as tf
import matplotlib.pyplot as plt
(x, y), (xt, yt) = keras.datasets.fashion_mnist.load_data()
model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy")
history = model.fit(x[:64] / 255, y[:64], verbose=0)
plt.figure().savefig("/job/figure.png")
print(json.dumps([
    tf.__version__.split(".")[0], x.shape, yt.shape, len(history.history["loss"]),
    len(tf.config.list_physical_devices("GPU")),
]))
"""
IMAGES_HEADER, LABELS_HEADER = 16, 8


def test_a_model_trains_on_the_bound_dataset(run, job_folder: Path, tmp_path: Path) -> None:
    """load_data finds the bound folder without a network, a model trains, a figure is saved."""
    folder = tmp_path / "dataset"
    folder.mkdir()
    for split, rows in (("train", 60_000), ("t10k", 10_000)):
        with gzip.open(folder / f"{split}-images-idx3-ubyte.gz", "wb", 1) as file:
            file.write(bytes(IMAGES_HEADER + rows * 784))
        with gzip.open(folder / f"{split}-labels-idx1-ubyte.gz", "wb", 1) as file:
            file.write(bytes(LABELS_HEADER + rows))
    folder.chmod(0o755)
    target = "/home/student/.keras/datasets/fashion-mnist"

    outcome = run(CODE, mounts=(Mount(folder, target),), wall_s=90)

    said = outcome.printed or json.dumps(str(outcome.ended))
    assert ["2", [60_000, 28, 28], [10_000], 1, 0] == json.loads(said)
    assert "Fontconfig" not in outcome.ended.stderr_tail
    assert (job_folder / "figure.png").stat().st_size > 0
