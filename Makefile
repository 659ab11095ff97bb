# One command for each thing one does here; `make help` lists them.
# PYTHON=python3.12 chooses another interpreter, PORT= and ARGS= reach the command that runs.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
VITRINA := $(BIN)/vitrina
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
PINNED := pyproject.toml constraints.txt

.PHONY: help demo run test check fmt bench load soak clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(VENV)/.local ## The whole product on this machine, with a chat page in place of Telegram
	@exec $(VITRINA) demo $(if $(PORT),--port $(PORT)) $(ARGS)

run: $(VENV)/.local ## The same on real Telegram: BOT_TOKEN=... make run
	@exec $(VITRINA) run $(ARGS)

test: $(VENV)/.dev ## All tests, on all cores; ARGS="tests/db -x" for some of them
	@exec $(BIN)/pytest $(or $(ARGS),-q --numprocesses=auto --dist=loadfile --max-worker-restart=0)

check: $(VENV)/.dev ## Format, lint, types, borders between the packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fmt: $(VENV)/.dev ## Format the code and mend what can be mended by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Times on this machine: tap to album, commit to start, webhook, the judge
	@exec $(BIN)/python -m benchmarks.bench $(ARGS)

load: $(VENV)/.dev ## Many users at once: latencies, refusals, duplicates, losses; ARGS=posts: posts due at once
	@exec $(BIN)/python -m benchmarks.load $(ARGS)

soak: $(VENV)/.dev ## Is memory flat, do the books add up? Then ten minutes amid kills; MINUTES= for more
	@$(BIN)/python -m benchmarks.memory
	@MONEY_RUNS=200 $(BIN)/pytest tests/db/test_money_machine.py -q
	@exec $(BIN)/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

clean: ## Remove the virtual environment and caches; the demo's data stays
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache \
	  .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps make a second `make demo` start without asking pip anything.

$(VENV)/.made:
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Vitrina needs Python 3.11 or newer (found: $$($(or $(PYTHON),python3) --version 2>&1))" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "$(PYTHON) lacks the venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.local: $(VENV)/.made $(PINNED)
	@echo "Installing Vitrina into $(VENV), once ..."
	@$(PIP) install -e '.[local]' -c constraints.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.made $(PINNED)
	@echo "Installing Vitrina and its test tools into $(VENV), once ..."
	@$(PIP) install -e '.[dev]' -c constraints.txt
	@touch $@ $(VENV)/.local
