# SPDX-License-Identifier: Apache-2.0
"""Why a guest does not fit, in words that many hosts share."""

import dataclasses
from typing import Any

import pytest

from rtvirt import CPUSet
from rtvirt import FitError
from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import Limits
from rtvirt import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.fitting.summary import summarize
from rtvirt.model.guest import GuestRequirement

CPUS = CPUSet(range(64))
FEW = 'too few free dedicated pCPUs'
ODD = f'{FEW} or too few free cores for thread policy require'


def guest(vcpus: int = 2, mib: int = 2048, **specs: str) -> GuestRequirement:
    specs = {'cpu_policy': 'dedicated', **specs}
    return parse_guest(
        Flavor(
            name='guest',
            vcpus=vcpus,
            memory_mib=mib,
            extra_specs={f'hw:{key}': value for key, value in specs.items()},
        )
    )


def host(taken: str = '', **fields: Any) -> HostTopology:
    fields.setdefault('dedicated', CPUS)
    made = HostTopology.uniform(**fields)
    used = CPUSet.parse(taken)
    return dataclasses.replace(
        made,
        cells=tuple(
            dataclasses.replace(cell, pinned=cell.dedicated & used)
            for cell in made.cells
        ),
    )


CASES = [
    (guest(5), host(), 'too few free dedicated pCPUs on every host cell'),
    (guest(5), host(cells=1), 'too few free dedicated pCPUs'),
    (guest(mem_page_size='2MB'), host(), 'no 2 MiB pages on every host cell'),
    (
        guest(mem_page_size='1GB'),
        host(pages={1048576: 1}),
        'too few free 1 GiB pages on every host cell',
    ),
    (
        guest(mib=8192, mem_page_size='large'),
        host(pages={1048576: 1}),
        'too few free pages on every host cell',
    ),
    (
        guest(5, mem_page_size='2MB'),
        host(),
        'too few free dedicated pCPUs and no 2 MiB pages on every host cell',
    ),
    (guest(cpu_thread_policy='require'), host(), 'no SMT'),
    (
        guest(3, cpu_thread_policy='require'),
        host(threads=2, taken='0-6,8-9'),
        f'{ODD} on each host cell',
    ),
    (
        guest(2, numa_nodes='2'),
        host(cells=1),
        'fewer host cells than the guest has cells',
    ),
    (
        guest(4, numa_nodes='2'),
        host(taken='0-3'),
        'room for each guest cell, but not for all of them',
    ),
    (
        guest(cpu_policy='shared'),
        host(),
        'too few shared pCPUs',
    ),
    (
        guest(
            cpu_realtime='yes',
            cpu_realtime_mask='^0',
            emulator_threads_policy='share',
        ),
        host(),
        'no pCPU for the emulator threads',
    ),
]


@pytest.mark.parametrize(('asked', 'there', 'words'), CASES)
def test_words(
    asked: GuestRequirement, there: HostTopology, words: str
) -> None:
    with pytest.raises(FitError):
        fit(asked, there)
    assert summarize(asked, there) == words


def test_isolate_beside_shared_pcpus() -> None:
    asked = guest(cpu_thread_policy='isolate')
    assert summarize(asked, host(threads=2), smt_isolate='refuse') == (
        'SMT, which thread policy isolate cannot have on every host cell'
    )


def test_affinity() -> None:
    there = host(taken='0-3')
    assert summarize(guest(), there, affinity=[{0}]) == (
        'no room near the devices or networks asked for'
    )


def test_limits() -> None:
    asked = guest(cpu_policy='shared', numa_nodes='1')
    there = host(shared=CPUS, dedicated=None)
    tight = Limits(cpu_allocation_ratio=0.1)
    assert summarize(asked, there, limits=tight) == (
        'too few shared pCPUs on every host cell'
    )
