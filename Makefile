# make help    this text
# make check   judge the reference server with the suite; ends in a report (also in reports/).
#              Without torch: make check TARGET=mock
# make test    lint, types, tests
# make matrix  the suite against every fault and quirk; fails on any hole or where docs/detection.* are not up to date
# make docs    the documentation site, into site/
# Each makes its own environment in .venv when needed. Other Pythons: make check PYTHON=python3.12

TARGET := reference
PROFILE := hardened
SITE := site

VENV := .venv
LIGHT := $(VENV)/.ready-light
FULL := $(VENV)/.ready-full
DOCS := $(VENV)/.ready-docs
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
FOUND := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$python; break; }; done)
PYTHON := $(FOUND)
# Tests compute for four tenths of their time and wait for servers, browsers and time-outs: five workers to two cores.
CORES := $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
WORKERS = $(shell expr $(CORES) \* 5 / 2)
# These compute, and load torch and OpenVINO into their workers, which run nothing else: three to two cores.
ENGINE := tests/reference_engine tests/benchmarks
# The upscalers' and what is measured have workers of their own: some that went on from them to the training have died.
COMPILED := tests/reference_engine/upscaling tests/benchmarks
ENGINE_WORKERS = $(shell expr \( $(CORES) \* 3 + 1 \) / 2)
in_workers = PYTEST_XDIST_AUTO_NUM_WORKERS=$${PYTEST_XDIST_AUTO_NUM_WORKERS:-$(1)} \
	$(VENV)/bin/pytest -n auto --dist worksteal --instafail --timeout 300

.PHONY: help check test matrix docs clean

help:
	@sed -n 's/^# \{0,1\}//p' Makefile

check: $(if $(filter mock,$(TARGET)),$(LIGHT),$(FULL))
	@mkdir -p reports
	$(VENV)/bin/pytest --target $(TARGET) --profile $(PROFILE) \
		--json-report reports/check.json --html-report reports/check.html --junitxml reports/check.xml

test: $(FULL)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	for system in win32 darwin; do $(VENV)/bin/mypy --platform $$system --no-warn-unused-ignores \
		--cache-dir .mypy_cache/$$system conformance mockserver reference_engine/local_dream_reference || exit 1; done
	$(call in_workers,$(WORKERS)) $(addprefix --ignore ,$(ENGINE))
	$(call in_workers,$(ENGINE_WORKERS)) $(COMPILED)
	$(call in_workers,$(ENGINE_WORKERS)) tests/reference_engine --ignore tests/reference_engine/upscaling
	$(VENV)/bin/pytest -q tests/reference_engine/upscaling/test_upscaler.py -k memory # not in a worker: it says why

matrix: $(LIGHT)
	$(VENV)/bin/python -m tests.matrix --check

docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict --site-dir $(SITE)
	@echo "$(SITE)/index.html"

$(LIGHT): EXTRAS := dev
$(FULL): EXTRAS := dev,docs,reference
$(DOCS): EXTRAS := docs
$(LIGHT) $(FULL) $(DOCS): pyproject.toml
	@$(if $(PYTHON),,echo "Python 3.11 or newer is needed, and none was found (python3 is $$(python3 -V 2>&1))" >&2; exit 1)
	@$(PYTHON) -c '$(NEW_ENOUGH)' || { echo "Python 3.11 or newer is needed, and $(PYTHON) is older" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf $(VENV) reports site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
