# SPDX-License-Identifier: Apache-2.0
"""D: device interrupts stay away from real-time pCPUs."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.interrupt import IRQ
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-D01',
    'New interrupts go to housekeeping pCPUs',
    Severity.WARNING,
    reads=('/proc/irq/default_smp_affinity',),
    expected='no pCPU of real-time guests',
    why='An interrupt that a driver requests from now on begins with this '
    'affinity. A network device that is reset or a disk that is plugged in '
    'would otherwise interrupt a vCPU.',
    source='kernel: Documentation/core-api/irq/irq-affinity.rst; tuned: '
    'realtime',
    mend='write the mask of the housekeeping pCPUs to the file',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def default_affinity(facts: HostFacts) -> Iterator[Answer]:
    """Compare the mask."""
    wanted = realtime_cpus(facts)
    default = facts.interrupt.default_affinity
    taken = value_or(default, CPUSet()) & wanted
    yield from judge(default, lambda _: not taken)


@check(
    'RT-D02',
    'No device interrupts a real-time pCPU',
    Severity.ERROR,
    reads=('/proc/irq/*/effective_affinity_list', '/proc/interrupts'),
    expected='effective affinities without pCPUs of real-time guests, but '
    'for devices assigned to guests',
    why='An interrupt stops a vCPU for the handler, the exit and the entry '
    'that follow, on PREEMPT_RT with a thread to wake besides. What counts '
    'is where it is delivered (effective), which may be narrower than what '
    'was asked for.',
    source='kernel: Documentation/core-api/irq/irq-affinity.rst',
    mend='write the housekeeping pCPUs to '
    '/proc/irq/N/smp_affinity_list; managed ones take '
    'isolcpus=managed_irq and a reboot',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def delivered(facts: HostFacts) -> Iterator[Answer]:
    """Tell those that have been seen there from those that could be."""
    if isinstance(facts.interrupt.irqs, Missing):
        yield undecided(facts.interrupt.irqs)
        return
    wanted = realtime_cpus(facts)
    aimed = [
        irq
        for irq in facts.interrupt.irqs
        if irq.effective & wanted and not _is_assigned(irq)
    ]
    seen = [irq for irq in aimed if irq.counted & irq.effective & wanted]
    if seen:
        yield Answer(actual=_list(seen))
    silent = [irq for irq in aimed if irq not in seen]
    if silent:
        yield Answer(
            actual=f'{_list(silent)}, none counted yet',
            severity=Severity.WARNING,
        )


def _is_assigned(irq: IRQ) -> bool:
    """Whether the interrupt belongs to a device of a guest."""
    return 'vfio' in irq.name


def _list(irqs: list[IRQ]) -> str:
    return some(f'{irq.number} ({irq.name})' for irq in irqs)


@check(
    'RT-D03',
    'irqbalance leaves real-time pCPUs alone',
    Severity.WARNING,
    reads=('/proc/*/comm', '/etc/sysconfig/irqbalance'),
    expected='not running, or every pCPU of real-time guests banned',
    why='irqbalance moves interrupts every ten seconds to where it thinks '
    'best, undoing what was set by hand. By itself it spares isolcpus= and '
    'nohz_full= CPUs; a list of banned CPUs takes the place of those.',
    source='irqbalance(1) (IRQBALANCE_BANNED_CPULIST); RHEL 10: configuring '
    'real-time virtualization',
    mend='systemctl disable --now irqbalance, or '
    'IRQBALANCE_BANNED_CPULIST= with the real-time pCPUs',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def irqbalance(facts: HostFacts) -> Iterator[Answer]:
    """Compare what it is banned from, by order or by default."""
    running = facts.service.running
    if isinstance(running, Missing):
        yield undecided(running)
        return
    if 'irqbalance' not in running:
        return
    spared = facts.interrupt.banned
    if isinstance(spared, Missing):
        spared = find_isolation(facts).boot | value_or(
            facts.cpu.nohz_full, CPUSet()
        )
    left = realtime_cpus(facts) - spared
    if left:
        yield Answer(actual=f'it runs, and may use {left}')


CHECKS = CheckGroup((default_affinity, delivered, irqbalance))
