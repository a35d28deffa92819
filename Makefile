# `make demo` and `make test` are all it takes; each makes its own environment first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo demo-kills bench bench-step bench-long soak soak-seeds soak-faults test check venv clean

demo: venv
	$(BIN)/linkage demo

# The demo with the kill at each of its ten steps; some seven minutes.
demo-kills: venv
	$(BIN)/python -m tests.kafka.demo_kills

# What it costs, beside a plain loop, default Faust and Kafka Streams: docs/performance.md. Some ten minutes.
bench: venv
	$(BIN)/python -m bench.run

# Microseconds by part of a step, without Kafka; some ten seconds.
bench-step: venv
	$(BIN)/python -m bench.step

# A simulated year of real calls, and every call once: docs/performance.md. Some twenty minutes when quiet, an hour when not.
bench-long: venv
	$(BIN)/python -m bench.run --long

soak: soak-seeds soak-faults

# 20,000 seeds, a crash at every point of every flow, 2,000 random histories of the core: some two hours.
soak-seeds: venv
	LINKAGE_SOAK=1 $(BIN)/pytest -s tests/simulation/test_seeds.py tests/simulation/test_crash_exhaustion.py \
	  tests/test_engine_properties.py -k "every_seed or any_point or County"

# 200 faults on three real brokers, some sixty minutes on two quiet cores. Writes its table into docs/reliability.md.
# As root on Linux it also cuts a worker off in its own network and fills a disk. FAULTS, MINUTES and SEED may be told.
FAULTS ?= 200
MINUTES ?= 120
soak-faults: venv
	$(BIN)/python -m tests.campaign.soak --faults $(FAULTS) --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) \
	  --report docs/reliability.md

test: check
	$(BIN)/pytest

check: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/linkage schemas check

venv: $(VENV)/.made

$(VENV)/.made: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null 2>&1 || { \
	  echo "$(PYTHON) is not on the PATH. Install Python 3.11 or later, or name one: make PYTHON=/path/to/python3.11"; \
	  exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); linkage needs Python 3.11 or later."; \
	  echo "Name another one: make PYTHON=python3.12"; \
	  exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) can't make environments: its modules venv or ensurepip are missing."; \
	  echo "On Debian and Ubuntu: apt-get install python3-venv"; \
	  exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# The environment stays; `rm -rf .venv` makes the next command build it anew.
clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +
