# Every target makes its own environment; a second run of any of them is quick and harmless.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help demo test queue fuzz soak dev check format lock bench chaos clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

.uv/bin/uv:
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

$(STAMP): pyproject.toml requirements-dev.lock | $(filter .uv/bin/uv,$(UV))
	@echo "environment ..."
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --editable .
	@touch $@

demo: $(STAMP) ## Environment, embedded PostgreSQL, migrations, seed data, then an export of every type and a table with links
	@$(BIN)/export-pipelines demo

test: $(STAMP) ## The whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadgroup

SEEDS ?= 200

chaos: $(STAMP) ## Kill exports at moments that SEEDS (200) choose, run them again, compare; prints what it came to
	@$(BIN)/python -m export_pipelines_tests.chaos --seeds $(SEEDS)

queue: $(STAMP) ## 200 jobs of ten users through the real daemon, which is killed twice meanwhile; some minutes
	@EXPORT_PIPELINES_TEST_QUEUE_JOBS=200 $(BIN)/python -m pytest -k ten_users export_pipelines_tests/orchestration/test_queue_deployment.py

CASES ?= 5000

fuzz: $(STAMP) ## Drive the API by its own description, with at least CASES (5000) requests; prints how many there were
	@$(BIN)/python -m export_pipelines_tests.fuzz --cases $(CASES)

MINUTES ?= 10

soak: $(STAMP) ## Everything together for MINUTES (10) with servers away and processes killed; prints its counts
	@$(BIN)/python -m export_pipelines_tests.soak --minutes $(MINUTES)

dev: $(STAMP) ## Dagster UI, daemon, code location and download service together; Ctrl-C stops all
	@exec $(BIN)/export-pipelines dev

bench: $(STAMP) ## Speed and memory of whole exports, over psql's \copy and others; half an hour, 20 GB of disk
	@$(BIN)/python -m benchmarks

check: $(STAMP) ## Format, lint, strict types, import contracts, definitions, migration drift
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -c "from dagster import Definitions; from export_pipelines.definitions import defs; Definitions.validate_loadable(defs)"
	$(BIN)/yamllint --strict .
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker/compose.yaml
	$(BIN)/export-pipelines db check

format: $(STAMP) ## Rewrite the code in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE := pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11

lock: | $(filter .uv/bin/uv,$(UV)) ## Resolve the dependencies anew into the two lock files
	$(UV) $(COMPILE) --upgrade pyproject.toml --output-file requirements.lock
	$(UV) $(COMPILE) --upgrade --constraint requirements.lock --group dev pyproject.toml --output-file requirements-dev.lock

clean: ## Remove the environment and the embedded server with its data
	@test ! -x $(BIN)/export-pipelines || $(BIN)/export-pipelines db remove --yes || true
	@test ! -x $(BIN)/export-pipelines || test ! -d .local/bench || \
		EXPORT_PIPELINES_HOME=.local/bench $(BIN)/export-pipelines db remove --yes || true
	rm -rf $(VENV) .uv .local
