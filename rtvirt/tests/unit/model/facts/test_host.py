# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.missing import value_or
from rtvirt.model.host import HostTopology
from rtvirt.tests.tuned_host import tuned_host


def test_the_topology_of_facts_knows_what_is_taken() -> None:
    host = HostTopology.from_facts(tuned_host().facts())
    assert host.name == 'compute1'
    # Its four vCPUs, and the emulator's pCPU 0.
    assert [cell.pinned for cell in host.cells] == [
        CPUSet.parse('0-4'),
        CPUSet(),
    ]
    assert [cell.free for cell in host.cells] == [
        CPUSet(),
        CPUSet.parse('5-9'),
    ]


def test_facts_without_a_topology_say_why() -> None:
    with pytest.raises(ModelError, match=r'/sys/devices.* is absent'):
        HostTopology.from_facts(HostFacts())


def test_facts_made_without_arguments_know_nothing() -> None:
    facts = HostFacts()
    assert isinstance(facts.scheduler.rt_runtime_us, Missing)
    assert facts.scheduler.rt_runtime_us.path == (
        '/proc/sys/kernel/sched_rt_runtime_us'
    )
    assert facts.scheduler.rt_runtime_us.is_absent
    assert HostFacts.from_dict(facts.to_dict()) == facts


def test_facts_of_another_version_are_refused() -> None:
    data = {**HostFacts().to_dict(), 'schema_version': 99}
    with pytest.raises(ModelError, match=r'schema_version.* is 99'):
        HostFacts.from_dict(data)


def test_what_is_missing_tells_why() -> None:
    missing = Missing(
        missing=Why.UNREADABLE, path='/x', detail='Permission denied'
    )
    assert str(missing) == 'unreadable (Permission denied)'
    assert not missing.is_absent
    assert value_or(missing, 3) == 3
    assert value_or(2, 3) == 2
