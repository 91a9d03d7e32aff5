# Bare `make` lists the targets. Each sets up .venv by itself, from nothing but python3.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help demo test soak lint bench bench-compare profile performance fuzz clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

demo: .venv/.ready ## see it work: an S3 stand-in, sample logs, a socket as Wazuh has it, two runs
	@$(BIN)/awsflow demo

test: .venv/.ready ## all tests
	$(BIN)/pytest -q

soak: .venv/.ready ## minutes of random faults and kills over all sources; writes docs/reliability.md; MINUTES=3 SEED=1
	$(BIN)/python -m tests.soak --write --minutes $(or $(MINUTES),3) --seed $(or $(SEED),1)

lint: .venv/.ready ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: .venv/.ready ## measure: a table, and JSON in benchmarks/results/; CLAIMS="types small" for some
	$(BIN)/python -m benchmarks $(CLAIMS)

bench-compare: .venv/.ready ## measure this tree and the revision BASE=... in turn, and print ratios
	$(BIN)/python -m benchmarks --base $(BASE) $(CLAIMS)

profile: .venv/.ready ## where the time goes: CASE=... is a log type, or `small`
	$(BIN)/python -m benchmarks.profile $(CASE)

performance: .venv/.ready ## write docs/performance.md from the latest results
	$(BIN)/python -m benchmarks.report "$$(ls benchmarks/results/*.json | tail -1)" > docs/performance.md

fuzz: .venv/.fuzz ## look for input that breaks something: SECONDS=60 for each TARGET="json_lines gzip", all by default
	$(BIN)/python -m tests.fuzz --seconds $(or $(SECONDS),10) $(TARGET)

clean: ## remove what the other targets made
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis benchmarks/results

.venv/.ready: pyproject.toml
	@test -d .venv || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[codecs,demo,parquet]' --group dev
	@touch $@

.venv/.fuzz: .venv/.ready
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz
	@touch $@
