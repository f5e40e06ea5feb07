# Garment Wages. `make` lists what there is; nothing here needs sudo, and nothing needs to be installed but Python 3.11 or newer.
#   PYTHON=/path/to/python3.13   the Python that .venv is made with (only looked at when .venv is made)
#   SHEET=file.xlsx  PORT=8000   for `make run`
#   TESTS=tests/importers        for `make test`

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
PORT ?= 8000
TESTS ?=
PATHS := importers reconciliation connectors payroll_api tests bench scripts

export PYTHON

.PHONY: help setup install run test check connector bench lock clean crash-matrix chaos simulate planted mutants

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: ## install what running, testing and checking need into .venv
	@sh scripts/setup.sh dev

install: ## install what running needs into .venv
	@sh scripts/setup.sh run

run: install ## pay a sample factory from its spreadsheet and open the pages: SHEET=file.xlsx plays your own, PORT=8000
	@$(BIN)/payroll demo --port $(PORT) $(if $(SHEET),--sheet "$(SHEET)")

test: setup ## the whole suite, or TESTS=tests/importers
	@$(BIN)/python -m pytest $(TESTS)

check: setup ## style, types, import rules, migrations
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PATHS)
	@$(BIN)/lint-imports --config importlinter.toml
	@$(BIN)/payroll migrate --check

connector: install ## begin a connector of your own: NAME=acme_pay, TO=folder; docs/guide-connectors.md goes on from there
	@$(BIN)/payroll connectors new "$(NAME)" $(if $(TO),--to "$(TO)")

bench: setup ## measure what the README claims, on this machine
	@$(BIN)/python -m bench

crash-matrix: setup ## 53 points at which paying can break, killed and raised, over six kinds of provider: SEEDS=10 LANES=2, goes on where it stopped
	@$(BIN)/python -m tests.crash.matrix --seeds $(or $(SEEDS),10) --lanes $(or $(LANES),2)

chaos: setup ## a payday while 1,000 COMMIT replies are cut, and one of 10,000 while PostgreSQL is killed again and again
	@$(BIN)/python -m tests.crash.chaos commits
	@$(BIN)/python -m tests.crash.chaos database

simulate: setup ## paydays under a seeded scheduler with clock, network and provider simulated: SEEDS=100000 FIRST=0
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),100000) --first $(or $(FIRST),0)

planted: setup ## plant each known bug in a copy and see that the tests named for it notice: NAMES="window_ignored ..."
	@$(BIN)/python -m tests.planted $(NAMES)

mutants: setup ## change the code of money at random in a copy and see how much of it the tests notice: SAMPLE=120
	@$(BIN)/python -m tests.planted.mutants --sample $(or $(SAMPLE),120)

lock: setup ## lock the dependencies again: the same versions where they still fit (UPGRADE=--upgrade takes the newest)
	@sh scripts/lock.sh $(UPGRADE)

clean: ## remove .venv and caches; data of the demo (.data) stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
