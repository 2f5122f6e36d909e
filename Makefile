# The front door. Each target installs what it needs into .venv, the first time and whenever the pinned versions change.
#   make demo            make demo ONCE=1          make test ARGS="-k cost"          PYTHON=python3.13 make test

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo run test lint bench bench-compare bench-queries soak fuzz package clean

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
MANIFEST := pyproject.toml constraints.txt

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## Start Merit with demo agents and show their ranking; ONCE=1 ends after it
	$(BIN)/merit demo $(if $(ONCE),--once) $(ARGS)

run: $(VENV)/installed ## Start Merit: OTLP on 4317 and 4318, the API on 8080
	$(BIN)/merit serve $(ARGS)

test: $(VENV)/installed-test ## Run the tests, a file to a core at a time; ARGS="-n 0 -k cost" runs those of a name in one process
	$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: $(VENV)/installed-lint ## Check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-test ## Measure spans per second and CPU per span
	$(BIN)/python -m tests.benchmarks.run $(ARGS)

bench-compare: $(VENV)/installed-test ## Two results side by side: A=before.json B=after.json, as ARGS="--json before.json" of bench wrote them
	$(BIN)/python -m tests.benchmarks.compare "$(A)" "$(B)"

bench-queries: $(VENV)/installed-test ## How fast questions are answered; ARGS="--tasks 1000000 --tasks 10000000" for the growth
	$(BIN)/python -m tests.benchmarks.queries $(ARGS)

soak: $(VENV)/installed-test ## Ten minutes of full load: does memory level off? ARGS="--minutes 60" for longer
	$(BIN)/python -m tests.benchmarks.soak $(ARGS)

fuzz: $(VENV)/installed-test ## Many more spoilt requests and questions; EXAMPLES=10000 for longer
	FUZZ_EXAMPLES=$(or $(EXAMPLES),1000) $(BIN)/python -m pytest --timeout 0 tests/receiver/test_fuzz.py tests/query_api/test_fuzz.py $(ARGS)

package: $(VENV)/installed ## Build the wheel and try it in an environment of its own
	@scripts/try-wheel "$(BIN)/python"

clean: ## Remove what was installed and built; the data in merit-data stays
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis tests/javascript/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@scripts/make-venv $(VENV) $(PYTHON)

$(VENV)/installed: $(MANIFEST) | $(BIN)/python
	$(INSTALL) --editable .
	@touch $@

$(VENV)/installed-test: $(MANIFEST) | $(BIN)/python
	$(INSTALL) --editable '.[test]'
	@touch $@ $(VENV)/installed

$(VENV)/installed-lint: $(MANIFEST) | $(BIN)/python
	$(INSTALL) --editable '.[test,lint]'
	@touch $@ $(VENV)/installed $(VENV)/installed-test
