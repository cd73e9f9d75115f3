#!/usr/bin/env bash
# Makes everything ready on a machine with nothing but Python 3.11-3.13 and package registries.
# Safe to repeat: a stamp in .venv says for which lock file the environment was made.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
is_root() { [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; }
apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" > /dev/null ||
    { apt-get update -q > /dev/null &&
      DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" > /dev/null; }
} 2> /dev/null

find_python() {
  local name
  for name in ${PYTHON:-} python3.11 python3.12 python3.13 python3; do
    "$name" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2> /dev/null &&
      { command -v "$name"; return; }
  done
  die "no Python 3.11, 3.12 or 3.13 found; install one, or name it: make setup PYTHON=/path/to/python"
}

make_environment() {
  local python; python=$(find_python)
  say "making .venv with $python"
  rm -rf .venv
  if ! "$python" -m venv .venv 2> /dev/null; then
    # Debian keeps the venv module in a package of its own.
    is_root && apt_install "$(basename "$(readlink -f "$python")")-venv" || true
    rm -rf .venv
    "$python" -m venv .venv || die "$python cannot make a venv; on Debian: apt install python3-venv"
  fi
}

install_packages() {
  local python=.venv/bin/python
  # Trust what the machine trusts, as pip does; uv alone knows only the roots it brings.
  [ ! -s /etc/ssl/certs/ca-certificates.crt ] || export UV_SYSTEM_CERTS=true
  say "installing what requirements.lock pins"
  export VIRTUAL_ENV=$PWD/.venv
  { [ -x .venv/bin/uv ] || $python -m pip install -q --disable-pip-version-check uv; } &&
    .venv/bin/uv pip sync -q --require-hashes --compile-bytecode requirements.lock ||
    { say "uv could not; pip tries, which takes longer"
      $python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r requirements.lock; }
  $python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
}

browser() { command -v chromium chromium-browser google-chrome | head -n 1; }

install_browser() {
  [ -z "$(browser)" ] && is_root || return 0
  say "installing Chromium for the browser tests"
  apt_install chromium || say "Chromium could not be installed; the browser tests will be skipped"
}

key=$(cat requirements.lock pyproject.toml scripts/setup.sh | cksum)
if [ "$(cat .venv/setup-stamp 2> /dev/null)" != "$key" ] || ! .venv/bin/python -c '' 2> /dev/null; then
  .venv/bin/python -c '' 2> /dev/null || make_environment
  install_packages
  install_browser
  printf '%s\n' "$key" > .venv/setup-stamp
fi
.venv/bin/python -m grader data > /dev/null
