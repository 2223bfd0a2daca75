# SPDX-License-Identifier: Apache-2.0
"""Random flavors and images: mostly sound, sometimes not quite."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field
from typing import Final

from hypothesis import strategies as st


@dataclass
class Case:
    """A flavor and an image as plain data."""

    vcpus: int = 4
    memory_mib: int = 4096
    specs: dict[str, str] = field(default_factory=dict)
    image: dict[str, str] = field(default_factory=dict)


class Dice(random.Random):
    """A source of values, of which some are odd."""

    def mostly(self, good: tuple[str, ...], odd: tuple[str, ...]) -> str:
        return self.choice(odd if self.random() < 0.08 else good)

    def mask(self, vcpus: int) -> str:
        """A mask for a guest with ``vcpus``; seldom a wrong one."""
        last = vcpus - 1
        cpus = self.sample(range(vcpus), self.randint(1, vcpus))
        return self.mostly(
            (
                '^0', '^0-1', '^0,2', '2-3', '0', '1', f'0-{last}',
                f'1-{last}', f'^{last}', f'0-{last},^0', '2-3,^3', '^0,^1',
                ' ^0 ', '0, 1', ','.join(map(str, cpus)),
                ','.join(f'^{cpu}' for cpu in cpus), '',
            ),
            (
                f'^{vcpus}', f'{vcpus}', '2-9', f'^0-{last}', '^1-0', 'abc',
                ',', '^', '1-', '0--1', '^0,^99', ' ', '^^0', '1^', '\u0661',
            ),
        )  # fmt: skip


Roll = Callable[[Dice, int], str]
"""Returns a value for a guest of so many vCPUs."""


def _words(good: tuple[str, ...], odd: tuple[str, ...]) -> Roll:
    return lambda dice, _: dice.mostly(good, odd)


_TRUTH: Final = _words(
    ('yes', 'true', 'True', '1', 'on', 'no', 'false', '0', ' YES '),
    ('maybe', '', 'ture', '2'),
)
_NUMBER: Final = _words(
    ('1', '2', '4', '3', '8', '16'),
    ('0', '-1', '', 'x', ' 2', '2.0', '+2', '1_0', '02', '65537', '\xb2'),
)
_SIZE: Final = _words(
    (
        'large', 'small', 'any', '4', '2048', '1048576', '2MB', '1GB', '2MiB',
        '1GiB', '2048KB', '16Mbit', '2048KiB', '0', '',
    ),
    (
        '2M', '1G', '2048kB', '1.5MB', '.5GB', '0KB', '1TB', 'big', '-1',
        '-1GB', '2 MB', '1gb', '2Mb', '4kb', '0.3MB', '1024B', '8bit',
        'LARGE', '+2MB', '0x800', '1e3', '2MBB', '2048Ki', '\u0661', '\xb2',
        '7', '00004', '+4', '4_8', '-1KB',
    ),
)  # fmt: skip
_POLICY: Final = _words(('dedicated', 'shared', 'mixed'), ('', 'Dedicated'))
_THREADS: Final = _words(('prefer', 'isolate', 'require'), ('', 'avoid'))
_EMULATOR: Final = _words(('isolate', 'share'), ('', 'shared'))
_PCI: Final = _words(
    ('required', 'preferred', 'legacy', 'socket'), ('', 'never')
)
_TRAIT: Final = _words(('required', 'forbidden'), ('', 'wanted'))
_QUOTA: Final = _words(
    ('1000', '100000', '2048', '0'), ('-1', '12', 'x', '-5', '9' * 14, '')
)
_MODEL: Final = _words(
    ('amd-sev', 'amd-sev-es', 'amd-sev-snp', 'intel-tdx'), ('', 'sev')
)
_TOPOLOGY: Final = tuple(
    f'cpu_{limit}{part}'
    for limit in ('', 'max_')
    for part in ('sockets', 'cores', 'threads')
)


def _amount(dice: Dice, vcpus: int) -> str:
    return dice.mostly((str(vcpus), str(vcpus + 1), '1'), ('0', 'x', '', '-1'))


_SPECS: Final[dict[str, Roll]] = {
    'hw:cpu_policy': _POLICY,
    'hw:cpu_thread_policy': _THREADS,
    'hw:emulator_threads_policy': _EMULATOR,
    'hw:cpu_dedicated_mask': Dice.mask,
    'hw:cpu_realtime': _TRUTH,
    'hw:cpu_realtime_mask': Dice.mask,
    'hw:numa_nodes': _NUMBER,
    'hw:mem_page_size': _SIZE,
    'hw:locked_memory': _TRUTH,
    'hw:mem_encryption': _TRUTH,
    'hw:mem_encryption_model': _MODEL,
    'hw:pmem': _words(('6GB', '6GB,16GB'), ('', ',', ' ')),
    'hw:pmu': _TRUTH,
    'hw:vif_multiqueue_enabled': _TRUTH,
    'hw:hide_hypervisor_id': _TRUTH,
    'hide_hypervisor_id': _TRUTH,
    'hw:pci_numa_affinity_policy': _PCI,
    'hw:watchdog_action': _words(('reset', 'none'), ('bark',)),
    'hw:maxphysaddr_bits': _NUMBER,
    'hw:numa_cpus.0': Dice.mask,
    'hw:numa_mem.0': _NUMBER,
    'hw:numa_mem.1': _NUMBER,
    'resources:PCPU': _amount,
    'resources1:PCPU': _amount,
    'resources:VCPU': _amount,
    'resources_A:PCPU': _amount,
    'resources01:PCPU': _amount,
    'trait:HW_CPU_HYPERTHREADING': _TRAIT,
    'trait2:HW_CPU_HYPERTHREADING': _TRAIT,
    'trait_B:HW_CPU_HYPERTHREADING': _TRAIT,
    'quota:cpu_shares': _QUOTA,
    'quota:cpu_period': _QUOTA,
    'quota:cpu_quota': _QUOTA,
    'os:secure_boot': _words(('required',), ('maybe',)),
    **{f'hw:{name}': _NUMBER for name in _TOPOLOGY},
}

_IMAGE: Final[dict[str, Roll]] = {
    'hw_cpu_policy': _POLICY,
    'hw_cpu_thread_policy': _THREADS,
    'hw_cpu_realtime_mask': Dice.mask,
    'hw_numa_nodes': _NUMBER,
    'hw_mem_page_size': _SIZE,
    'hw_locked_memory': _TRUTH,
    'hw_mem_encryption': _TRUTH,
    'hw_mem_encryption_model': _MODEL,
    'hw_firmware_type': _words(('uefi', 'bios'), ('', 'coreboot')),
    'hw_firmware_stateless': _TRUTH,
    'hw_machine_type': _words(('q35', 'pc-q35-7.2'), ('pc', '')),
    'hw_video_model': _words(('none', 'virtio'), ('', 'cga')),
    'hw_pmu': _TRUTH,
    'hw_vif_multiqueue_enabled': _TRUTH,
    'img_hide_hypervisor_id': _TRUTH,
    'hw_pci_numa_affinity_policy': _PCI,
    'hw_disk_bus': _words(('virtio', 'scsi'), ('nvme',)),
    'trait:HW_CPU_HYPERTHREADING': _TRAIT,
    'hw_numa_cpus.0': Dice.mask,
    'hw_numa_mem.0': _NUMBER,
    'hw_cpu_polcy': _POLICY,
    'os_distro': _POLICY,
    **{f'hw_{name}': _NUMBER for name in _TOPOLOGY},
}


def _lists(
    dice: Dice, vcpus: int, memory_mib: int, prefix: str
) -> dict[str, str]:
    """Divide vCPUs and memory among cells; seldom, not quite."""
    count = dice.randint(1, min(4, vcpus))
    homes = [dice.randrange(count) for _ in range(vcpus)]
    cuts = [memory_mib * cell // count // 256 * 256 for cell in range(count)]
    cuts.append(memory_mib)
    lists = {f'{prefix}numa_nodes': str(count)}
    for cell in range(count):
        cpus = [str(cpu) for cpu in range(vcpus) if homes[cpu] == cell]
        lists[f'{prefix}numa_cpus.{cell}'] = ','.join(cpus)
        lists[f'{prefix}numa_mem.{cell}'] = str(cuts[cell + 1] - cuts[cell])
    key = dice.choice(sorted(lists))
    match dice.randrange(12):
        case 0:
            del lists[key]
        case 1:
            lists[key] = dice.choice(
                ('0', '0-1', '512', '99', 'abc', '', '-256', '1_0')
            )
        case 2:
            lists[f'{prefix}numa_mem.{count}'] = '256'
        case 3:
            lists[f'{prefix}numa_cpus.{count + 1}'] = '0'
        case _:
            pass
    return lists


def _basis(dice: Dice, vcpus: int, memory_mib: int) -> dict[str, str]:
    """Return the extra specs of a flavor of a usual sort."""
    specs: dict[str, str] = {}
    match dice.randrange(9):
        case 0:
            specs = {'resources:PCPU': str(vcpus)}
        case 1:
            specs = {'hw:cpu_policy': 'dedicated'}
        case 2 | 3 | 4:
            policy = dice.choice(('dedicated', 'dedicated', 'mixed'))
            specs = {'hw:cpu_policy': policy, 'hw:cpu_realtime': 'yes'}
            if dice.random() < 0.8:
                specs['hw:cpu_realtime_mask'] = dice.mask(vcpus)
            if dice.random() < 0.5:
                specs['hw:emulator_threads_policy'] = _EMULATOR(dice, vcpus)
        case 5:
            specs = {
                'hw:cpu_policy': 'mixed',
                'hw:cpu_dedicated_mask': dice.mask(vcpus),
            }
        case 6:
            specs = {
                'hw:numa_nodes': dice.choice(('1', '2')),
                'hw:mem_page_size': _SIZE(dice, vcpus),
            }
        case 7:
            specs = _lists(dice, vcpus, memory_mib, 'hw:')
            if dice.random() < 0.5:
                specs['hw:cpu_policy'] = 'dedicated'
        case _:
            pass
    return specs


def _add(
    dice: Dice, to: dict[str, str], rolls: dict[str, Roll], vcpus: int
) -> None:
    for key in dice.sample(sorted(rolls), dice.choice((0, 0, 1, 1, 2, 3))):
        to[key] = rolls[key](dice, vcpus)


def roll_case(seed: int) -> Case:
    """Return a flavor and an image, more than half of them sound."""
    dice = Dice(seed)
    vcpus = dice.choice((1, 2, 2, 3, 4, 4, 4, 6, 8, 16))
    memory_mib = dice.choice((1024, 2048, 4096, 6144))
    specs = _basis(dice, vcpus, memory_mib)
    _add(dice, specs, _SPECS, vcpus)
    image: dict[str, str] = {}
    if dice.random() < 0.4:
        _add(dice, image, _IMAGE, vcpus)
        if dice.random() < 0.1:
            image |= _lists(dice, vcpus, memory_mib, 'hw_')
    return Case(vcpus, memory_mib, specs, image)


def cases() -> st.SearchStrategy[Case]:
    """Flavors and images.

    Of one drawn number each: drawing every choice from hypothesis takes
    ten times as long as parsing on both sides. :func:`smallest` makes a
    failure as small as hypothesis would.
    """
    return st.integers(0, (1 << 64) - 1).map(roll_case)


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """Return ``case`` without the keys that a failure does not need."""
    for name in ('specs', 'image'):
        for key in list(getattr(case, name)):
            texts = {k: v for k, v in getattr(case, name).items() if k != key}
            fields = {'specs': case.specs, 'image': case.image, name: texts}
            smaller = Case(case.vcpus, case.memory_mib, **fields)
            if fails(smaller):
                case = smaller
    return case
