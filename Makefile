VENV := .venv
MINUTES := 60
CASES :=
PYTHON := $(VENV)/bin/python

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: $(VENV)/.installed  ## Measure the bundled exchange and say how many connections it holds.
	@$(VENV)/bin/capacity demo

test: $(VENV)/.tested  ## Lint, types, import rules, dead code and tests; some minutes on two cores.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/vulture
	$(PYTHON) tests/groups.py

test-all: export CAPACITY_HYPOTHESIS_PROFILE := full
test-all: test  ## As test, with many more examples of each property.

bench: $(VENV)/.benched  ## Measure what the README claims; half an hour, two idle cores.
	$(PYTHON) tests/benchmarks/moments.py
	$(PYTHON) tests/benchmarks/subscribers.py
	$(PYTHON) tests/benchmarks/receive_path.py
	$(PYTHON) tests/benchmarks/footprint.py
	$(PYTHON) tests/benchmarks/overload.py
	$(PYTHON) tests/benchmarks/polls.py
	$(PYTHON) tests/benchmarks/sixty_thousand.py
	$(PYTHON) tests/benchmarks/agent_cost.py
	$(PYTHON) tests/benchmarks/kernel_memory.py
	$(PYTHON) tests/benchmarks/agent_cut.py
	$(PYTHON) tests/benchmarks/regressions.py

validate: $(VENV)/.tested  ## Predict as shipped, then really break servers with planted limits; CASES='memory*' for some.
	$(PYTHON) tests/validation/run.py $(CASES)
	$(PYTHON) tests/validation/table.py

validate-told: $(VENV)/.tested  ## Likewise, with safe runs that are told a quarter or half of the truth.
	$(PYTHON) tests/validation/run.py --told $(CASES)
	$(PYTHON) tests/validation/table.py

fuzz: $(VENV)/.tested  ## Feed the frame reader, handshake and conversation junk for some five minutes.
	CAPACITY_HYPOTHESIS_PROFILE=fuzz timeout 900 $(PYTHON) -m pytest -m hypothesis \
	  tests/loadgen/test_frames.py tests/loadgen/test_compression.py \
	  tests/loadgen/test_response_head.py tests/loadgen/test_handshake.py \
	  tests/workload/test_conversation.py

soak: $(VENV)/.tested  ## Let connections come and go for MINUTES (60), and say what the worker grew by.
	$(PYTHON) tests/benchmarks/soak.py $(MINUTES)

$(VENV)/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'Python 3.11 or newer is missing: apt install python3'; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo 'The venv module is missing: apt install python3-venv'; exit 1; }
	python3 -m venv $(VENV)

$(VENV)/.installed: requirements.txt pyproject.toml | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.tested: tests/requirements.txt $(VENV)/.installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(VENV)/.benched: tests/benchmarks/requirements.txt $(VENV)/.tested
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r tests/benchmarks/requirements.txt
	@touch $@

.PHONY: help demo test test-all bench validate validate-told fuzz soak
