# `make` prints this menu. Everything works from a fresh clone with Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCAL := $(VENV)/.installed-local
DEV := $(VENV)/.installed-dev
PEER := benchmarks/peers/.venv/.installed
MUTATION := $(VENV)/.installed-mutation

.DEFAULT_GOAL := help
.PHONY: help demo up test test-kafka test-chaos test-compose check unit mutation bench peer lock clean

help: ## This menu
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(LOCAL) ## Start everything, route 60 example referrals, prove nothing was lost, stop
	@$(BIN)/python -m careroute demo

up: $(LOCAL) ## Start everything and keep it up; Ctrl-C stops it
	@$(BIN)/python -m careroute up

test: check ## Lint, types, import rules and every test, on embedded Kafka and Postgres
	@$(BIN)/python -m pytest --no-containers -n $(if $(KAFKA_BOOTSTRAP_SERVERS),0,2) --dist loadfile

test-kafka: $(DEV) ## What touches Kafka, on Apache Kafka (needs Java 17 and Maven)
	@$(BIN)/python -m pytest tests/integration/kafka tests/wire tests/journey tests/apache --kafka=apache --no-containers

test-chaos: $(DEV) ## 10,000 referrals while everything breaks; CHAOS_SEED=n repeats a run (needs Java 17 and Maven)
	@$(BIN)/python -m pytest tests/chaos --chaos --capture=no

test-compose: $(DEV) ## docker-compose.yml on a real engine: up, scale, restarts, backup, upgrade (about 15 minutes)
	@tests/compose/engine.sh $(BIN)/python -m pytest tests/compose --compose

unit: $(DEV) ## The fast tests alone
	@$(BIN)/python -m pytest tests/unit tests/wire

check: $(DEV) ## ruff, mypy --strict, import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

mutation: $(MUTATION) ## Change the clinical code line by line; 95 of 100 changes must be noticed (about five minutes)
	@$(BIN)/python -m tests.mutation

bench: $(DEV) $(PEER) ## Every figure beside its limit, as tables and JSON lines (hours; each script takes smaller sizes)
	@for what in flow accept express matching peer growth scale; do $(BIN)/python -m benchmarks.$$what || exit 1; done

peer: $(PEER) ## The peer that `make bench` measures beside ours, in a venv of its own

lock: ## Pin requirements/*.txt anew from requirements/*.in (needs uv)
	@for set in dev local operator services mutation; do \
	  uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	    --custom-compile-command "make lock" $$( [ $$set = dev ] || echo -c requirements/dev.txt ) \
	    requirements/$$set.in -o requirements/$$set.txt; done
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	  --custom-compile-command "make lock" -c requirements/dev.txt \
	  benchmarks/peers/requirements.in -o benchmarks/peers/requirements.txt

clean: ## Remove the virtual environment and the local stack's data
	@rm -rf $(VENV) benchmarks/peers/.venv .careroute mutants

$(VENV)/bin/pip:
	@command -v $(PYTHON) >/dev/null || { echo "careroute needs Python 3.11 or newer; '$(PYTHON)' was not found. Install it, or say PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "careroute needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Say PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make a virtual environment; install its venv package (Debian: python3-venv)."; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(LOCAL): requirements/local.txt | $(VENV)/bin/pip
	@echo "Installing what careroute needs (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/local.txt
	@touch $@

$(DEV): requirements/dev.txt | $(VENV)/bin/pip
	@echo "Installing what careroute and its checks need (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@touch $@ $(LOCAL)

$(PEER): benchmarks/peers/requirements.txt | $(VENV)/bin/pip
	@echo "Installing the peer (once) ..."
	@$(BIN)/python -m venv benchmarks/peers/.venv
	@benchmarks/peers/.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<

$(MUTATION): requirements/mutation.txt | $(DEV)
	@echo "Installing what the mutation test needs (once) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/mutation.txt
	@touch $@
