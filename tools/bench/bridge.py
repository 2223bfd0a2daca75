# SPDX-License-Identifier: Apache-2.0
"""rtvirt inside nova: nova's objects on both sides, conversion included."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any
from typing import Final

from nova.scheduler.filters import numa_topology_filter

from rtvirt import Flavor
from rtvirt import HostTopology
from rtvirt.nova import filter as rtvirt_filter
from rtvirt.nova import fit
from tools.bench import cases
from tools.bench import fleets
from tools.bench import novaside
from tools.bench.row import Row
from tools.bench.timing import Ratio

_HOSTS: Final = 100
_SECONDS: Final = 3.0

# (host cells, pCPUs a cell, vCPUs, guest cells, share taken): where nova is
# at its best, where a typical fleet is, and where it walks permutations.
_ROWS: Final = (
    (2, 64, 8, 1, 0.6),
    (8, 32, 8, 1, 0.6),
    (8, 32, 32, 4, 0.6),
    (8, 32, 64, 8, 0.6),
    (16, 16, 32, 4, 0.8),
)


def bridge() -> Iterator[Row]:
    """The filter over hosts just read from the database, and one claim."""
    for cells, cpus, vcpus, guest_cells, taken in _ROWS:
        draw = random.Random(7)
        hosts = [
            fleets.busy_host(cells, cpus, taken, draw) for _ in range(_HOSTS)
        ]
        flavor = cases.flavor(vcpus, guest_cells)
        case = f'{cells}x{cpus}, {vcpus}/{guest_cells}, {taken:.0%} full'
        yield _filter_row(case, flavor, hosts)
        yield _claim_row(case, flavor, hosts)


def _filter_row(case: str, flavor: Flavor, hosts: list[HostTopology]) -> Row:
    spec = fleets.request_spec(flavor)
    ours = rtvirt_filter.RTVirtFilter()
    fit.uninstall()
    theirs = numa_topology_filter.NUMATopologyFilter()

    def ask(topology_filter: Any) -> _Side:
        return _time(
            hosts,
            fleets.host_state,
            lambda state: list(topology_filter.filter_all([state], spec)),
        )

    return _row('the filter, per host', case, ask(theirs), ask(ours), 2.0)


def _claim_row(case: str, flavor: Flavor, hosts: list[HostTopology]) -> Row:
    def ask(function: Any) -> _Side:
        return _time(
            hosts,
            lambda host: (novaside.to_host(host), novaside.to_request(flavor)),
            lambda pair: function(*pair, None),
        )

    return _row(
        'a claim',
        case,
        ask(fit.NOVAS),
        ask(fit.numa_fit_instance_to_host),
        0.5,
    )


_Side = tuple[float, list[bool]]
"""Microseconds a host, and the answers."""


def _time(
    hosts: list[HostTopology],
    prepare: Callable[[HostTopology], Any],
    ask: Callable[[Any], Any],
) -> _Side:
    """Ask about each host; the best of three rounds, as hosts stay."""
    best = float('inf')
    answers: list[bool] = []
    for _ in range(3):
        spent = 0
        answers = []
        for host in hosts:
            argument = prepare(host)
            start = time.process_time_ns()
            answer = ask(argument)
            spent += time.process_time_ns() - start
            answers.append(bool(answer))
            if spent > _SECONDS * 1e9:
                break
        best = min(best, spent / len(answers) / 1000)
        if spent > _SECONDS * 1e9:
            break
    return best, answers


def _row(
    section: str, case: str, nova: _Side, rtvirt: _Side, at_least: float
) -> Row:
    (nova_us, theirs), (rtvirt_us, ours) = nova, rtvirt
    differ = sum(a != b for a, b in zip(theirs, ours, strict=False))
    value = nova_us / rtvirt_us
    return Row(
        section=f'inside nova: {section}',
        case=case,
        value=value,
        at_least=at_least,
        ratio=Ratio(
            median=value,
            low=value,
            high=value,
            slow_us=nova_us,
            fast_us=rtvirt_us,
            pairs=1,
        ),
        note=f'fits {sum(ours) / len(ours):.0%}',
        problem=f'{differ} answers differ' if differ else '',
    )
