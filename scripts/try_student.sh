#!/usr/bin/env bash
# What a new student does, as a plain user in an environment of its own: install the student package,
# check a notebook, %check in a kernel. docs/explanation/tried.md says what came of it.
#   scripts/try_student.sh [TensorFlow version] [Keras version]
set -euo pipefail
cd "$(dirname "$0")/.."
tensorflow=${1:-}
keras=${2:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make --quiet setup
.venv/bin/grader assignment release assignment --out "$work/dist" > /dev/null
cp assignment/samples/gina-onehot.ipynb "$work/taller3.ipynb"
cat > "$work/live.py" <<'PY'
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
shell = InteractiveShell.instance()
cells = ["%load_ext grader", """from tensorflow import keras
(x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
x, x_test = x / 255.0, x_test / 255.0
model = keras.Sequential([keras.layers.Input((28, 28)), keras.layers.Flatten(),
                          keras.layers.Dense(128, "relu"), keras.layers.Dense(10, "softmax")])
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x[:3200], y[:3200], epochs=10, verbose=0)""", "%check"]
for cell in cells:
    with capture_output() as caught:
        shell.run_cell(cell, store_history=True).raise_error()
print(caught.outputs[0].data["text/plain"])
PY
cat > "$work/run.sh" <<SH
set -euo pipefail
cd "$work"
export HOME="$work/home" XDG_CACHE_HOME="$work/home/.cache" PATH=/usr/local/bin:/usr/bin:/bin
mkdir -p "\$HOME"
python3 -m venv taller
taller/bin/pip install --quiet dist/*.whl ${tensorflow:+"tensorflow==$tensorflow"} ${keras:+"keras==$keras"}
taller/bin/python - <<'PY'
import getpass, importlib.metadata as m, os
print("user", os.getuid(), "· TensorFlow", m.version("tensorflow"), "· Keras", m.version("keras"))
PY
taller/bin/grader data
mkdir -p "\$HOME/.keras/datasets"
ln -s "\$XDG_CACHE_HOME"/grader/datasets/*/keras "\$HOME/.keras/datasets/fashion-mnist"
time taller/bin/grader check taller3.ipynb || [ \$? -eq 1 ]
time taller/bin/grader check taller3.ipynb > second.txt || [ \$? -eq 1 ]
taller/bin/python live.py
SH
if [ "$(id -u)" -eq 0 ]; then
  id grader-student > /dev/null 2>&1 || useradd --system --shell /bin/bash grader-student
  chown -R grader-student "$work"
  chmod 755 "$work"
  runuser -u grader-student -- bash "$work/run.sh"
else
  bash "$work/run.sh"
fi
