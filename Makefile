# Each verb works from a fresh clone with Python 3.11+ and make only.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
AREA   ?= crowd
export ANLAN_DATA ?= ../shared/data
export OPENBLAS_NUM_THREADS ?= 1
export NUMBA_NUM_THREADS ?= 1
export PYTHONDONTWRITEBYTECODE := # where an image forbids it, each process that a test starts compiles 1,700 files

.DEFAULT_GOAL := help
.PHONY: help setup web demo test check slow bench docs clean

help: ## say what each verb does
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-7s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python $$($(PYTHON) -V 2>&1) must be 3.11 or newer; call make with PYTHON=python3.11"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.5"
	$(BIN)/uv pip install --quiet --python $(BIN)/python -r requirements.lock
	ANLAN_SKIP_WEB=1 $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

setup: $(STAMP) web ## install everything into .venv and build the page

web: $(STAMP)
	@$(BIN)/python hatch_build.py

demo: setup ## open a simulated district on New Year's Eve (PORT=8000)
	$(BIN)/anlan demo $(if $(PORT),--port $(PORT))

test: setup ## run the tests
	$(BIN)/pytest -n 2 -m "not slow and not browser"

check: setup ## lint, types, floors and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

slow: setup ## the slower checks: kills, browser, long runs
	$(BIN)/pytest -n 2 -m "slow or browser"

bench: setup ## measure AREA (or a PART of it) beside its peers; writes bench/results/AREA.json
	$(BIN)/python bench/run.py $(AREA) $(if $(PART),--part $(PART))

docs: setup ## run the pages of docs/ and both READMEs as tests
	$(BIN)/pytest tests/test_docs.py

clean: ## remove what was built and installed
	rm -rf $(VENV) web/node_modules src/anlan/command/static build dist
