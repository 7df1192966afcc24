# `make` lists what there is. Everything lives in ./.venv and ./data; `make clean` takes the first away.

PYTHON ?= python3
HALL   ?= deploy/halls/fengxian.toml
ARGS   ?=
# Processes that share the test files among them; 0: all in one, as a debugger wants it.
WORKERS ?= auto

BIN     := .venv/bin
PIP     := $(BIN)/python -m pip -qq --disable-pip-version-check install
SOURCES := api metrics models queue_service tests bench deploy/grafana docs/make_study.py
COMPILE := .venv/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
           --no-emit-index-url --custom-compile-command 'make lock'

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo check format test bench pictures lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  More for a command: make test ARGS='-k midnight', make run ARGS='--port 8001', make demo ARGS='--speed 60'"
	@echo "  A first try: make run, then the lines it prints."

setup: .venv/.run-ready ## make .venv with what the service needs

setup-dev: .venv/.dev-ready ## ... and what its tests and checks need

run: setup ## serve the sample hall at 127.0.0.1:8000, SQLite in ./data
	@exec $(BIN)/queue-service serve --hall $(HALL) $(ARGS)

demo: setup ## serve it with visitors and clerks that use the public API
	@exec $(BIN)/queue-service demo $(ARGS)

check: setup-dev ## style, types, arrows: ruff, mypy --strict, import-linter, and the habits that no linter knows
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(SOURCES)
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house/test_style.py

format: setup-dev ## put the code in the house's format
	$(BIN)/ruff check --fix --select I
	$(BIN)/ruff format

test: setup-dev ## set up all that the tests need and run them
	@$(call debian_package,prometheus,promtool,the tests of /metrics, of the alert rules and of the dashboards' queries are skipped)
	@$(call debian_package,strace,strace,the test that data reaches the disk before each answer is skipped)
	@$(call debian_package,haproxy,haproxy,nothing is sent through the proxy)
	@$(call debian_package,kubectl,kubectl,kustomize does not put deploy/kubernetes together)
	@$(call debian_package,chromium fonts-noto-cjk,chromium,the tests of the pages in a browser are skipped)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

bench: setup-dev ## measure the speed (some minutes) and write bench/RESULTS.md
	@$(call debian_package,wrk,wrk,without it there is nothing to measure with)
	$(BIN)/python -m bench $(ARGS)

pictures: setup-dev ## take the pictures of the pages anew (docs/pictures)
	@$(call debian_package,chromium fonts-noto-cjk,chromium,without it there are no pictures)
	$(BIN)/python -m tests.pages.pictures

lock: .venv/lock/bin/uv ## renew requirements*.txt from pyproject.toml (newest versions: make lock ARGS=--upgrade)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.txt
	$(COMPILE) $(ARGS) --group build -c requirements.txt -o requirements-build.txt
	$(COMPILE) $(ARGS) pyproject.toml --group dev -c requirements.txt -c requirements-build.txt -o requirements-dev.txt

clean: ## take away .venv, caches and builds; ./data stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "This needs python 3.11 or newer; '$(PYTHON)' is not. Name one: make PYTHON=python3.13 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
	  || { rm -rf .venv; echo "'$(PYTHON) -m venv' failed; on Debian: apt-get install python3-venv" >&2; exit 1; }

.venv/.run-ready: .venv/bin/python requirements.txt requirements-build.txt pyproject.toml
	@echo "Installing the service into .venv ..."
	@$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.dev-ready: .venv/.run-ready requirements-dev.txt
	@echo "Installing the tools of tests and checks into .venv ..."
	@$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@

.venv/lock/bin/uv: .venv/bin/python
	@$(BIN)/python -m venv .venv/lock && .venv/lock/bin/python -m pip --quiet install uv

# $(call debian_package,PACKAGE,COMMAND,WITHOUT): install it when it is missing and we can; else say what that means.
define debian_package
command -v $(2) >/dev/null || { \
  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
    echo "Installing Debian's $(1) for $(2) ..."; export DEBIAN_FRONTEND=noninteractive; \
    { apt-get -qq update; apt-get -qq install --no-install-recommends $(1); } </dev/null >/dev/null 2>&1 || true; \
  fi; \
  command -v $(2) >/dev/null || echo "$(2) is missing and could not be installed (Debian: apt-get install $(1)): $(3)." >&2; }
endef
