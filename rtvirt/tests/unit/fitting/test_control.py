# SPDX-License-Identifier: Apache-2.0
"""Shares of caches and bandwidth where somebody else chose the pCPUs."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.fitting.control import shares
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.resctrl import BandwidthNode
from rtvirt.model.resctrl import CacheBank
from rtvirt.tests.plans import make_plan


def guest(**asked: Any) -> GuestRequirement:
    return dataclasses.replace(make_plan().guest, **asked)


def host(used_kib: int = 0) -> HostTopology:
    """Return a host with two L3 of 16 MiB, in ways of 1 MiB."""
    cpus = (CPUSet.parse('0-3'), CPUSet.parse('4-7'))
    return dataclasses.replace(
        HostTopology.uniform(cells=2, cores=4, threads=1, memory_mib=8192),
        caches=tuple(
            CacheBank(
                id=number,
                cpus=cpus[number],
                size_kib=16 << 10,
                granularity_kib=1024,
                minimum_kib=1024,
                max_groups=16,
                used_kib=used_kib,
            )
            for number in range(2)
        ),
        bandwidths=tuple(
            BandwidthNode(
                id=number,
                cpus=cpus[number],
                granularity=10,
                minimum=10,
                max_groups=8,
            )
            for number in range(2)
        ),
    )


def test_the_bank_behind_the_pcpus_is_divided() -> None:
    (part,), bandwidth = shares(
        guest(cache_mib=4, memory_bandwidth=25), host(), CPUSet([5])
    )
    assert (part.bank, part.size_kib) == (1, 4096)
    assert bandwidth == {1: 30}


def test_each_bank_behind_them_is_divided() -> None:
    parts, _ = shares(guest(cache_mib=4), host(), CPUSet([3, 5]))
    assert [part.bank for part in parts] == [0, 1]


def test_a_guest_that_asks_for_nothing_gets_nothing() -> None:
    assert shares(guest(), host(), CPUSet([5])) == ((), {})


@pytest.mark.parametrize(
    ('asked', 'used_kib', 'cpus', 'words'),
    [
        ({'cache_mib': 4}, 14 << 10, [5], 'pCPUs 5 .*rtvirt:cache_mib=4'),
        ({'cache_mib': 4}, 0, [5, 9], 'pCPUs 9 .*rtvirt:cache_mib=4'),
        ({'memory_bandwidth': 95}, 0, [5], 'rtvirt:memory_bandwidth=95'),
    ],
)
def test_what_is_not_there_is_refused(
    asked: dict[str, int], used_kib: int, cpus: list[int], words: str
) -> None:
    with pytest.raises(ModelError, match=words):
        shares(guest(**asked), host(used_kib), CPUSet(cpus))
