# SPDX-License-Identifier: Apache-2.0
"""``rtvirt explain``: why a guest fits as it does, or why not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUs
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.guest import read_guest
from rtvirt.cli.picture import add_picture
from rtvirt.cli.picture import map_of
from rtvirt.cli.picture import write_picture
from rtvirt.cli.placement import add_plan
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.placement import read_topology
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.fitting.explain import explain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.explanation import CellChoice
from rtvirt.model.explanation import Explanation
from rtvirt.model.explanation import Relaxation
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.plain import dump
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode

_SCHEMA_VERSION: Final = 1
_FITS: Final = 'fits'
_WHAT: Final = 'What would make it fit, the least change first'
_RELAXATIONS: Final = {
    'number': '#',
    'change': 'Change',
    'host_cells': 'Then on host cells',
}
_CHOICES: Final = {
    'guest_cell': 'Guest cell',
    'host_cell': 'Host cell',
    'cpus': 'pCPUs',
    'exposed': 'Exposed RT vCPUs',
    'pairs': 'Sibling pairs',
    'caches': 'L3 caches',
    'whole_cores': 'Whole cores left',
    'free': 'pCPUs left',
}
_SHORT: Final = {
    ReasonCode.DEDICATED_CPUS: 'pCPUs',
    ReasonCode.SHARED_CPUS: 'shared pCPUs',
    ReasonCode.THREAD_POLICY: 'threads',
    ReasonCode.MEMORY: 'MiB',
    ReasonCode.PAGE_SIZE: 'page size',
    ReasonCode.PAGES: 'pages',
    ReasonCode.L3: 'pCPUs in one L3',
    ReasonCode.CACHE: 'MiB of L3',
    ReasonCode.MEMORY_BANDWIDTH: '% bandwidth',
}


class ShowExplanation(Show):
    """Explain why a guest fits a host as it does, or what is missing.

    Where it does not fit: what each host cell lacks for each guest cell,
    as "available of wanted", and which changes of the host or of the flavor
    would make it fit, the least change first; each of them was tried. The
    exit code is 4. Where it fits: what the choice of host cells and pCPUs
    comes to, and what the next best choice would have been.
    """

    example = """\
Example: what "0 hosts available" was about::

    rtvirt explain --flavor rt1.small.yaml --host compute7.xml --dedicated 2-3

See it on the host::

    rtvirt explain --flavor rt1.small.yaml --host compute7.xml --svg why.svg

With -f json it prints all reasons and relaxations as data.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of a plan, and the picture."""
        add_plan(parser)
        add_picture(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Explain."""
        guest = read_guest(parsed_args.flavor, parsed_args.image)
        settings = effective_settings(parsed_args)
        host = read_topology(parsed_args, settings)
        found = explain(
            guest,
            host,
            limits=settings.limits,
            strategy=settings.strategy,
            smt_isolate=settings.smt_isolate,
        )
        headline = _headline(found, guest, host)
        write_picture(
            parsed_args,
            host,
            found.plan,
            title=headline,
            notes=_notes(found, guest, host),
            remarks=_remarks(found),
        )
        return Report(
            document=_document(found),
            headline=headline,
            lines=map_of(host, found.plan) if found.plan else None,
            tables=(
                _choices(found) if found.fits else _lacking(found, guest, host)
            ),
            code=ExitCode.DONE if found.fits else ExitCode.UNFIT,
        )


def _document(found: Explanation) -> dict[str, Any]:
    return {
        'schema_version': _SCHEMA_VERSION,
        'fits': found.fits,
        'reasons': [
            {**dump(reason), 'sentence': str(reason)}
            for reason in found.reasons
        ],
        'relaxations': [
            {**dump(one), 'sentence': str(one)} for one in found.relaxations
        ],
        'choices': [dump(choice) for choice in found.choices],
        'next_best': [dump(choice) for choice in found.next_best],
        'plan': found.plan.to_dict() if found.plan else None,
    }


def _headline(
    found: Explanation, guest: GuestRequirement, host: HostTopology
) -> str:
    where = f' {host.name}' if host.name else ' the host'
    if found.fits:
        return f'{guest.name} fits{where}'
    text = f'{guest.name} does not fit{where}'
    if not found.relaxations:
        text += ', and no small change would make it fit'
    general = [str(r) for r in found.reasons if r.guest_cell is None]
    if general:
        return f'{text}: {"; ".join(general)}'
    blocked = _blocked(found, host)
    if blocked:
        plural = 's' if len(blocked) > 1 else ''
        text += f': no host cell has room for guest cell{plural} {blocked}'
    return text


def _blocked(found: Explanation, host: HostTopology) -> CPUSet:
    """Return the guest cells that fit no host cell."""
    pairs = {(r.guest_cell, r.host_cell) for r in found.reasons}
    ids = {guest for guest, _ in pairs if guest is not None}
    return CPUSet(
        one
        for one in ids
        if all((one, cell.id) in pairs for cell in host.cells)
    )


def _lacking(
    found: Explanation, guest: GuestRequirement, host: HostTopology
) -> tuple[Table, ...]:
    return (
        _matrix(found.reasons, guest, host),
        Table(
            title=_WHAT,
            columns=_RELAXATIONS,
            rows=[
                [number, str(one), _cells(one)]
                for number, one in enumerate(found.relaxations, start=1)
            ],
        ),
        Table(
            title='How',
            columns={'number': '#', 'how': 'Command or setting'},
            rows=list(_hows(found.relaxations)),
        ),
    )


def _matrix(
    reasons: Sequence[FitReason], guest: GuestRequirement, host: HostTopology
) -> Table:
    """Return host cells against guest cells; alike guest cells share one."""
    texts: dict[int, list[str]] = {}
    for cell in guest.cells:
        texts[cell.id] = [
            _lack(reasons, cell.id, host_cell.id) for host_cell in host.cells
        ]
    alike: dict[tuple[str, ...], list[int]] = {}
    for number, column in texts.items():
        alike.setdefault(tuple(column), []).append(number)
    columns = {'host_cell': 'Host cell'}
    for numbers in alike.values():
        plural = 's' if len(numbers) > 1 else ''
        name = f'guest_cell_{numbers[0]}'
        columns[name] = f'Guest cell{plural} {CPUSet(numbers)}'
    return Table(
        title='What each host cell has of what is wanted',
        columns=columns,
        rows=[
            [cell.id, *(column[row] for column in alike)]
            for row, cell in enumerate(host.cells)
        ],
    )


def _lack(
    reasons: Sequence[FitReason], guest_cell: int, host_cell: int
) -> str:
    found = [
        reason
        for reason in reasons
        if (reason.guest_cell, reason.host_cell) == (guest_cell, host_cell)
    ]
    return '; '.join(map(_shorten, found)) or _FITS


def _notes(
    found: Explanation, guest: GuestRequirement, host: HostTopology
) -> dict[int, list[str]]:
    """Return what each host cell lacks for each guest cell."""
    if found.fits:
        return {}
    return {
        host_cell.id: [
            f'guest cell {cell.id}: {text}'
            for cell in guest.cells
            if (text := _lack(found.reasons, cell.id, host_cell.id)) != _FITS
        ]
        for host_cell in host.cells
    }


def _remarks(found: Explanation) -> dict[str, list[str]]:
    if not found.relaxations:
        return {}
    return {
        _WHAT: [
            f'{number}. {one}'
            for number, one in enumerate(found.relaxations, start=1)
        ]
    }


def _shorten(reason: FitReason) -> str:
    name = _SHORT.get(reason.code, str(reason.code))
    if reason.code is ReasonCode.PAGE_SIZE:
        return f'no such {name}'
    return f'{reason.available} of {reason.wanted} {name}'


def _cells(one: Relaxation) -> str:
    return ', '.join(map(str, one.host_cells))


def _hows(relaxations: Sequence[Relaxation]) -> Iterator[list[Any]]:
    for number, one in enumerate(relaxations, start=1):
        for step in one.steps:
            if step.how:
                yield [number, step.how]


def _choices(found: Explanation) -> tuple[Table, ...]:
    return (
        Table(
            title='The choice',
            columns=_CHOICES,
            rows=[_choice(choice) for choice in found.choices],
        ),
        Table(
            title='The next best, with other host cells',
            columns=_CHOICES,
            rows=[_choice(choice) for choice in found.next_best],
        ),
    )


def _choice(choice: CellChoice) -> list[Any]:
    return [
        choice.guest_cell,
        choice.host_cell,
        CPUs(choice.cpus),
        choice.exposed,
        choice.pairs,
        choice.caches or None,
        choice.whole_cores,
        choice.free,
    ]
