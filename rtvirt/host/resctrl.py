# SPDX-License-Identifier: Apache-2.0
"""L3 caches, and what the kernel's resctrl can share out of them.

What the kernel documents in ``filesystems/resctrl``, in the terms that
libvirt uses for it in its capabilities.
"""

from __future__ import annotations

import re
from typing import Final
from typing import NamedTuple

from rtvirt.host.facts.tree import Tree
from rtvirt.host.value import numbered
from rtvirt.host.value import value_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.model.resctrl import CacheType

_CPU: Final = '/sys/devices/system/cpu'
_INFO: Final = '/sys/fs/resctrl/info'
_SIZE: Final = re.compile(r'([0-9]{1,12})([KMG]?)')
_UNIT: Final = {'': 1, 'K': 1, 'M': 1024, 'G': 1 << 20}


class _Control(NamedTuple):
    """How resctrl shares out each L3 of a host."""

    bits: int
    min_bits: int
    max_groups: int
    types: tuple[CacheType, ...]


def read_caches(tree: Tree, online: CPUSet) -> tuple[CacheBank, ...]:
    """Return the L3 caches of the online pCPUs, in the order of their ids.

    :raises HostError: if a file of the kernel holds nonsense.
    """
    control = _read_control(tree)
    banks: list[CacheBank] = []
    left = online
    while left:
        cpu = min(left)
        bank = _read_bank(tree, cpu, control, len(banks))
        left -= CPUSet([cpu])
        if bank is not None:
            banks.append(bank)
            left -= bank.cpus
    return tuple(sorted(banks, key=lambda bank: bank.id))


def read_bandwidths(
    tree: Tree, caches: tuple[CacheBank, ...]
) -> tuple[BandwidthNode, ...]:
    """Return the memory bandwidth behind each cache.

    None of them where resctrl cannot share it out.

    :raises HostError: if a file of the kernel holds nonsense.
    """
    granularity = _read_int(tree, f'{_INFO}/MB/bandwidth_gran')
    if not granularity:
        return ()
    minimum = _read_int(tree, f'{_INFO}/MB/min_bandwidth')
    groups = _read_int(tree, f'{_INFO}/MB/num_closids')
    return tuple(
        BandwidthNode(
            id=bank.id,
            cpus=bank.cpus,
            granularity=granularity,
            minimum=minimum,
            max_groups=groups,
        )
        for bank in caches
    )


def _read_bank(
    tree: Tree, cpu: int, control: _Control | None, number: int
) -> CacheBank | None:
    """Return the L3 behind a pCPU, None where there is none.

    :param number: its id on a machine that does not number its caches.
    """
    for index in numbered(tree, f'{_CPU}/cpu{cpu}/cache', 'index'):
        path = f'{_CPU}/cpu{cpu}/cache/index{index}'
        if _read_int(tree, f'{path}/level') != 3:
            continue
        size_kib = value_of(tree, f'{path}/size', _parse_size, 0)
        step = size_kib // control.bits if control else 0
        least = control.min_bits if control else 0
        return CacheBank(
            id=value_of(tree, f'{path}/id', parse_int, number),
            cpus=value_of(
                tree, f'{path}/shared_cpu_list', parse_list, CPUSet()
            )
            | {cpu},
            size_kib=size_kib,
            granularity_kib=step,
            # libvirt names a minimum only where it is more than one step.
            minimum_kib=step * least if least > 1 else 0,
            max_groups=control.max_groups if control else 0,
            types=control.types if control else (CacheType.BOTH,),
        )
    return None


def _read_control(tree: Tree) -> _Control | None:
    """Return how L3 is shared out, None where resctrl cannot.

    Where code and data are kept apart (CDP) there is one directory for
    each of them.
    """
    kinds = {
        'L3': (CacheType.BOTH,),
        'L3CODE': (CacheType.CODE, CacheType.DATA),
    }
    for name, types in kinds.items():
        mask = value_of(tree, f'{_INFO}/{name}/cbm_mask', _parse_hex, 0)
        if mask:
            return _Control(
                bits=mask.bit_count(),
                min_bits=_read_int(tree, f'{_INFO}/{name}/min_cbm_bits'),
                max_groups=_read_int(tree, f'{_INFO}/{name}/num_closids'),
                types=types,
            )
    return None


def _read_int(tree: Tree, path: str) -> int:
    return value_of(tree, path, parse_int, 0)


def _parse_hex(text: str) -> int:
    return int(text[:64], 16)


def _parse_size(text: str) -> int:
    """Read the size of a cache in KiB; the kernel writes ``32768K``."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError('no size')
    return int(match[1]) * _UNIT[match[2]]
