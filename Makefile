# make run    screens and trainer on the demo project (or PROJECT=folder)
# make test   the whole test suite, the browser tests too
# make check  style, types, import contracts, documentation
# make docs   the documentation as a site, into site/
# make bench  the figures the README quotes, into bench-results/bench.md (BENCH=--quick: whether they run)

VENV := .venv
BIN := $(VENV)/bin
PROJECT ?=
BENCH ?=

# The first Python that fits; override with `make PYTHON=/path/to/python`.
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null && echo $$python && break; done)

.PHONY: run test check docs bench
.DELETE_ON_ERROR:

run: $(VENV)/.installed
	$(BIN)/labelloop run $(PROJECT)

test: $(VENV)/.installed-test
	$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist worksteal

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory docs

# Not --quiet, which would hide the warnings from --strict.
docs: $(VENV)/.installed-test
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

bench: $(VENV)/.installed-bench
	$(BIN)/python benchmarks/run.py $(BENCH)

# Stamps, so that an install is repeated only when the list of dependencies changes.
$(VENV)/.installed: pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "LabelLoop needs Python 3.10, 3.11 or 3.12; name one: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[test,docs]'
	@touch $@

$(VENV)/.installed-bench: $(VENV)/.installed
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --editable '.[bench]'
	@touch $@
