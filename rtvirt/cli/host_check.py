# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host check``: is this host, or this guest, fit for real time?"""

from __future__ import annotations

import argparse
import dataclasses
import difflib
from collections.abc import Iterable
from typing import Any
from typing import Final

from rtvirt import plugins
from rtvirt.checks.base import Check
from rtvirt.checks.base import Profile
from rtvirt.checks.run import HostCheck
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.checks.run import table
from rtvirt.checks.words import say_summary
from rtvirt.cli.base import Show
from rtvirt.cli.fail_on import add_fail_on
from rtvirt.cli.fail_on import findings_code
from rtvirt.cli.guest import add_image
from rtvirt.cli.guest import read_guest
from rtvirt.cli.placement import typed
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.exception import ConfigError
from rtvirt.host.facts import read_facts
from rtvirt.host.nova import with_installed
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.host import Intent
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Finding
from rtvirt.model.plain import dump

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'code': 'Check',
    'severity': 'Severity',
    'subject': 'Read',
    'actual': 'Found',
    'expected': 'Expected',
    'mend': 'Mend',
    'takes': 'Takes',
}
_BRIEF: Final = ('code', 'severity', 'subject', 'actual', 'expected')
_MENDS: Final = {'code': 'Check', 'mend': 'Mend', 'takes': 'Takes'}
_UNDECIDED: Final = {
    'code': 'Check',
    'severity': 'Severity',
    'subject': 'To read',
    'actual': 'Is',
}
_PAGE: Final = {'field': 'About', 'value': 'Value'}


class CheckHost(Show):
    """Check whether a host is fit for real-time guests.

    Prints whether it is ready, the mends that matter most, and everything
    that was found, the worst first. A check for which something could not
    be read says so: it is neither a yes nor a no. Nothing is changed; each
    mend says whether it may be done while guests run (live), disturbs them
    (disruptive) or takes effect with the next boot (reboot).

    If there are findings of severity error or fatal, the exit code is 3.
    """

    example = """\
Example: what is wrong with another host, and why one check matters::

    rtvirt host check --host compute7.tar.gz --dedicated 2-7
    rtvirt host check --explain RT-B04

Inside a guest whose flavor has hw:cpu_realtime_mask=^0-1::

    rtvirt host check --profile guest --realtime 2-3
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the host, the intent and the choice of checks."""
        _add_host(parser)
        _add_choice(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read the host and check it."""
        checks = plugins.host_checks()
        rows = table(checks)
        if parsed_args.explain is not None:
            return _explain(_find_row(rows, parsed_args.explain))
        for code in (*parsed_args.only, *parsed_args.skip):
            _check_code(rows, checks, code)
        facts = dataclasses.replace(
            read_facts('/' if parsed_args.host is None else parsed_args.host),
            intent=_intent(parsed_args),
        )
        if parsed_args.host is None and facts.nova.files:
            facts = with_installed(facts)
        findings = run_checks(
            facts,
            checks,
            profile=Profile(parsed_args.profile),
            only=parsed_args.only,
            skip=parsed_args.skip,
        )
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        return _report(facts, findings, parsed_args)


def _add_host(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('the host')
    group.add_argument(
        '--host',
        metavar='SRC',
        help='a snapshot or a sosreport, packed or not, or another root of '
        'a host\'s files; default: this machine',
    )
    group.add_argument(
        '--profile',
        choices=[profile.value for profile in Profile],
        default=Profile.HOST,
        help='what SRC is: a host of guests (default), or a guest',
    )
    group.add_argument(
        '--dedicated',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help='pCPUs meant for real-time guests, as in 2-7; default: what '
        'nova.conf, the kernel and tuned say',
    )
    group.add_argument(
        '--realtime',
        metavar='CPUS',
        type=typed(CPUSet.parse),
        help='inside a guest: the vCPUs of its realtime mask, as in 2-3',
    )
    group.add_argument(
        '--flavor',
        metavar='FILE',
        help='a flavor that the host is to take: adds what it needs; '
        'inside a guest, its own',
    )
    add_image(group)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('the checks')
    for name, deed in (('only', 'run these'), ('skip', 'leave these out')):
        group.add_argument(
            f'--{name}',
            metavar='CODE',
            action='extend',
            type=_codes,
            default=[],
            help=f'{deed}: codes, or how codes begin (RT-B), separated by '
            'commas; can be repeated',
        )
    add_fail_on(group)
    group.add_argument(
        '--explain',
        metavar='CODE',
        help='print what a check reads, expects and why, and check nothing',
    )
    group.add_argument(
        '--long',
        action='store_true',
        help='show the mend of each finding in the table, too',
    )


def _codes(text: str) -> list[str]:
    return [code.strip().upper() for code in text.split(',') if code.strip()]


def _intent(parsed_args: argparse.Namespace) -> Intent:
    """Return what the operator says of the host."""
    guest = None
    realtime = parsed_args.realtime
    if parsed_args.flavor is not None:
        guest = read_guest(parsed_args.flavor, parsed_args.image)
        if parsed_args.profile == Profile.GUEST and realtime is None:
            realtime = guest.realtime
    if realtime is not None and parsed_args.profile != Profile.GUEST:
        raise ConfigError(
            '--realtime names vCPUs: it is for --profile guest',
            hint='name the pCPUs of a host with --dedicated',
        )
    return Intent(
        dedicated=parsed_args.dedicated, realtime=realtime, guest=guest
    )


def _check_code(
    rows: dict[str, Check], checks: Iterable[HostCheck], code: str
) -> None:
    """Refuse a code that stands for no check.

    What a plain function of others may find is not known beforehand.
    """
    if any(row.startswith(code) for row in rows):
        return
    if all(isinstance(check, tuple) for check in checks):
        raise _no_such(rows, code)


def _find_row(rows: dict[str, Check], text: str) -> Check:
    code = text.strip().upper()
    if code not in rows:
        raise _no_such(rows, code)
    return rows[code]


def _no_such(rows: dict[str, Check], code: str) -> ConfigError:
    whole = code if code.startswith('RT-') else f'RT-{code}'
    near = difflib.get_close_matches(whole, rows, n=3, cutoff=0.7)
    return ConfigError(
        f'there is no check {code!r:.40}',
        hint=f'did you mean {" or ".join(near)}?'
        if near
        else f'name one from {min(rows)} to {max(rows)}',
    )


def _explain(check: Check) -> Report:
    """Return one row of the table as a page."""
    fields = {
        'code': check.code,
        'title': check.title,
        'severity': check.severity.value,
        'profiles': sorted(check.profiles),
        'reads': list(check.reads),
        'expected': check.expected,
        'why': check.why,
        'source': check.source,
        'mend': check.mend,
        'takes': check.safety.value if check.safety else None,
    }
    return Report(
        document={'schema_version': _SCHEMA_VERSION, **fields},
        headline=f'{check.code}: {check.title}',
        tables=(
            Table(
                columns=_PAGE,
                rows=[
                    [name, _line(value)]
                    for name, value in fields.items()
                    if name not in ('code', 'title')
                ],
            ),
        ),
    )


def _line(value: Any) -> Any:
    return ', '.join(value) if isinstance(value, list) else value


def _report(
    facts: HostFacts,
    findings: tuple[Finding, ...],
    parsed_args: argparse.Namespace,
) -> Report:
    summary = summarize(findings)
    name = value_or(facts.kernel.hostname, '') or 'this host'
    found = _findings(findings)
    return Report(
        document={
            'schema_version': _SCHEMA_VERSION,
            'host': name,
            'profile': str(parsed_args.profile),
            'verdict': summary.verdict.value,
            'counts': dump(summary.counts),
            'undecided': summary.undecided,
            'first': [_mend(f) for f in summary.first],
            'findings': [dump(f) for f in findings],
        },
        headline=say_summary(name, summary),
        preface=Table(
            title='Mend first',
            columns=_MENDS,
            rows=[list(_mend(f).values()) for f in summary.first],
        ),
        tables=(
            found if parsed_args.long else found.select(_BRIEF),
            _undecided(findings),
        ),
        code=findings_code(findings, parsed_args.fail_on),
    )


def _mend(finding: Finding) -> dict[str, Any]:
    return {
        'code': finding.code,
        'mend': finding.hint,
        'takes': finding.safety.value if finding.safety else None,
    }


def _findings(findings: Iterable[Finding]) -> Table:
    return Table(
        title='Found',
        columns=_COLUMNS,
        rows=[
            [
                finding.code,
                finding.severity.value,
                finding.subject,
                finding.actual,
                finding.expected,
                finding.hint,
                finding.safety.value if finding.safety else None,
            ]
            for finding in findings
            if not finding.is_undecided
        ],
    )


def _undecided(findings: Iterable[Finding]) -> Table:
    return Table(
        title='Undecided',
        columns=_UNDECIDED,
        rows=[
            [
                finding.code,
                finding.severity.value,
                finding.subject,
                finding.actual,
            ]
            for finding in findings
            if finding.is_undecided
        ],
    )
