SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help up up-kafka demo kafka test test-long test-mutants test-faults simulate fuzz bench check fmt lock docs environment environment-dev

PYTHON ?= python3
PORT ?= 8080
DATA ?= ./var
INSTANCES ?= 1
REDIS_URL ?=
KAFKA_BOOTSTRAP ?=
ARGS ?=
SEEDS ?= 1
TARGET ?= line
TIME ?= 60
KAFKA ?=

VENV := .venv
PY := $(VENV)/bin/python
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r
CODE := $(wildcard libs services deploy cli clients bench demo tests integration-tests docs)
COMPILE := env -u PIP_FIND_LINKS -u UV_FIND_LINKS $(PY) -m uv pip compile \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url pyproject.toml

help: ## show the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

up: environment ## run everything in one process until Ctrl-C (PORT=8080 DATA=./var)
	@ROSTRUM_PORT='$(PORT)' ROSTRUM_DATA='$(DATA)' exec $(PY) -m services all

up-kafka: environment ## run broker, Redis and each service as a process (PORT DATA INSTANCES=1 REDIS_URL KAFKA_BOOTSTRAP)
	@exec $(PY) -m deploy.local --port '$(PORT)' --data '$(DATA)' --instances '$(INSTANCES)' \
		--redis '$(REDIS_URL)' --kafka '$(KAFKA_BOOTSTRAP)'

demo: environment ## import a chat while 200 follow it, and judge every delivery (KAFKA=1 ARGS='--followers 50')
	@exec $(PY) -m demo $(if $(KAFKA),--kafka) $(ARGS)

kafka: environment ## run Kafka without containers until Ctrl-C (ARGS='--nodes 3'); needs Java 17 and Maven
	@exec $(PY) -m deploy.kafka $(ARGS)

test: environment-dev ## run the tests, the laws of `check` and the long ones aside (ARGS='-k order')
	@$(PY) -m pytest $(ARGS)

test-long: environment-dev ## run what takes minutes: claims at once, readers, brokers killed and stopped
	@$(PY) -m pytest -m long $(ARGS)

test-mutants: environment-dev ## run the tests on trees that each break a law: every one must be found
	@$(PY) -m pytest -m mutants -v tests $(ARGS)

test-faults: environment-dev ## run seeds of faults under load, judged: minutes each, as root (SEEDS="1 2 3")
	@SEEDS='$(SEEDS)' $(PY) -m pytest -m faults $(ARGS)

simulate: environment-dev ## run services on virtual time, ruled by seeds (SEEDS=4711, SEEDS=1-5000)
	@PYTHONPATH=.:integration-tests $(PY) -m simulation $(SEEDS)

fuzz: environment-dev ## put the parsers under a fuzzer that is guided by coverage (TARGET=line|polls|frames|sockets TIME=60)
	@$(INSTALL) requirements-fuzz.lock || { \
		echo 'atheris has no wheel for this Python: name one that has, as in make PYTHON=python3.11 ...' >&2; exit 1; }
	@$(PY) -m services.gateway.tests.guided $(TARGET) build/fuzz/$(TARGET) \
		-max_total_time=$(TIME) -artifact_prefix=build/fuzz/ $(ARGS)

bench: environment-dev ## measure beside floors and peers, into bench/report.md (ARGS='--only wake')
	@$(PY) -m bench $(ARGS)

check: environment-dev ## ruff, types and the laws of the repository
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(CODE)
	$(PY) -m pytest --quiet tests

fmt: environment-dev ## put the code into its form
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

lock: environment-dev ## pin what pyproject.toml asks for, with hashes and without index addresses
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	$(filter-out pyproject.toml,$(COMPILE)) --group fuzz -o requirements-fuzz.lock

docs: environment-dev ## write docs/generated anew
	$(PY) -m docs.generate

# A lock is installed again only when it differs from the copy that the last install left behind.
environment: $(VENV)/bin/pip $(VENV)/bin/rostrum
	@cmp -s requirements.lock $(VENV)/requirements.lock || { \
		echo 'Installing pinned packages into $(VENV) (once) ...' && \
		$(INSTALL) requirements.lock && cp requirements.lock $(VENV)/requirements.lock; }

environment-dev: $(VENV)/bin/pip $(VENV)/bin/rostrum
	@cmp -s requirements-dev.lock $(VENV)/requirements-dev.lock || { \
		echo 'Installing pinned packages and test tools into $(VENV) (once) ...' && \
		$(INSTALL) requirements-dev.lock && cp requirements-dev.lock $(VENV)/requirements-dev.lock; }

$(VENV)/bin/rostrum: cli/launch.sh | $(VENV)/bin/pip
	@cp cli/launch.sh $@ && chmod 755 $@

$(VENV)/bin/pip:
	@command -v $(PYTHON) >/dev/null || { \
		echo '$(PYTHON) is missing: install Python 3.11 or newer (Debian: apt install python3)' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo '$(PYTHON) is older than 3.11: install a newer one and name it, as in make PYTHON=python3.11 ...' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo '$(PYTHON) has no venv module: install it (Debian: apt install python3-venv)' >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
