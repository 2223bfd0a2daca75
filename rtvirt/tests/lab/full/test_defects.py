# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a host is reported by its code, and nothing else is."""

from __future__ import annotations

from typing import Final

from rtvirt.tests.lab.guests import rtvirt
from tools.lab.machine import EmulatedHost
from tools.lab.machine import emulated_host
from tools.lab.topology import UNTUNED

# By code: how to break a tuned host, and how to mend it.
LIVE: Final = {
    'RT-B04': (
        'sysctl -w kernel.sched_rt_runtime_us=950000',
        'sysctl -w kernel.sched_rt_runtime_us=-1',
    ),
    'RT-B14': (
        'sysctl -w kernel.timer_migration=1',
        'sysctl -w kernel.timer_migration=0',
    ),
    'RT-B15': (
        'sysctl -w vm.stat_interval=1',
        'sysctl -w vm.stat_interval=10',
    ),
    'RT-C14': (
        'chrt -o -p 0 $(pgrep -x ksoftirqd/2)',
        'chrt -f -p 2 $(pgrep -x ksoftirqd/2)',
    ),
    'RT-C15': (
        'echo ff >/sys/devices/virtual/workqueue/cpumask',
        'echo 03 >/sys/devices/virtual/workqueue/cpumask',
    ),
    'RT-D01': (
        'echo ff >/proc/irq/default_smp_affinity',
        'echo 03 >/proc/irq/default_smp_affinity',
    ),
    'RT-F04': (
        'echo 1 >/sys/kernel/mm/ksm/run',
        'echo 2 >/sys/kernel/mm/ksm/run',
    ),
}

# What only a boot can set, and an installed host does not have.
BOOT: Final = {
    *('RT-B09', 'RT-B10', 'RT-B11', 'RT-C01', 'RT-C03', 'RT-C04'),
    *('RT-C05', 'RT-C12', 'RT-D02', 'RT-F01', 'RT-H01', 'RT-X02'),
}


def codes(host: EmulatedHost, line: str, *, code: int) -> set[str]:
    found = rtvirt(host, f'host check {line}', code=code)
    return {finding['code'] for finding in found['findings']}


def test_live_defects(host: EmulatedHost) -> None:
    only = f'--only {",".join(LIVE)} --fail-on info'
    assert codes(host, only, code=0) == set()

    breaks, mends = zip(*LIVE.values(), strict=True)
    host.shell(' && '.join(breaks)).check()
    try:
        assert codes(host, only, code=3) == set(LIVE)
    finally:
        host.shell(' && '.join(mends)).check()
    assert codes(host, only, code=0) == set()


def test_an_installed_host_lacks_what_a_boot_sets() -> None:
    with emulated_host(UNTUNED) as host:
        found = codes(host, '--dedicated 2-7', code=3)

    assert found >= BOOT
