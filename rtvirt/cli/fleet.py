# SPDX-License-Identifier: Apache-2.0
"""``rtvirt fleet``: one guest and many hosts."""

from __future__ import annotations

import argparse
import functools
import logging
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from rtvirt import fleet
from rtvirt.cli.base import Show
from rtvirt.cli.column import CPUs
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.guest import read_guest
from rtvirt.cli.placement import add_choice
from rtvirt.cli.placement import add_guest
from rtvirt.cli.placement import add_sets
from rtvirt.cli.placement import deal_out
from rtvirt.cli.placement import effective_settings
from rtvirt.cli.placement import read_source
from rtvirt.cli.progress import Progress
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.host.inventory import Entry
from rtvirt.host.inventory import Inventory
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.plain import dump

if TYPE_CHECKING:
    from rtvirt.model.host import HostTopology

LOG = logging.getLogger(__name__)

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'rank': 'Rank',
    'host': 'Host',
    'cells': 'Host cells',
    'cpus': 'pCPUs',
    'exposed': 'Exposed RT vCPUs',
    'free': 'pCPUs left',
    'whole_cores': 'Whole cores left',
    'count': 'Still go in',
}


class PlanFleet(Show):
    """Rank many hosts for one guest.

    The best host comes first: the one where the fewest real-time vCPUs
    share a core with anything else, then the one with the least room left
    beside the guest, so that room for large guests stays in one piece. A
    host that cannot be read is named on standard error and passed over;
    then the exit code is 1. It is 4 if the guest fits none of them.
    """

    example = """\
Example: a directory with one capabilities XML, or one JSON, for each host::

    rtvirt fleet plan --hosts hosts/ --flavor rt1.small.yaml --dedicated 2-7
    rtvirt fleet plan --hosts fleet.jsonl --flavor rt1.small.yaml --count

A line of fleet.jsonl is what "rtvirt host show -f json" prints, in one line
("| jq -c ." makes it one).
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the hosts, the guest and the choices."""
        group = parser.add_argument_group('the hosts')
        group.add_argument(
            '--hosts',
            metavar='PATH',
            required=True,
            help='a directory with a file for each host, or a file with a '
            'line of JSON for each',
        )
        group.add_argument(
            '--top',
            metavar='NUMBER',
            type=_read_number,
            default=20,
            help='how many hosts to print (default: %(default)s)',
        )
        group.add_argument(
            '--count',
            action='store_true',
            help='also say how many such guests still go in: on each host, '
            'and on all of them',
        )
        add_guest(parser)
        add_sets(group)
        add_choice(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Ask every host."""
        guest = read_guest(parsed_args.flavor, parsed_args.image)
        settings = effective_settings(parsed_args)
        inventory = Inventory(
            parsed_args.hosts,
            functools.partial(read_source, parsed_args, settings),
            functools.partial(deal_out, parsed_args, settings),
        )
        tally: Counter[str] = Counter()
        with Progress(inventory.total, self.app.stderr) as progress:
            found = fleet.offers(
                guest,
                _hosts(inventory, progress, tally),
                limits=settings.limits,
                strategy=settings.strategy,
                smt_isolate=settings.smt_isolate,
                with_count=parsed_args.count,
            )
            best = fleet.best(_tallied(found, tally), parsed_args.top)
        return _report(best, tally, with_count=parsed_args.count)


def _read_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 7):
        raise argparse.ArgumentTypeError(f'{text!r:.40} is no number of hosts')
    if not (number := int(text)):
        raise argparse.ArgumentTypeError('0 hosts say nothing')
    return number


def _hosts(
    entries: Iterable[Entry], progress: Progress, tally: Counter[str]
) -> Iterator[HostTopology]:
    """Yield the hosts that can be read; warn of the others."""
    for entry in entries:
        progress.advance_to(entry.progress)
        if entry.host is None:
            tally['unreadable'] += 1
            LOG.warning('%s is passed over: %s', entry.where, entry.problem)
        else:
            tally['hosts'] += 1
            yield entry.host


def _tallied(
    found: Iterable[fleet.Offer], tally: Counter[str]
) -> Iterator[fleet.Offer]:
    for offer in found:
        tally['fitting'] += offer.plan is not None
        tally['guests'] += offer.count or 0
        yield offer


def _report(
    best: list[fleet.Offer], tally: Counter[str], *, with_count: bool
) -> Report:
    columns = dict(_COLUMNS)
    if not with_count:
        del columns['count']
    headline = f'fits {tally["fitting"]} of {tally["hosts"]} hosts'
    if with_count:
        headline += f'; {tally["guests"]} such guests still go in'
    if tally['unreadable']:
        headline += f'; {tally["unreadable"]} could not be read'
    code = ExitCode.DONE if tally['fitting'] else ExitCode.UNFIT
    return Report(
        code=ExitCode.FAILED if tally['unreadable'] else code,
        document={
            'schema_version': _SCHEMA_VERSION,
            'hosts': tally['hosts'],
            'fitting': tally['fitting'],
            'unreadable': tally['unreadable'],
            'guests': tally['guests'] if with_count else None,
            'offers': [_document(offer) for offer in best],
        },
        headline=headline,
        tables=(
            Table(
                columns=columns,
                rows=[
                    _row(rank, offer)[: len(columns)]
                    for rank, offer in enumerate(best, start=1)
                ],
            ),
        ),
    )


def _document(offer: fleet.Offer) -> dict[str, Any]:
    return {
        'host': offer.host.name,
        'exposed': offer.exposed,
        'free': offer.free,
        'whole_cores': offer.whole_cores,
        'count': offer.count,
        'cells': dump(offer.plan.cells) if offer.plan else [],
    }


def _row(rank: int, offer: fleet.Offer) -> list[Any]:
    plan = offer.plan
    cells = plan.cells if plan else ()
    return [
        rank,
        offer.host.name,
        ', '.join(str(cell.host_cell) for cell in cells),
        CPUs(plan.claimed if plan else CPUSet()),
        offer.exposed,
        offer.free,
        offer.whole_cores,
        offer.count,
    ]
