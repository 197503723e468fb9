# `make demo` and `make test` need nothing first but Python 3.11 or newer; PYTHON=python3.12 names another.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := runs/shapes

.PHONY: demo test lint

demo: $(VENV)/installed
	$(BIN)/python train.py --config=configs/shapes.py --workdir=$(DEMO)
	$(BIN)/python eval.py --config=configs/shapes.py --workdir=$(DEMO)

test: $(VENV)/installed
	$(BIN)/python -m pytest -n 2

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

$(VENV)/installed: setup.cfg
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'error: $(PYTHON) is older than Python 3.11; run make PYTHON=python3.11'; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test]'
	touch $@
