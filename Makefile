# Every target first makes sure of `make setup`, which does nothing when there is nothing to do.
.DEFAULT_GOAL := setup
.PHONY: setup check fast test test-long attack demo bench lock
BIN := .venv/bin
SHELL := /bin/bash
PYTEST := $(BIN)/python -m pytest
BOTH := -n 2 --dist loadscope --no-loadscope-reorder  # tests/conftest.py says the order

setup:  ## .venv as requirements.lock says, the dataset, Chromium for the browser tests
	@scripts/setup.sh

check: setup  ## lint, types, layers, documents
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PYTEST) -q -m "not long" tests/docs

fast: setup  ## tests without TensorFlow, walls and browser, < 30 s
	$(PYTEST) -q $(BOTH) -m "not tf and not sandbox and not browser and not long"

test: setup  ## every class of test, small counts, <= 15 min on 2 cores
	$(PYTEST) $(BOTH) -m "not long"

test-long: setup  ## the full counts, beside what `make test` ran; kept in benchmarks/
	$(PYTEST) --no-header --durations=0 $(BOTH) -m long | tee benchmarks/test-long.txt; exit $${PIPESTATUS[0]}

attack: setup  ## the attack corpus: forged points, harm, hostile texts, files and names, the walls less a knob
	$(PYTEST) --no-header --durations=15 $(BOTH) tests/attacks | tee benchmarks/attack.txt; exit $${PIPESTATUS[0]}

demo: setup  ## grade the sample class
	$(BIN)/grader grade assignment/samples --out demo-out || [ $$? -eq 1 ]  # 1: some need a person

bench: setup  ## beside other graders, on this machine; results go to benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks $(BENCHMARKS)

lock:  ## pin what pyproject.toml asks for; UPGRADE=--upgrade takes the newest of everything
	$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes $(UPGRADE) \
	  --extra instructor --group dev --group cpu --python-version 3.11 --no-emit-index-url \
	  --no-emit-find-links --extra dask --custom-compile-command "make lock" --quiet -o requirements.lock
