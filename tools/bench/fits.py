# SPDX-License-Identifier: Apache-2.0
"""Fits: at once, late, never; and how they grow with the host."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Iterator
from typing import Any

from rtvirt import Flavor
from rtvirt import GuestRequirement
from rtvirt import HostTopology
from rtvirt import fit
from rtvirt import parse_guest
from rtvirt.exception import FitError
from tools.bench import cases
from tools.bench import novaside
from tools.bench.row import Row
from tools.bench.row import geometric_mean
from tools.bench.row import timed
from tools.bench.timing import Ratio
from tools.bench.timing import Side
from tools.bench.timing import compare

# (host cells, pCPUs a cell, vCPUs, guest cells, real-time too)
_AT_ONCE = (
    (1, 64, 8, 1, False),
    (1, 512, 8, 1, False),
    (1, 512, 128, 1, False),
    (2, 64, 8, 1, True),
    (2, 128, 16, 2, True),
    (2, 256, 128, 2, True),
    (8, 32, 8, 1, True),
    (8, 32, 32, 4, True),
    (8, 32, 64, 8, True),
    (16, 16, 32, 4, False),
    (16, 16, 128, 16, False),
    (32, 16, 64, 16, False),
)

# (host cells, guest cells): pages on k - 1 cells, or on the last k
_NEVER = ((8, 4), (8, 8), (16, 4), (16, 5), (32, 4))
_LATE = ((8, 4), (16, 4), (32, 4))
_NEVER_SLOW = ((16, 6),)


def fits_or_not(guest: GuestRequirement, host: HostTopology) -> bool:
    """Whether rtvirt finds a plan."""
    try:
        fit(guest, host)
    except FitError:
        return False
    return True


def race(
    flavor: Flavor, host: HostTopology, **nova_kwargs: Any
) -> tuple[Ratio, str]:
    """Time both fits of one flavor on one host, pins and plan included.

    Each call of either side is given a request that was never fitted
    before, so that nothing is remembered from call to call but the host.
    Also returns what is wrong with the answers, if anything is.
    """
    guest = parse_guest(flavor)
    request = novaside.to_request(flavor)
    host_object = novaside.to_host(host)
    answer = novaside.fit(host_object, copy.deepcopy(request), **nova_kwargs)
    ours = fits_or_not(guest, host)
    problem = ''
    if ours != (answer is not None) and (
        answer is None or novaside.is_sound(host, answer)
    ):
        problem = f'nova says {answer is not None}, rtvirt says {ours}'
    ratio = compare(
        Side(
            call=lambda fresh: novaside.fit(host_object, fresh, **nova_kwargs),
            prepare=lambda: copy.deepcopy(request),
        ),
        Side(
            call=lambda fresh: fits_or_not(fresh, host),
            prepare=lambda: dataclasses.replace(guest),
        ),
    )
    return ratio, problem


def at_once() -> Iterator[Row]:
    """Fits on an empty host, every row and their geometric mean."""
    section = 'fit at once'
    rows = []
    for cells, cpus, vcpus, guest_cells, with_realtime in _AT_ONCE:
        host = cases.empty_host(cells, cpus)
        flavors = [('', cases.flavor(vcpus, guest_cells))]
        if with_realtime:
            flavors.append(
                (', real-time', cases.realtime_flavor(vcpus, guest_cells))
            )
        for suffix, flavor in flavors:
            ratio, problem = race(flavor, host)
            name = f'{cells}x{cpus}, {vcpus}/{guest_cells}{suffix}'
            row = timed(section, name, ratio, at_least=10)
            rows.append(dataclasses.replace(row, problem=problem))
            yield rows[-1]
    yield Row(
        section=section,
        case='geometric mean',
        value=geometric_mean(rows),
        at_least=20,
    )


def late_or_never(*, quick: bool = False) -> Iterator[Row]:
    """Fits that only the last choice allows, and fits that cannot be."""
    tasks = [('cannot fit', n, k, range(k - 1)) for n, k in _NEVER]
    tasks += [('fits last', n, k, range(n - k, n)) for n, k in _LATE]
    if not quick:
        tasks += [('cannot fit', n, k, range(k - 1)) for n, k in _NEVER_SLOW]
    section = 'cannot fit, or late'
    for verb, n, k, with_pages in tasks:
        empty = cases.empty_host(n, 16)
        host = cases.with_pages_on(empty, set(with_pages))
        flavor = cases.flavor(4 * k, k)
        ratio, problem = race(flavor, host)
        permutations = math.perm(n, k)
        row = timed(
            section,
            f'{verb}: {n} cells, guest of {k} (P = {permutations:,})',
            ratio,
            at_least=500 if permutations >= 40_000 else 50,
        )
        yield dataclasses.replace(row, problem=problem)
        yield _against_empty(flavor, host, empty, f'{verb}: {n}/{k}')


def _against_empty(
    flavor: Flavor, host: HostTopology, empty: HostTopology, case: str
) -> Row:
    guest = parse_guest(flavor)
    ratio = compare(_fitting(guest, host), _fitting(guest, empty))
    return Row(
        section='against the same guest on an empty host',
        case=case,
        value=ratio.median,
        at_most=5,
        ratio=ratio,
    )


def _fitting(
    guest: GuestRequirement, host: HostTopology, **kwargs: Any
) -> Side:
    def call(fresh: GuestRequirement) -> None:
        try:
            fit(fresh, host, **kwargs)
        except FitError:
            return

    return Side(call=call, prepare=lambda: dataclasses.replace(guest))


def growth() -> Iterator[Row]:
    """A guest of 4 cells that cannot fit, from 8 to 32 host cells."""
    guest = parse_guest(cases.flavor(16, 4))
    for case, pages, kwargs in (
        ('pages on 3 cells', range(3), {}),
        ('affinity that cannot be met', range(1, 32), {'affinity': [{0}]}),
    ):
        sides = [
            _fitting(
                guest,
                cases.with_pages_on(cases.empty_host(n, 16), set(pages)),
                **kwargs,
            )
            for n in (32, 8)
        ]
        ratio = compare(*sides)
        yield Row(
            section='growth, 8 to 32 host cells',
            case=case,
            value=ratio.median,
            at_most=6,
            ratio=ratio,
        )


def cycle() -> Iterator[Row]:
    """Fit, claim and release."""
    section = 'fit + claim + release'
    for cells, cpus, vcpus, guest_cells in (
        (2, 64, 8, 1),
        (8, 32, 32, 4),
        (16, 16, 64, 16),
    ):
        host = cases.empty_host(cells, cpus)
        flavor = cases.flavor(vcpus, guest_cells)
        yield timed(
            section,
            f'{cells}x{cpus}, {vcpus}/{guest_cells}',
            compare(_nova_cycle(flavor, host), _rtvirt_cycle(flavor, host)),
            at_least=30,
        )


def _nova_cycle(flavor: Flavor, host: HostTopology) -> Side:
    request = novaside.to_request(flavor)
    host_object = novaside.to_host(host)

    def call(fresh: Any) -> None:
        fitted = novaside.fit(host_object, fresh)
        novaside.release(novaside.claim(host_object, fitted), fitted)

    return Side(call=call, prepare=lambda: copy.deepcopy(request))


def _rtvirt_cycle(flavor: Flavor, host: HostTopology) -> Side:
    guest = parse_guest(flavor)

    def call(fresh: GuestRequirement) -> None:
        plan = fit(fresh, host)
        host.claim(plan).release(plan)

    return Side(call=call, prepare=lambda: dataclasses.replace(guest))
