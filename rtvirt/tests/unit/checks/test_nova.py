# SPDX-License-Identifier: Apache-2.0
"""The nova that is installed, and what it is configured to load."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rtvirt.checks.nova import CHECKS
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.nova import InstalledNova
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.tests.tuned_host import tuned_host

DRIVER = 'rtvirt.RTLibvirtDriver'


def found(**nova: Any) -> list[Finding]:
    """Return what is wrong with nova, where these facts are of it."""
    facts = tuned_host().facts()
    changed = dataclasses.replace(facts.nova, **nova)
    return list(CHECKS(dataclasses.replace(facts, nova=changed)))


def installed(**changes: str) -> InstalledNova:
    fields = {
        'python': '/opt/nova/bin/python3',
        'version': '34.0.0',
        'rtvirt': '1.0.0',
    }
    return InstalledNova(**{**fields, **changes})


def test_a_nova_that_loads_the_driver_is_right() -> None:
    assert not found(driver=DRIVER, installed=installed(), rtvirt='1.0.0')


def test_a_driver_that_cannot_be_imported_is_an_error() -> None:
    fault = "ModuleNotFoundError: No module named 'rtvirt'"
    (finding,) = found(driver=DRIVER, installed=installed(fault=fault))
    assert (finding.code, finding.severity) == ('RT-H06', Severity.ERROR)
    assert finding.subject == '/opt/nova/bin/python3'
    assert finding.actual == fault


def test_the_driver_of_nova_is_worth_knowing() -> None:
    (finding,) = found(driver='libvirt.LibvirtDriver')
    assert (finding.code, finding.severity) == ('RT-H06', Severity.INFO)


@pytest.mark.parametrize('name', ['NUMATopologyFilter', 'RTVirtFilter'])
def test_either_filter_will_do(name: str) -> None:
    assert not found(filters=('ComputeFilter', name))


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'version': '31.0.0'}, 'nova 31.0.0'),
        ({'version': '35.0.0'}, 'nova 35.0.0'),
        ({'version': ''}, 'nova '),
        ({'rtvirt': '0.9.0'}, 'rtvirt 0.9.0'),
    ],
)
def test_versions_that_do_not_go_together(
    changes: dict[str, str], words: str
) -> None:
    (finding,) = found(installed=installed(**changes), rtvirt='1.0.0')
    assert finding.code == 'RT-H08'
    assert finding.actual == words


def test_a_host_without_nova_has_nothing_to_be_wrong() -> None:
    assert not list(CHECKS(HostFacts()))
