VENV := .venv
MINUTES := 60
CASES :=
EXHIBITS :=
WHEEL_TIME := $(or $(SOURCE_DATE_EPOCH),$(shell git log -1 --format=%ct 2>/dev/null),315532800)
PYTHON := $(VENV)/bin/python
SUPPLY := $(VENV)-supply/bin/python
PIP := $(PYTHON) -m pip install --quiet --disable-pip-version-check
LOCK = $(PYTHON) -m uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --generate-hashes --no-annotate --custom-compile-command 'make lock'

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

demo: $(VENV)/.installed  ## Measure the bundled exchange and say how many connections it holds.
	@$(VENV)/bin/capacity demo

example: $(VENV)/.installed  ## Make the example report again from its recorded run, reports/example.
	$(VENV)/bin/capacity plan reports/example --demand example --hosts example
	$(VENV)/bin/capacity report reports/example

test: $(VENV)/.tested  ## Lint, types, import rules, dead code and tests; some minutes on two cores.
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports
	$(VENV)/bin/vulture
	$(VENV)/bin/mypy & types=$$!; $(PYTHON) tests/groups.py --compile; wait $$types
	$(PYTHON) tests/groups.py

test-long: $(VENV)/.tested  ## Tests that load real targets for minutes; with `test` all that CI runs.
	$(PYTHON) tests/groups.py --long

test-all: export CAPACITY_HYPOTHESIS_PROFILE := full
test-all: test test-long  ## As test, with many more examples of each property.

coverage: $(VENV)/.tested  ## Run what needs no end-to-end load under coverage; fails below the floor in pyproject.toml.
	$(PYTHON) -m coverage erase
	$(PYTHON) tests/groups.py -k "not end_to_end" --cov --cov-append --cov-report= --cov-fail-under=0
	$(PYTHON) -m coverage report --skip-covered --sort=cover

wheel: $(VENV)-supply/.installed  ## Build dist/capacity-*.whl, the same bytes for the same commit and Python.
	SOURCE_DATE_EPOCH=$(WHEEL_TIME) $(SUPPLY) -m pip wheel --quiet --disable-pip-version-check \
	  --no-build-isolation --no-deps --wheel-dir dist .
	@rm -rf build && sha256sum dist/*.whl

sbom: $(VENV)-supply/.installed  ## Write dist/capacity.cdx.json: what requirements.lock brings, as CycloneDX, validated.
	@mkdir -p dist
	$(SUPPLY) -W ignore::UserWarning -m cyclonedx_py requirements requirements.lock \
	  --pyproject pyproject.toml --mc-type application --spec-version 1.6 \
	  --output-reproducible --validate --output-file dist/capacity.cdx.json

audit-dependencies: $(VENV)-supply/.installed  ## Look for known vulnerabilities of what is locked; fails where none can be looked up.
	@$(SUPPLY) tests/supply/audit.py requirements.lock tests/requirements.lock

lock: $(VENV)/.tested  ## Choose the newest versions within the ranges anew, for both requirements.lock.
	$(PIP) 'uv>=0.5'
	$(LOCK) --constraint tests/requirements.txt requirements.txt --output-file requirements.lock
	$(LOCK) --constraint requirements.lock tests/requirements.txt --output-file tests/requirements.lock
	$(LOCK) tests/supply/requirements.txt --output-file tests/supply/requirements.lock

pictures: $(VENV)/.installed  ## Take the pictures in docs/ anew, with Chromium; three minutes.
	$(PIP) 'pillow>=11'
	$(PYTHON) docs/pictures.py

report-check: $(VENV)/.tested  ## Lay twenty reports out in Chromium, six widths, light, dark and print; three minutes.
	$(PYTHON) tests/benchmarks/report_check.py

site: $(VENV)/.tested  ## Build the documents as a site, build/site/index.html; ends on a link that leads nowhere.
	$(PYTHON) docs/site.py

tutorial: $(VENV)/.tested  ## Type all that docs/tutorial.md tells to type, and print it there as it came; four minutes.
	$(PYTHON) docs/tutorial.py

bench: $(VENV)/.benched  ## Measure what reports/measured.md claims; half an hour, two idle cores.
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
	$(PYTHON) tests/benchmarks/long_history.py

orders: $(VENV)/.tested  ## Lay the latency of orders beside plain sockets, at a venue whose delay is known; a minute or three.
	$(PYTHON) tests/benchmarks/orders/latency.py

dialects: $(VENV)/.tested  ## Measure what reading an update costs in each dialect, beside json-push; a minute.
	$(PYTHON) tests/benchmarks/dialects/reading.py

validate: $(VENV)/.tested  ## Predict as shipped, then really break servers with planted limits; CASES='memory*' for some.
	$(PYTHON) tests/validation/run.py $(CASES)
	$(PYTHON) tests/validation/table.py

validate-told: $(VENV)/.tested  ## Likewise, with safe runs that are told a quarter or half of the truth.
	$(PYTHON) tests/validation/run.py --told $(CASES)
	$(PYTHON) tests/validation/table.py

storms: $(VENV)/.tested  ## Cut and bring back clients in the settings of tests/validation/storms.py; some ten minutes.
	$(PYTHON) tests/validation/storms.py $(CASES)

museum: $(VENV)/.tested  ## Re-enact outages beside their healthy twins, as root; EXHIBITS='session_limit' for some.
	$(PYTHON) tests/museum/reenact.py $(EXHIBITS)
	$(PYTHON) tests/museum/page.py

fuzz-frames: $(VENV)/.tested  ## Compare FRAMES (10000000) of SEED (1) between our frame reader and wsproto; resumable.
	nice -n 19 $(PYTHON) tests/fuzz/frames.py --frames $(or $(FRAMES),10000000) --seed $(or $(SEED),1)

fuzz-http: $(VENV)/.tested  ## Send REQUESTS (100000) of SEED (1), most of them bad, to agent and push receiver.
	nice -n 19 $(PYTHON) tests/fuzz/http_servers.py --requests $(or $(REQUESTS),100000) --seed $(or $(SEED),1)

interop: $(VENV)/.tested  ## Follow servers of others, and have clients of others beside ours; NAMES for some. Installs into .interop/.
	$(PYTHON) tests/interop/compare.py $(NAMES)

fuzz: $(VENV)/.tested  ## Feed the frame reader, handshake and conversation junk for some five minutes.
	CAPACITY_HYPOTHESIS_PROFILE=fuzz timeout 900 $(PYTHON) -m pytest -m hypothesis \
	  tests/loadgen/wire/test_frames*.py tests/loadgen/wire/test_compression.py \
	  tests/loadgen/wire/test_response_head.py tests/loadgen/wire/test_handshake*.py \
	  tests/workload/test_conversation*.py

profiles: $(VENV)/.tested  ## Measure a healthy exchange by COUNT (20) profiles that chance draws from SEED (1) on, and judge the plans.
	$(PYTHON) tests/chaos/random_profiles.py --count $(or $(COUNT),20) --seed $(or $(SEED),1)

chaos: $(VENV)/.tested  ## Do FAULTS (1000) faults to short runs and recorded ones, as root, and judge what is left; resumable.
	nice -n 19 $(PYTHON) tests/chaos/campaign.py --faults $(or $(FAULTS),1000) --seed $(or $(SEED),1)
	$(PYTHON) tests/chaos/campaign_page.py

chaos-sample: $(VENV)/.tested  ## As chaos, for five minutes and into a file of its own: what CI runs now and then.
	nice -n 19 $(PYTHON) tests/chaos/campaign.py --minutes 4 --seed $(or $(SEED),ci) \
	  --outcomes reports/chaos/sample.jsonl

untouched: $(VENV)/.tested  ## Make RUNS (200) short runs beside two busy loops, and count those that lost a worker; resumable, an hour.
	$(PYTHON) tests/end_to_end/untouched.py --runs $(or $(RUNS),200)

simulation: $(VENV)/.tested  ## Hold SEEDS (10500) histories of a run, on a clock of its own, to the invariants; five minutes of a core.
	$(PYTHON) tests/simulation/simulate.py --seeds $(or $(SEEDS),10500)

mutants: $(VENV)/.tested  ## Change SAMPLE (200) constants and operators one by one, and see which change no quick test notices.
	nice -n 19 $(PYTHON) tests/mutants.py --sample $(or $(SAMPLE),200) $(if $(SEED),--seed $(SEED))

soak: $(VENV)/.tested  ## Let users come and go for MINUTES (60), and say whether a process of the run grows.
	nice -n 19 $(PYTHON) tests/soak/soak.py --minutes $(MINUTES)

soak-worker: $(VENV)/.tested  ## Likewise with one worker alone and many more connects.
	$(PYTHON) tests/benchmarks/soak.py $(MINUTES)

$(VENV)/bin/python:
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  || { echo 'Python 3.11 or newer is missing: apt install python3'; exit 1; }
	@python3 -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo 'The venv module is missing: apt install python3-venv'; exit 1; }
	python3 -m venv $(VENV)

# What is locked where that can be had, and else what the ranges allow.
$(VENV)/.installed: requirements.lock requirements.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes -r requirements.lock \
	  || { echo 'requirements.lock cannot be had here: taking what requirements.txt allows'; \
	    $(PIP) -r requirements.txt; }
	$(PIP) --no-deps -e .
	@touch $@

$(VENV)/.tested: tests/requirements.lock tests/requirements.txt $(VENV)/.installed
	$(PIP) --require-hashes -r tests/requirements.lock \
	  || { echo 'tests/requirements.lock cannot be had here: taking what tests/requirements.txt allows'; \
	    $(PIP) -r tests/requirements.txt; }
	@touch $@

$(VENV)-supply/.installed: tests/supply/requirements.lock
	python3 -m venv $(VENV)-supply
	$(SUPPLY) -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(VENV)/.benched: tests/benchmarks/requirements.txt $(VENV)/.tested
	$(PIP) -r tests/benchmarks/requirements.txt
	@touch $@

.PHONY: help demo example test test-long test-all coverage wheel lock pictures bench validate validate-told storms museum fuzz profiles chaos chaos-sample simulation mutants soak untouched interop sbom audit-dependencies fuzz-frames fuzz-http soak-worker report-check site tutorial orders dialects
