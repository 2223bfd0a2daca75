# SPDX-License-Identifier: Apache-2.0

TOX := .venv/bin/tox run
REPORT := .tox/report

.PHONY: help demo check docs setup clean

help:
	@echo 'make demo     from a flavor to a running, verified domain'
	@echo 'make check    everything that must hold before a change goes in'
	@echo 'make docs     the documentation, in doc/build/html'
	@echo 'make setup    .venv with the rtvirt command'
	@echo 'make clean    remove what the others made'

setup:
	@tools/setup.sh package

demo: setup
	@.venv/bin/python tools/demo.py

# All environments run even when one fails; the last line counts the tests.
check:
	@tools/setup.sh tox
	@rm -rf $(REPORT)
	@status=0; $(TOX) || status=$$?; \
	.venv/bin/python tools/summary.py $(REPORT) && exit $$status

docs:
	@tools/setup.sh tox
	@$(TOX) -e docs

clean:
	rm -rf .venv .tox .eggs build dist doc/build releasenotes/build \
		*.egg-info .*_cache .coverage .hypothesis
