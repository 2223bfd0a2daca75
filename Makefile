# SPDX-License-Identifier: Apache-2.0

# tox passes the directories of its own environments.
BIN ?= .venv/bin
NOVA_BIN ?= .venv-nova/bin
REPORT := build/report
CHECKS := pep8 unit functional integration nova docs releasenotes

.PHONY: help setup demo check bench $(CHECKS) genconfig cover clean \
	style types layers notes paths

help:
	@echo 'make demo     from a flavor to a running domain, thread by thread'
	@echo 'make check    everything that must hold before a change goes in:'
	@echo '              $(CHECKS)'
	@echo 'make bench    rtvirt and nova beside each other, in ratios'
	@echo 'make setup    .venv with the rtvirt command, and no more'
	@echo 'make clean    remove what the others made'

setup:
	@tools/setup.sh package

demo: setup
	@$(BIN)/python tools/demo.py

# All parts run even when one fails; the last line counts the tests.
check:
	@tools/setup.sh package tools nova
	@rm -rf $(REPORT)
	@status=0; \
	$(MAKE) --keep-going --no-print-directory $(CHECKS) || status=$$?; \
	$(BIN)/python tools/summary.py $(REPORT) && exit $$status

bench:
	@tools/setup.sh nova
	$(NOVA_BIN)/python -m tools.bench

# The parts expect that the environment is there.

pep8: style types layers notes paths

style:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

layers:
	$(BIN)/lint-imports

notes:
	$(BIN)/reno --quiet lint

paths:
	$(BIN)/python tools/check_paths.py

unit:
	$(BIN)/pytest -n auto --junitxml=$(REPORT)/$@.xml rtvirt/tests/$@

functional integration:
	$(BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/$@

nova:
	$(NOVA_BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/$@

docs:
	$(BIN)/sphinx-build -W --keep-going -q -b html doc/source doc/build/html

releasenotes:
	$(BIN)/sphinx-build -W --keep-going -q -b html \
		releasenotes/source releasenotes/build/html

genconfig:
	$(BIN)/oslo-config-generator \
		--config-file etc/rtvirt/config-generator.conf

cover:
	$(BIN)/coverage run -m pytest rtvirt/tests/unit
	$(BIN)/coverage html -d build/cover
	$(BIN)/coverage report --skip-covered

clean:
	rm -rf .venv .venv-nova .tox .eggs build dist doc/build \
		releasenotes/build *.egg-info .*_cache .coverage .hypothesis
