# Each target installs what it needs first; it takes only Python 3.11 or newer. PYTHON=python3.12 names another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/shapes
PICTURES := runs/pictures

.PHONY: demo test test-fast campaign lint docs chromium

demo: $(VENV)/train
	$(BIN)/python train.py --config=configs/shapes.py --workdir=$(DEMO)
	$(BIN)/python eval.py --workdir=$(DEMO)
	$(BIN)/cosegnet examples $(PICTURES)
	$(BIN)/cosegnet predict $(PICTURES)

test: $(VENV)/test
	$(BIN)/python -m pytest -n 2

test-fast: $(VENV)/test
	$(BIN)/python -m pytest -n 2 -m 'not slow'

campaign: $(VENV)/test
	PYTHONPATH=.:tests/support $(BIN)/python tests/robustness/campaign.py

lint: $(VENV)/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright --pythonpath $(BIN)/python

docs: $(VENV)/test
	$(BIN)/mkdocs build --strict

# The browser that some tests drive; without it they are skipped.
chromium:
	command -v chromium || { apt-get -qq update && apt-get -qq install --no-install-recommends chromium; }

# The extra of setup.cfg with the name of the target, `train` or `test`.
$(VENV)/train $(VENV)/test: setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: $(PYTHON) is older than Python 3.11; run make PYTHON=python3.11'; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[$(@F)]'
	touch $@
