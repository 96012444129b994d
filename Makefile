# Everything is set up on the way: `make lab` and `make test` need Python 3.11 or newer, git and make.
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
# Jupyter refuses to run as root unless it is told that this is meant: in a container it usually is.
ROOT_TOO := $(if $(filter 0,$(shell id -u)),--allow-root)

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

lab: .venv/ready ## Open the course in JupyterLab
	$(BIN)/jupyter lab $(ROOT_TOO) notebooks/00_start_here.ipynb

test: .venv/ready ## Run the tests, under 6 minutes on two cores
	$(BIN)/python -m pytest -q -n 6 --dist loadgroup -m "not browser and not slow"
	$(BIN)/python -m pytest -q -m "browser and not slow" -p no:playwright tests/browser

test-slow: .venv/ready ## Run what takes longer: every answer of every exercise, stress, every picture
	$(BIN)/python -m pytest -q -n 6 --dist loadgroup -m "slow and not browser"
	$(BIN)/python -m pytest -q -m "browser and slow" -p no:playwright tests/browser

notebooks: .venv/ready ## Build notebooks/ from lessons/
	$(BIN)/python lessons/build.py

lint: .venv/ready ## Check style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: .venv/ready ## Mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/ready ## Measure, the short version (under 5 minutes)
	$(BIN)/python -m bench

bench-full: .venv/ready ## Measure everything, against the peers
	$(BIN)/python -m bench --full

matrix: .venv/ready ## Check every answer of every exercise five times idle and five times busy
	$(BIN)/python -m evolution.course.matrix --times 5 --busy --write docs/checkers.md

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile -q --universal --extra build --extra test pyproject.toml -o requirements.lock --generate-hashes --no-header
	uv pip compile -q --universal --extra build pyproject.toml -o binder/requirements.txt --generate-hashes --no-header

clean: ## Remove the environment and everything built
	rm -rf .venv build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .ci/out

# uv when it is there, else venv and pip: the same hashed lock either way.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "expected Python 3.11 or newer, not $$($(PYTHON) -V 2>&1); try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@if command -v uv >/dev/null; then \
	  uv venv -q --allow-existing --python "$$(command -v $(PYTHON))" .venv && \
	  uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  $(PYTHON) -m venv .venv && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi
	@mkdir -p .venv/etc/jupyter/labconfig && cp binder/page_config.json .venv/etc/jupyter/labconfig/page_config.json
	@touch $@

.PHONY: help lab test test-slow notebooks lint format bench bench-full matrix lock clean
