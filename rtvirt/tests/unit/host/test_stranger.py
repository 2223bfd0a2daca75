# SPDX-License-Identifier: Apache-2.0
"""Who is a stranger on the pCPUs of a domain, and who is not."""

from __future__ import annotations

import pytest

from rtvirt.host.qemu import Guest
from rtvirt.host.stranger import Neighbours
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.task import Policy
from rtvirt.model.facts.task import Task
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole

OWN = Guest(uuid='u', pid=70, name='rt', vhost=(79,))
OTHER = Guest(uuid='o', pid=90, name='other', vhost=(99,))
CPUS = CPUSet([3])


def task(
    pid: int,
    name: str,
    cpus: str,
    *,
    tid: int = 0,
    policy: int = 0,
    priority: int = 0,
    kernel: bool = False,
    bound: bool = False,
) -> Task:
    return Task(
        pid=pid,
        tid=tid or pid,
        name=name,
        process=name,
        kernel=kernel,
        bound=bound,
        policy=policy,
        priority=priority,
        allowed=CPUSet.parse(cpus),
    )


def strangers(*tasks: Task, usual: str = '0-3') -> list[str]:
    every = (task(1, 'systemd', usual), *tasks)
    found = Neighbours(every, (OWN, OTHER)).find_strangers(OWN, CPUS)
    assert not isinstance(found, Missing)
    return [one.name for one in found]


@pytest.mark.parametrize(
    ('one', 'is_stranger'),
    [
        (task(90, 'CPU 0/KVM', '3'), True),
        (task(90, 'CPU 0/KVM', '2'), False),
        # An unpinned thread of QEMU may go anywhere.
        (task(90, 'qemu-system-x86', '0-3'), True),
        (task(90, 'TC ram-node0', '0-3'), False),
        (task(99, 'vhost-90', '0-3', kernel=True), True),
        (task(70, 'CPU 1/KVM', '3', policy=Policy.FIFO, priority=1), False),
        (task(79, 'vhost-70', '3', kernel=True), False),
        # Whom nobody pinned, the host's isolation keeps away.
        (task(5, 'sshd', '0-3'), False),
        (task(5, 'sshd', '2-3'), True),
        (task(5, 'sshd', '0-2'), False),
        (task(5, 'jackd', '0-3', policy=Policy.FIFO, priority=80), True),
        (task(5, 'jackd', '0-3', policy=Policy.DEADLINE), True),
        (task(5, 'boinc', '0-3', policy=Policy.IDLE), False),
        # The kernel's own.
        (task(5, 'ksoftirqd/3', '3', kernel=True, bound=True), False),
        (task(5, 'irq/9', '3', policy=1, priority=50, kernel=True), False),
    ],
)
def test_who_is_one(one: Task, is_stranger: bool) -> None:
    assert strangers(one) == ([one.name] if is_stranger else [])


def test_where_the_host_keeps_tasks_away_a_wide_one_is_a_stranger() -> None:
    assert strangers(task(5, 'sshd', '0-3'), usual='0-1') == ['sshd']


def test_a_stranger_tells_whose_it_is() -> None:
    one = task(90, 'CPU 0/KVM', '3', tid=94, policy=1, priority=5)
    found = Neighbours((one,), (OWN, OTHER)).find_strangers(OWN, CPUS)
    assert found == (
        Stranger(
            pid=90,
            tid=94,
            name='CPU 0/KVM',
            process='CPU 0/KVM',
            guest='other',
            role=ThreadRole.VCPU,
            scheduling=Scheduling(cpus=CPUS, policy='fifo', priority=5),
        ),
    )


def test_a_domain_that_is_being_started_is_not_pinned_yet() -> None:
    both = (task(1, 'init', '0-3'), task(90, 'qemu-system-x86', '0-3'))
    found = Neighbours(both, (OWN, OTHER), settled={OWN.uuid})
    assert found.find_strangers(OWN, CPUS) == ()


def test_what_is_hidden_is_told() -> None:
    why = Missing(missing=Why.UNREADABLE, path='/proc/*/task/*')
    assert Neighbours(why, (OWN,)).find_strangers(OWN, CPUS) == why
