# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain show``: what was planned, what is defined, what runs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import count
from rtvirt.cli.domain_list import add_connect
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.lifecycle.listing import ShownDomain
from rtvirt.lifecycle.listing import show_domain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import Scheduling
from rtvirt.model.plain import dump
from rtvirt.verifiers.proof import name_thread
from rtvirt.verifiers.wanted import Key
from rtvirt.verifiers.wanted import WantedPages
from rtvirt.verifiers.wanted import WantedThreads
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.wanted import threads_of_plan
from rtvirt.verifiers.words import say_pages
from rtvirt.verifiers.words import say_scheduling

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'thread': 'Thread',
    'plan': 'Plan',
    'document': 'Document',
    'runs': 'Runs',
}

Side = Mapping[Key, Scheduling]


class ShowDomain(Show):
    """Show a domain: its plan, its document and what runs, side by side.

    The plan is that of the domain's metadata, the document what libvirt has
    of it now. For what is wrong and how to mend it, see "rtvirt domain
    verify".
    """

    example = """\
Example::

    rtvirt domain show plc-1
    rtvirt domain show plc-1 -f json

With -f json "plan" is what Plan.from_dict() of the library reads, "observed"
what ObservedDomain.from_dict() does; they are null where there is none.
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the domain."""
        parser.add_argument('name', metavar='NAME', help='a domain')
        add_connect(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Show the domain."""
        shown = show_domain(parsed_args.connect, parsed_args.name)
        observed = shown.running.observed if shown.running else None
        return Report(
            document={
                'schema_version': _SCHEMA_VERSION,
                **dump(shown.listed),
                'plan': shown.plan.to_dict() if shown.plan else None,
                'observed': observed.to_dict() if observed else None,
            },
            headline=_headline(shown),
            tables=(_table(shown),),
        )


def _headline(shown: ShownDomain) -> str:
    one = shown.listed
    holds = f'holds pCPUs {one.cpus}' if one.cpus else 'holds no pCPU'
    flavor = f', flavor {shown.plan.guest.name}' if shown.plan else ''
    kept = '' if one.is_persistent else ', transient'
    planned = '' if one.is_planned else ', without a plan'
    return (
        f'{one.name}: {one.state}{kept}{flavor}{planned}, '
        f'{count(one.vcpus, "vCPU")}, {holds}'
    )


def _table(shown: ShownDomain) -> Table:
    plan = _sides(threads_of_plan(shown.plan)) if shown.plan else {}
    document = _sides(threads_of_domain(shown.domain))
    runs: dict[Key, Scheduling] = {}
    if shown.running:
        for thread in shown.running.observed.threads:
            key = (thread.role, thread.number)
            runs.setdefault(key, thread.scheduling)
    rows: list[list[Any]] = [
        [
            name_thread(key),
            *(
                say_scheduling(side[key]) if key in side else None
                for side in (plan, document, runs)
            ),
        ]
        for key in dict.fromkeys([*plan, *document])
    ]
    rows.append(
        [
            'memory',
            _say(memory_of_plan(shown.plan).huge) if shown.plan else None,
            _say(memory_of_domain(shown.domain).huge),
            _say_actual(shown),
        ]
    )
    return Table(columns=_COLUMNS, rows=rows)


def _sides(wanted: WantedThreads) -> Side:
    return dict(wanted.all())


def _say(huge: tuple[WantedPages, ...] | None) -> str | None:
    return None if huge is None else say_pages(huge)


def _say_actual(shown: ShownDomain) -> str | None:
    memory = shown.running.observed.memory if shown.running else None
    if isinstance(memory, ObservedMemory) and isinstance(memory.huge, tuple):
        return say_pages(memory.huge)
    return None
