# The two commands: `make demo` runs the default scenario, `make test` passes the tests. Both set everything up first.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: setup demo test fast check lock lock-check benchmark clean

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Expected Python 3.11 or newer, got %s. Try: make PYTHON=python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	$(BIN)/darkstore run default --force

test: $(READY)
	$(BIN)/python -m pytest -n 2

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell cli.py sim policies scenarios README.md CHANGELOG.md

LOCK = $(BIN)/uv pip compile --quiet --universal --generate-hashes --all-extras --group dev --python-version 3.11 --no-header pyproject.toml

lock: $(READY)
	$(LOCK) -o requirements.lock

# The lock is in step with pyproject.toml when compiling it again, with its own pins as preferences, changes nothing.
lock-check: $(READY)
	@cp requirements.lock $(VENV)/lock.txt
	@$(LOCK) -o $(VENV)/lock.txt
	@cmp requirements.lock $(VENV)/lock.txt || { echo "requirements.lock is out of step with pyproject.toml: run make lock"; exit 1; }

# The engine as machine code, where a C compiler is at hand: runs come to the same in about half the time.
fast: $(READY)
	$(BIN)/darkstore compile

benchmark: $(READY)
	$(BIN)/python -m pytest -m benchmark tests/benchmarks -s -p no:xdist

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
