# `make run` serves the site on this machine; `make test` checks it. Both make .venv/ first.

PYTHON ?= python3
BIN := .venv/bin
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/messages.po)

.PHONY: help run demo test lint format messages clean

help:
	@echo "make run       install and serve on http://127.0.0.1:8000 with one worker"
	@echo "make demo      the same with two rendered cameras to look at, nothing to upload"
	@echo "make test      install and run every check"
	@echo "make lint      ruff and mypy only"
	@echo "make format    rewrite the code as ruff formats it"
	@echo "make messages  collect new sentences into translations/"
	@echo "make clean     remove .venv/ and caches (data/ stays)"

.venv/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
		{ echo "Python 3.10 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=/path/to/python3."; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/made requirements.txt
	@echo "Installing what Resight needs into .venv/ (the first time takes a few minutes)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/python -c 'import cv2' || \
		{ echo "OpenCV lacks system libraries here. On Debian or Ubuntu: sudo apt-get install libgl1 libglib2.0-0 libxcb1"; exit 1; }
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/compiled: .venv/installed $(CATALOGUES)
	@$(BIN)/pybabel --quiet compile --directory translations
	@touch $@

run: .venv/installed .venv/compiled
	@exec $(BIN)/python app.py

demo: .venv/installed .venv/compiled
	@exec $(BIN)/python demo.py

lint: .venv/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint .venv/compiled
	$(BIN)/python -m pytest -n 2 --dist loadfile

format: .venv/installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

messages: .venv/installed
	$(BIN)/pybabel extract --mapping babel.cfg --keyword N_ --no-location --sort-output --project Resight --output messages.pot .
	$(BIN)/pybabel update --input-file messages.pot --output-dir translations --no-fuzzy-matching
	@rm messages.pot

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache
