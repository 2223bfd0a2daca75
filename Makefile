# SPDX-License-Identifier: Apache-2.0

# tox passes the directories of its own environments.
BIN ?= .venv/bin
NOVA_BIN ?= .venv-nova/bin
NOVA_RELEASES := 33.0.2 32.2.1
REPORT := build/report
CHECKS := pep8 unit functional integration nova emulated docs releasenotes

TOOLED := style types layers notes paths unit functional integration \
	emulated docs releasenotes genconfig cover

.PHONY: help setup tools nova-tools demo lab cloud check bench stress \
	release clean $(CHECKS) $(TOOLED) \
	differential services releases image links

help:
	@echo 'make demo     from a flavor to a running domain, thread by thread'
	@echo 'make lab      the same on an emulated real-time host, from its first'
	@echo '              check to a measured guest'
	@echo 'make cloud    the same on an OpenStack, started for it; as root'
	@echo 'make check    everything that must hold before a change goes in;'
	@echo '              one part of it: make pep8, unit, functional,'
	@echo '              integration, nova, emulated, docs, releasenotes'
	@echo 'make bench    rtvirt and nova beside each other, in ratios'
	@echo 'make stress   many domains at once, killed anywhere; as root'
	@echo 'make release  all of a release but its publishing, in build/release'
	@echo 'make setup    .venv with the rtvirt command, and no more'
	@echo 'make clean    remove what the others made'

setup:
	@tools/setup.sh package

# An environment of tox has everything already.
tools:
ifeq ($(origin BIN),file)
	@tools/setup.sh package tools
endif

nova-tools:
ifeq ($(origin NOVA_BIN),file)
	@tools/setup.sh nova
endif

demo: setup
	@$(BIN)/python tools/demo.py

lab: setup
	@$(BIN)/python -m tools.lab.talk

cloud:
	@tools/setup.sh cloud
	@.venv-cloud/bin/python -m tools.cloud

# Domains, pages and pCPUs are for one part at a time; what needs none runs
# beside those that do, and the emulated host, which takes all CPUs, alone.
# All parts run even when one fails; the last line counts the tests.
PURE := pep8 unit differential releases image docs releasenotes
PART := $(MAKE) --keep-going --no-print-directory

check: tools nova-tools
	@rm -rf $(REPORT) && mkdir -p $(REPORT)
	@status=0; \
	$(PART) $(PURE) >$(REPORT)/pure.log 2>&1 & pure=$$!; \
	$(PART) functional integration services || status=$$?; \
	wait $$pure || status=$$?; \
	$(PART) emulated || status=$$?; \
	cat $(REPORT)/pure.log; \
	$(BIN)/python tools/summary.py $(REPORT) && exit $$status

bench: nova-tools
	$(NOVA_BIN)/python -m tools.bench

stress: tools
	RTVIRT_STRESS=1 $(BIN)/pytest -s rtvirt/tests/integration/test_together.py \
		rtvirt/tests/integration/test_killed.py

release:
	@tools/setup.sh release
	.venv-release/bin/python tools/release.py build/release

$(TOOLED): tools

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
	$(BIN)/pytest -n 2 --dist worksteal --junitxml=$(REPORT)/$@.xml \
		rtvirt/tests/$@

functional integration:
	$(BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/$@

# On an emulated host; all of it: tox -e lab -- --full
emulated:
	$(BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/lab

image: tools
	$(BIN)/python -m tools.lab image

nova: differential services releases

differential: nova-tools
	$(NOVA_BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/nova

services: nova-tools
	$(NOVA_BIN)/pytest --junitxml=$(REPORT)/$@.xml rtvirt/tests/services

releases: nova-tools
	@set -e; for release in $(NOVA_RELEASES); do \
		tools/nova_release.sh $(NOVA_BIN) $$release \
			--junitxml=$(REPORT)/nova-$$release.xml \
			rtvirt/tests/services/test_path.py; \
	done

docs:
	$(BIN)/sphinx-build -W --keep-going -q -b html doc/source doc/build/html
	$(BIN)/sphinx-build -W --keep-going -q -b man doc/source doc/build/man

# The one check that needs the network, and so no part of `make check`.
links: tools
	$(BIN)/sphinx-build -W --keep-going -q -b linkcheck \
		doc/source doc/build/links

releasenotes:
	$(BIN)/sphinx-build -W --keep-going -q -b html \
		releasenotes/source releasenotes/build/html

genconfig:
	$(BIN)/oslo-config-generator \
		--config-file etc/rtvirt/config-generator.conf
	$(BIN)/oslo-config-generator \
		--config-file etc/rtvirt/config-generator-nova.conf

cover:
	$(BIN)/coverage run -m pytest rtvirt/tests/unit
	$(BIN)/coverage html -d build/cover
	$(BIN)/coverage report --skip-covered

clean:
	rm -rf .venv .venv-nova .venv-release .venv-cloud .tox .eggs build dist doc/build \
		releasenotes/build *.egg-info .*_cache .coverage .hypothesis
