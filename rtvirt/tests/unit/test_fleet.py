# SPDX-License-Identifier: Apache-2.0
"""Many hosts for one guest."""

import dataclasses
import itertools
from typing import Any

from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt import fleet
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement


def _guest(vcpus: int, **specs: str) -> GuestRequirement:
    return parse_guest(
        Flavor(
            name='guest',
            vcpus=vcpus,
            memory_mib=1024 * vcpus,
            extra_specs={
                'hw:cpu_policy': 'dedicated',
                'hw:mem_page_size': '1GB',
                **{f'hw:{key}': value for key, value in specs.items()},
            },
        )
    )


def _host(cores: int = 4, **kwargs: Any) -> HostTopology:
    kwargs.setdefault('dedicated', CPUSet(range(64)))
    return HostTopology.uniform(cores=cores, **kwargs)


def test_screen_says_yes_or_no_in_the_order_of_the_hosts() -> None:
    hosts = [_host(2), _host(4), _host(3)]
    assert list(fleet.screen(_guest(4), hosts)) == [False, True, False]


def test_screen_reads_no_further_than_asked() -> None:
    endless = itertools.repeat(_host(4))
    answers = fleet.screen(_guest(4), endless)
    assert list(itertools.islice(answers, 3)) == [True] * 3


def test_screen_agrees_with_offers() -> None:
    hosts = [_host(n, cells=c) for n in (1, 2, 3, 5) for c in (1, 2, 3)]
    guest = _guest(6, numa_nodes='2')
    yes = list(fleet.screen(guest, hosts))
    assert yes == [o.plan is not None for o in fleet.offers(guest, hosts)]
    assert True in yes
    assert False in yes


def test_the_tightest_host_is_the_best() -> None:
    hosts = [_host(8), _host(4), _host(2), _host(6)]
    best = fleet.best(fleet.offers(_guest(4), hosts), 10)
    assert [offer.host for offer in best] == [hosts[1], hosts[3], hosts[0]]
    assert [offer.free for offer in best] == [0, 2, 4]


def test_whole_cells_stay_free() -> None:
    cell = _host(8, cells=1).cells[0]
    begun = HostTopology(
        cells=(dataclasses.replace(cell, pinned=CPUSet([0])),)
    )
    empty = _host(4, cells=1)
    best = fleet.best(fleet.offers(_guest(4), [empty, begun]), 2)
    assert [offer.host for offer in best] == [begun, empty]
    assert [(offer.opened, offer.free) for offer in best] == [(0, 3), (1, 0)]


def test_a_host_that_exposes_realtime_vcpus_comes_last() -> None:
    guest = _guest(3, cpu_realtime='yes', cpu_realtime_mask='^0')
    roomy = _host(8, cells=1, threads=2)
    cell = _host(3, cells=1, threads=2).cells[0]
    # Somebody else is on the sibling of each thread that is left.
    tight = HostTopology(
        cells=(dataclasses.replace(cell, pinned=CPUSet([3, 4, 5])),)
    )
    best = fleet.best(fleet.offers(guest, [tight, roomy]), 2)
    assert [offer.host for offer in best] == [roomy, tight]
    assert [offer.exposed for offer in best] == [0, 2]


def test_best_keeps_no_more_than_asked_for() -> None:
    offers = fleet.offers(_guest(2), [_host(4)] * 5)
    assert len(fleet.best(offers, 2)) == 2


def test_count_is_what_really_goes_in() -> None:
    guest = _guest(3)
    host = _host(8, pages={1048576: 16}, memory_mib=32768)
    number = fleet.count(guest, host)
    # Two guests of three a cell by pCPUs: 8 // 3; pages allow five.
    assert number == 4
    for _ in range(number):
        host = host.claim(fit(guest, host))
    assert list(fleet.screen(guest, [host])) == [False]


def test_count_spreads_guests_of_several_cells() -> None:
    # Cells of 3, 2 and 1 GiB hold three guests of 2 cells, 1 GiB each, only
    # where the fullest cells are left for last.
    host = HostTopology(
        cells=tuple(
            _host(4, cells=3, pages={1048576: pages}).cells[number]
            for number, pages in enumerate((3, 2, 1))
        )
    )
    assert fleet.count(_guest(2, numa_nodes='2'), host) == 3


def test_offers_count_where_asked() -> None:
    hosts = [_host(4), _host(1)]
    offers = list(fleet.offers(_guest(2), hosts, with_count=True))
    assert [offer.count for offer in offers] == [4, 0]
    assert next(fleet.offers(_guest(2), hosts)).count is None


def test_a_guest_that_floats_is_counted_once() -> None:
    guest = parse_guest(Flavor(name='floats', vcpus=1, memory_mib=512))
    host = _host(2, dedicated=None, shared=CPUSet([0, 1]))
    assert fleet.count(guest, host) == 1
    assert fleet.count(guest, _host(2)) == 0
