.DEFAULT_GOAL := help
PYTHON ?= python3.11
# One more than there are cores: tests wait for processes, browsers and commits.
TEST_PROCESSES ?= $(shell expr $$(nproc) + 1)
BIN := .venv/bin
# The interpreter that is called python3.11 here, or any other 3.11.
ifeq (, $(shell command -v $(PYTHON) 2>/dev/null))
PYTHON := python3
endif

# Where the environment forbids it, each of a hundred processes would compile what it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run demo test baselines lint format bench bench-api bench-crawl bench-jobs bench-quota bench-webhooks schema fuzz-api chaos chaos-short chaos-control chaos-webhooks chaos-webhooks-short

help: ## Show this.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: .venv/.ready ## Make the environment in .venv/ (once, and again when the requirements change).

.venv/.ready: requirements.txt requirements-dev.txt constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11) and "Python 3.11 or newer is needed.")'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==0.13.8
	$(BIN)/uv pip install --quiet --compile-bytecode --system-certs --python $(BIN)/python --requirements requirements-dev.txt --constraints constraints.txt
	@touch $@

demo: setup ## The same with arguments: make demo ARGS="--products FILE --site URL --port N --exit".
	@$(BIN)/python manage.py demo $(ARGS)

run: setup ## Do the main job on the demo data with live progress, then serve at http://127.0.0.1:8000.
	@$(BIN)/python manage.py demo

test: setup ## Run every test (SQLite, or what DATABASE_URL and REDIS_URL name).
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal

baselines: setup ## Count the queries of each route anew (tests/contract/query_counts.json).
	BASELINES=write $(BIN)/python -m pytest -q tests/contract/test_query_counts.py

lint: setup ## Style, types and import rules.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

schema: setup ## Write docs/openapi.yaml, which the tests compare with the code.
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

fuzz-api: setup ## Ask a live server everything that the schema allows, at most three minutes (schemathesis).
	$(BIN)/python -m tests.contract.fuzz

CHAOS_KILLS ?= 300
CHAOS_SEED ?= $(shell date +%s)

chaos: setup ## Kill everything, hundreds of times: nothing is lost, nothing twice (PostgreSQL, Redis; CHAOS_KILLS, CHAOS_SEED).
	$(BIN)/python -m tests.chaos --kills $(CHAOS_KILLS) --seed $(CHAOS_SEED)
	$(BIN)/python -m tests.chaos --kills $$(($(CHAOS_KILLS) / 5)) --seed $(CHAOS_SEED) --database sqlite
	for guard in transaction fence sweep; do \
	  $(BIN)/python -m tests.chaos --control $$guard --seed $(CHAOS_SEED) --database sqlite || exit 1; \
	done

chaos-short: setup ## The same with 20 kills.
	$(BIN)/python -m tests.chaos --kills 20 --every 1 --freeze 4 6 --lease 12 --seed $(CHAOS_SEED)

chaos-control: setup ## One guard taken out, to see that chaos finds it.
	$(BIN)/python -m tests.chaos --control sweep --seed $(CHAOS_SEED) --database sqlite

chaos-webhooks: setup ## The same of outgoing webhooks, a third of the kills on SQLite, a third on PostgreSQL.
	$(BIN)/python -m tests.chaos.webhooks --kills $$(($(CHAOS_KILLS) / 3)) --seed $(CHAOS_SEED) --database sqlite
	$(BIN)/python -m tests.chaos.webhooks --kills $$(($(CHAOS_KILLS) / 3)) --seed $(CHAOS_SEED)
	for guard in rows take-over transaction; do \
	  $(BIN)/python -m tests.chaos.webhooks --control $$guard --seed $(CHAOS_SEED) --database sqlite || exit 1; \
	done

chaos-webhooks-short: setup ## The same with 14 kills, and beside them one guard taken out.
	$(BIN)/python -m tests.chaos.webhooks --control transaction --seed $(CHAOS_SEED) --database sqlite & control=$$!; \
	$(BIN)/python -m tests.chaos.webhooks --kills 14 --freeze 0.5 2 --seed $(CHAOS_SEED); short=$$?; wait $$control && exit $$short

format: setup ## Put the code into the house style.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: bench-crawl bench-jobs bench-quota bench-webhooks bench-api ## Every benchmark.

bench-crawl: setup ## The crawler against the limit of its pages' latency.
	$(BIN)/python -m tests.bench.crawl

bench-jobs: setup ## Jobs against the limit of their latency and against Celery (PostgreSQL, Redis).
	$(BIN)/python -m tests.bench.jobs

bench-quota: setup ## Units of one counter against a plain UPDATE and SELECT FOR UPDATE (PostgreSQL, pgbench).
	$(BIN)/python -m tests.bench.quota

bench-api: setup ## A page of a list against a bare view and against plain DRF (PostgreSQL, Redis, wrk).
	$(BIN)/python -m tests.bench.api

bench-webhooks: setup ## Webhooks against a bare client and against a Celery task per delivery (PostgreSQL, Redis).
	$(BIN)/python -m tests.bench.webhooks
