# SPDX-License-Identifier: Apache-2.0
"""A host comes back from the capabilities that are made of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings

from rtvirt.model.host import HostTopology
from rtvirt.testing import capabilities_xml
from rtvirt.testing import nps4_host
from rtvirt.tests.strategies import regular_hosts

HOSTS = Path(__file__).parents[4] / 'etc' / 'rtvirt' / 'hosts'


@settings(max_examples=20)
@given(regular_hosts())
def test_a_regular_host_comes_back(host: HostTopology) -> None:
    read = HostTopology.from_capabilities(capabilities_xml(host))
    assert read.cells == host.cells


@pytest.mark.parametrize('path', sorted(HOSTS.glob('*.xml')), ids=str)
def test_caches_and_bandwidth_come_back(path: Path) -> None:
    host = HostTopology.from_capabilities(path.read_bytes())
    assert HostTopology.from_capabilities(capabilities_xml(host)) == host


def test_how_pcpus_are_dealt_out_is_not_told() -> None:
    read = HostTopology.from_capabilities(capabilities_xml(nps4_host()))
    for cell in read.cells:
        assert cell.dedicated == cell.shared == cell.cpus
