# SPDX-License-Identifier: Apache-2.0
"""The traits of a host, and what it says of itself."""

from __future__ import annotations

import pytest

from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.checks.trait import BANDWIDTH
from rtvirt.checks.trait import CACHE
from rtvirt.checks.trait import ISOLATION
from rtvirt.checks.trait import KERNEL
from rtvirt.checks.trait import READY
from rtvirt.checks.trait import find_traits
from rtvirt.checks.words import say_finding
from rtvirt.checks.words import say_summary
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.plugins import host_checks
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host


@pytest.fixture
def host() -> HostFiles:
    return tuned_host()


def traits(host: HostFiles) -> set[str]:
    facts = host.facts()
    return set(find_traits(facts, run_checks(facts, host_checks())))


def test_a_tuned_host_has_them(host: HostFiles) -> None:
    assert traits(host) == {READY, KERNEL, ISOLATION, CACHE}


def test_one_error_takes_the_proof_away(host: HostFiles) -> None:
    host.write('/proc/sys/kernel/sched_rt_runtime_us', '500000\n')
    assert traits(host) == {KERNEL, ISOLATION, CACHE}


def test_what_cannot_be_read_is_no_proof(host: HostFiles) -> None:
    host.forbid('/proc/sys/kernel/sched_rt_runtime_us')
    assert READY not in traits(host)


def test_another_kernel_is_no_realtime_kernel(host: HostFiles) -> None:
    host.remove('/sys/kernel/realtime')
    assert KERNEL not in traits(host)


def test_pcpus_in_load_balancing_are_not_isolated(host: HostFiles) -> None:
    host.write('/sys/devices/system/cpu/isolated', '1\n')
    assert ISOLATION not in traits(host)


def test_nothing_is_known_of_nothing() -> None:
    # And nothing is wrong with what has no checks.
    assert find_traits(HostFacts(), ()) == {READY}


def test_bandwidth_is_a_trait_of_its_own(host: HostFiles) -> None:
    assert BANDWIDTH not in traits(host)
    for name, value in (
        ('min_bandwidth', '10'),
        ('bandwidth_gran', '10'),
        ('num_closids', '8'),
        ('delay_linear', '1'),
    ):
        host.write(f'/sys/fs/resctrl/info/MB/{name}', f'{value}\n')
    assert BANDWIDTH in traits(host)


FINDING = Finding(
    code='RT-B01',
    severity=Severity.ERROR,
    subject='/proc/version',
    expected='PREEMPT_RT',
    actual='PREEMPT',
    hint='boot another kernel',
)


def test_a_finding_is_one_line() -> None:
    assert say_finding(FINDING) == (
        'RT-B01 error: /proc/version: PREEMPT; expected PREEMPT_RT '
        '(to mend it: boot another kernel)'
    )


def test_the_gist_is_one_line() -> None:
    assert say_summary('c7', summarize([FINDING])) == (
        'c7: not ready for real time (1 error)'
    )
    assert say_summary('c7', summarize([])) == (
        'c7: ready for real time (nothing found)'
    )
