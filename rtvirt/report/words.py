# SPDX-License-Identifier: Apache-2.0
"""What pictures say of pCPUs, sizes and guests."""

from __future__ import annotations

import string
from collections.abc import Iterator
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.model.observed import ThreadRole
from rtvirt.report.occupancy import Occupancy
from rtvirt.report.occupancy import PageBar
from rtvirt.report.occupancy import Seat
from rtvirt.report.occupancy import Spot
from rtvirt.report.occupancy import Use
from rtvirt.verifiers.words import say_policy

USES: Final = {
    Use.HOUSEKEEPING: 'housekeeping',
    Use.SHARED: 'shared set',
    Use.FREE: 'dedicated, free',
    Use.TAKEN: 'dedicated, taken',
    Use.IDLE: 'kept idle',
    Use.EMULATOR: 'for emulator threads alone',
    Use.VCPU: 'vCPU',
    Use.REALTIME: 'real-time vCPU',
    Use.CONTESTED: 'several vCPUs: a conflict',
}

EITHER: Final = 'free, dedicated or shared'
"""What is free where neither set was given."""

_UNITS: Final = ('KiB', 'MiB', 'GiB', 'TiB')


def say_size(kib: float) -> str:
    """Return a size with at most one decimal: ``94.2 GiB``."""
    if not kib:
        return '0'
    unit = 0
    while kib >= 1024 and unit < len(_UNITS) - 1:
        kib /= 1024
        unit += 1
    return f'{kib:.1f}'.removesuffix('.0') + f' {_UNITS[unit]}'


def say_use(use: Use, host: HostTopology) -> str:
    """Return what a legend says of a use."""
    if use is Use.FREE and any(c.dedicated & c.shared for c in host.cells):
        return EITHER
    return USES[use]


def letter(occupancy: Occupancy, occupant: int | None) -> str:
    """Return what stands for a guest: A, B, ... AA; nothing for a lone one."""
    if occupant is None or len(occupancy.occupants) < 2:
        return ''
    text = ''
    occupant += 1
    while occupant:
        occupant, digit = divmod(occupant - 1, 26)
        text = string.ascii_uppercase[digit] + text
    return text


def say_host(host: HostTopology) -> str:
    """Return a host's figures in a line."""
    cores = [core for cell in host.cells for core in cell.siblings]
    memory = sum(cell.memory_mib for cell in host.cells)
    return ', '.join(
        [
            count(len(host.cells), 'cell'),
            count(len(cores), 'core'),
            count(sum(map(len, cores)), 'pCPU'),
            say_size(memory * 1024),
        ]
    )


def say_cell(cell: HostCell) -> str:
    """Return what stands beside a cell's name."""
    socket = '' if cell.socket is None else f'socket {cell.socket}, '
    return f'{socket}{say_size(cell.memory_mib * 1024)}'


def say_pages(bar: PageBar) -> str:
    """Return how many pages of a size there are, and whose."""
    pool = bar.pool
    # Nobody counts ordinary pages; there are millions.
    is_ordinary = pool.size_kib < 1024

    def say(pages: int) -> str:
        return say_size(pages * pool.size_kib) if is_ordinary else str(pages)

    parts = [
        (bar.planned, 'planned'),
        (pool.used, 'used'),
        (pool.reserved, 'reserved'),
    ]
    said = [f'{say(number)} {word}' for number, word in parts if number]
    return ', '.join([*said, f'{say(bar.free)} of {say(pool.total)} free'])


def say_spot(occupancy: Occupancy, spot: Spot) -> str:
    """Return all there is to say of a pCPU, in a sentence."""
    who = ''
    if spot.occupant is not None and not spot.vcpus:
        who = f' ({occupancy.occupants[spot.occupant].name})'
    if spot.vcpus:
        text = ' and '.join(_say_seat(occupancy, s) for s in spot.vcpus)
    else:
        text = say_use(spot.use, occupancy.host)
    if spot.helpers:
        seats = ', '.join(_say_seat(occupancy, s) for s in spot.helpers)
        text += f'; may run here: {seats}'
    return f'pCPU {spot.cpu}: {text}{who}'


def describe(occupancy: Occupancy) -> Iterator[str]:
    """Yield the whole picture in sentences."""
    for cell in occupancy.host.cells:
        by_use: dict[Use, set[int]] = {}
        for cpu in cell.cpus:
            by_use.setdefault(occupancy.spots[cpu].use, set()).add(cpu)
        parts = [
            f'{say_use(use, occupancy.host)}: {CPUSet(by_use[use])}'
            for use in Use
            if use in by_use
        ]
        yield f'Host cell {cell.id}, {say_cell(cell)}: {"; ".join(parts)}.'
    for occupant in occupancy.occupants:
        yield f'{occupant.name}: {"; ".join(occupant.sentences())}.'


def count(number: int, noun: str) -> str:
    """Return ``1 cell``, ``2 cells``."""
    return f'{number} {noun}' if number == 1 else f'{number} {noun}s'


def _say_seat(occupancy: Occupancy, seat: Seat) -> str:
    name = occupancy.occupants[seat.occupant].name
    if seat.role is ThreadRole.EMULATOR:
        return f'emulator threads of {name}'
    if seat.role is ThreadRole.IOTHREAD:
        return f'I/O thread {seat.number} of {name}'
    text = f'vCPU {seat.number} of {name}'
    if seat.scheduling.priority:
        text += f', real-time, {say_policy(seat.scheduling)}'
    return text
