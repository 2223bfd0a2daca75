# SPDX-License-Identifier: Apache-2.0
"""Read interrupts and network devices."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.host.facts.tree import read_value
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.interrupt import IRQ
from rtvirt.model.facts.interrupt import NIC
from rtvirt.model.facts.interrupt import InterruptFacts
from rtvirt.model.facts.interrupt import NetworkFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import value_or
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_mask
from rtvirt.model.facts.parse import parse_text

_INTERRUPTS_LIMIT: Final = 1 << 25
_COLUMN: Final = 11
"""Characters of one CPU's count in ``/proc/interrupts``: `` %10u``."""

_IS_DIGIT: Final = str.maketrans(' 0123456789', '01111111111')
_IS_COUNT: Final = str.maketrans('0123456789', '0111111111')
_CPU: Final = re.compile(r'CPU(\d{1,5})')
IRQBALANCE: Final = ('/etc/sysconfig/irqbalance', '/etc/default/irqbalance')
"""Red Hat's and Debian's places for its environment."""

BANNED: Final = re.compile(
    r'^\s*(?:export\s+)?IRQBALANCE_BANNED_(CPUS|CPULIST)=["\']?'
    r'([\da-fA-F,-]+)',
    re.MULTILINE,
)


def read_interrupt_facts(tree: Tree) -> InterruptFacts:
    """Read where interrupts and unbound kernel work go."""
    return InterruptFacts(
        **read_fields(tree, InterruptFacts),
        irqs=_read_irqs(tree),
        banned=_read_banned(tree),
    )


def _read_irqs(tree: Tree) -> tuple[IRQ, ...] | Missing:
    text = read_text(tree, '/proc/interrupts', _INTERRUPTS_LIMIT)
    if isinstance(text, Missing):
        return text
    head, _, body = text.partition('\n')
    cpus = [int(cpu) for cpu in _CPU.findall(head) if int(cpu) <= MAX_CPU]
    found = []
    missing: Missing | None = None
    for line in body.splitlines():
        label, colon, rest = line.partition(':')
        number = label.strip()
        if not colon or not number.isdecimal() or len(number) > 9:
            continue
        irq = _read_irq(tree, int(number), rest, cpus)
        if isinstance(irq, IRQ):
            found.append(irq)
        elif irq.is_absent:
            # It was freed since; or a copy of the host has none of them.
            missing = irq
        else:
            return irq
    return tuple(found) if found or missing is None else missing


def _read_irq(
    tree: Tree, number: int, rest: str, cpus: list[int]
) -> IRQ | Missing:
    """Read one interrupt; ``rest`` is what follows its number."""
    directory = f'/proc/irq/{number}'
    effective = read_value(
        tree, f'{directory}/effective_affinity_list', parse_list
    )
    if isinstance(effective, Missing) and effective.is_absent:
        # Interrupt controllers without it deliver to the whole mask.
        effective = read_value(
            tree, f'{directory}/smp_affinity_list', parse_list
        )
    if isinstance(effective, Missing):
        return effective
    width = _COLUMN * len(cpus)
    return IRQ(
        number=number,
        name=' '.join(rest[width:].split()),
        effective=effective,
        counted=_find_counted(rest[:width], cpus),
    )


def _find_counted(columns: str, cpus: list[int]) -> CPUSet:
    """Return the CPUs whose count is not zero.

    The counts stand in columns of fixed width, and a zero alone ends in a
    blank and a zero. To take every eleventh character, twice, is forty
    times as fast as to split the columns: a large host has thousands of
    interrupts on hundreds of CPUs.
    """
    last = columns[_COLUMN - 1 :: _COLUMN].translate(_IS_COUNT)
    other = columns[_COLUMN - 2 :: _COLUMN].translate(_IS_DIGIT)
    try:
        bits = int(last[::-1] or '0', 2) | int(other[::-1] or '0', 2)
    except ValueError:
        return CPUSet()
    found = CPUSet.from_mask(bits)
    if len(cpus) == cpus[-1] + 1:
        return found
    # CPUs that are offline have no column.
    return CPUSet(cpus[column] for column in found)


def _read_banned(tree: Tree) -> CPUSet | Missing:
    """Read what irqbalance is told to leave alone."""
    for path in IRQBALANCE:
        text = value_or(read_text(tree, path), '')
        for kind, value in BANNED.findall(text):
            try:
                return (
                    CPUSet.parse(value)
                    if kind == 'CPULIST'
                    else parse_mask(value)
                )
            except ValueError:
                continue
    return absent(IRQBALANCE[0])


def read_network_facts(tree: Tree) -> NetworkFacts:
    """Read the network devices that have hardware below them."""
    net = '/sys/class/net'
    return NetworkFacts(
        **read_fields(tree, NetworkFacts),
        nics=tuple(
            _read_nic(tree, name)
            for name in tree.names(net)
            if tree.names(f'{net}/{name}/device')
        ),
        iommus=tree.names('/sys/class/iommu') or absent('/sys/class/iommu'),
    )


def _read_nic(tree: Tree, name: str) -> NIC:
    directory = f'/sys/class/net/{name}'
    queues = [
        queue
        for queue in tree.names(f'{directory}/queues')
        if queue.startswith('rx-')
    ]
    rps = 0
    for queue in queues:
        mask = read_value(
            tree, f'{directory}/queues/{queue}/rps_cpus', parse_mask
        )
        rps |= value_or(mask, CPUSet()).mask
    state = read_value(tree, f'{directory}/operstate', parse_text)
    node = read_value(tree, f'{directory}/device/numa_node', parse_int)
    vfs = read_value(tree, f'{directory}/device/sriov_numvfs', parse_int)
    return NIC(
        name=name,
        node=value_or(node, -1),
        is_up=state == 'up',
        rx_queues=len(queues),
        rps=CPUSet.from_mask(rps),
        vfs=value_or(vfs, 0),
    )
