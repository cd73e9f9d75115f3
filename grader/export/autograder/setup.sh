#!/usr/bin/env bash
# Gradescope runs this once, as root and with a network, when it builds the image.
# Whatever fails here ends it, so that a half-made image grades nobody.
set -euo pipefail
root=${AUTOGRADER_ROOT:-/autograder}
export DEBIAN_FRONTEND=noninteractive XDG_CACHE_HOME=$root/cache
cd "$root/source"

say() { printf 'setup: %s\n' "$*"; }

apt-get update -q > /dev/null
apt-get install -qy --no-install-recommends ca-certificates util-linux > /dev/null
for python in python3.12 python3.11 python3.13 ''; do
  [ -n "$python" ] || { say "no Python 3.11, 3.12 or 3.13 here; choose Ubuntu 22.04 or 24.04"; exit 1; }
  apt-get install -qy --no-install-recommends "$python" "$python-venv" > /dev/null 2>&1 && break
done

say "installing what requirements.lock pins, with $("$python" --version)"
"$python" -m venv "$root/venv"
python=$root/venv/bin/python
"$python" -m pip install -q --disable-pip-version-check --no-cache-dir --require-hashes --no-deps \
  -r requirements.lock
"$python" -m compileall -q grader

say "fetching and verifying the dataset"
"$python" -m grader data --assignment assignment
"$python" -m grader doctor || say "the container that builds the image offers less than a class needs"
