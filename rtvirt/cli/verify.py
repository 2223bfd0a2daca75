# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain verify``: does a running domain do what it is to do?"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.column import count
from rtvirt.cli.fail_on import add_fail_on
from rtvirt.cli.fail_on import findings_code
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.exception import ConfigError
from rtvirt.host.running import RunningDomain
from rtvirt.host.running import read_running
from rtvirt.host.source import LOCAL_URI
from rtvirt.lint_rules.view import is_realtime
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.model.plain import dump
from rtvirt.verifier import verify
from rtvirt.verifiers.proof import MemoryProof
from rtvirt.verifiers.proof import ThreadProof
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.strangers import intruders
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.wanted import threads_of_domain
from rtvirt.verifiers.words import name_cpus
from rtvirt.verifiers.words import say_pages
from rtvirt.verifiers.words import say_scheduling

_SCHEMA_VERSION: Final = 1
_THREADS: Final = {
    'domain': 'Domain',
    'thread': 'Thread',
    'tid': 'TID',
    'role': 'Role',
    'planned': 'Planned',
    'actual': 'Actual',
    'verdict': 'Verdict',
}
_FINDINGS: Final = {
    'domain': 'Domain',
    'code': 'Verifier',
    'severity': 'Severity',
    'subject': 'Subject',
    'expected': 'Expected',
    'actual': 'Actual',
    'mend': 'Mend',
}
_OK: Final = 'ok'
_WRONG: Final = 'WRONG'
_UNKNOWN: Final = 'unknown'


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A running domain, its proofs and what is wrong with it."""

    running: RunningDomain
    threads: tuple[ThreadProof, ...]
    memory: MemoryProof
    findings: tuple[Finding, ...]

    @property
    def name(self) -> str:
        """The domain's name."""
        return self.running.domain.name


class VerifyDomains(Show):
    """Prove thread by thread that running domains are what was planned.

    Compares the document that libvirt has of a running domain, and the plan
    in its metadata, with what the kernel shows of its threads, its memory
    and its neighbours, and with the document that it starts from the next
    time. Runs on the host itself, best as root. If there are findings of
    severity error or fatal, the exit code is 3.

    A domain without real-time vCPUs is held to its own document as well:
    what strays from there may land on the pCPUs of others.
    """

    example = """\
Example: one domain, and what is wrong with any for a program::

    rtvirt domain verify plc-1
    rtvirt domain verify --all -f json
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the domains and where they are."""
        parser.add_argument(
            'names', metavar='NAME', nargs='*', help='a running domain'
        )
        parser.add_argument(
            '--all',
            action='store_true',
            help='every domain that runs, real-time or not',
        )
        parser.add_argument(
            '--connect',
            metavar='URI',
            default=LOCAL_URI,
            help=f'the libvirt of this machine (default: {LOCAL_URI})',
        )
        parser.add_argument(
            '--ask-qemu',
            action='store_true',
            help='ask QEMU which thread runs which vCPU (query-cpus-fast); '
            'libvirt then marks the domain as tainted. Without it, the notes '
            'that libvirt took when it asked tell, or the names of threads',
        )
        add_fail_on(parser)

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read the domains and verify each."""
        if bool(parsed_args.names) is parsed_args.all:
            raise ConfigError(
                'which domains to verify is not clear: expected their names, '
                'or --all',
                hint='"rtvirt domain list" lists those there are',
            )
        running = read_running(
            parsed_args.connect,
            None if parsed_args.all else parsed_args.names,
            ask=parsed_args.ask_qemu,
        )
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        return report_proofs(
            [prove(one) for one in running], parsed_args.fail_on
        )


def prove(running: RunningDomain) -> Verified:
    """Hold a running domain against its document and its plan."""
    domain, observed = running.domain, running.observed
    return Verified(
        running=running,
        threads=prove_threads(threads_of_domain(domain), observed),
        memory=prove_memory(memory_of_domain(domain), observed.memory),
        findings=verify(domain, observed),
    )


def report_proofs(verified: Sequence[Verified], fail_on: str) -> Report:
    """Return the proofs of some domains as a report."""
    findings = [finding for one in verified for finding in one.findings]
    return Report(
        document={
            'schema_version': _SCHEMA_VERSION,
            'domains': [_document(one) for one in verified],
        },
        headline=_headline(verified, findings),
        tables=(
            Table(
                columns=_THREADS,
                rows=[row for one in verified for row in _rows(one)],
            ),
            Table(
                title='Found',
                columns=_FINDINGS,
                rows=[
                    _finding_row(one.name, finding)
                    for one in verified
                    for finding in one.findings
                ],
            ),
        ),
        code=findings_code(findings, fail_on),
    )


def _headline(
    verified: Sequence[Verified], findings: Iterable[Finding]
) -> str:
    domains = count(len(verified), 'running domain')
    realtime = sum(is_realtime(one.running.domain) for one in verified)
    decided = [f for f in findings if not f.is_undecided]
    undecided = len([*findings]) - len(decided)
    counts = [
        count(number, severity.value)
        for severity in Severity
        if (number := sum(f.severity is severity for f in decided))
    ]
    if undecided:
        counts.append(f'{undecided} undecided')
    return (
        f'{domains}, {realtime} real-time: {", ".join(counts) or "as wanted"}'
    )


def _rows(one: Verified) -> list[list[Any]]:
    """Return the threads, who is beside them, and the memory."""
    return [
        [one.name, *row]
        for row in (
            *map(_thread_row, one.threads),
            *_stranger_rows(one),
            *_memory_rows(one.memory),
        )
    ]


def _thread_row(proof: ThreadProof) -> list[Any]:
    thread = proof.thread
    return [
        thread.name if thread else '',
        thread.tid if thread else None,
        proof.subject,
        say_scheduling(proof.planned) if proof.planned else '',
        say_scheduling(thread.scheduling) if thread else '',
        _verdict(proof.ok),
    ]


def _stranger_rows(one: Verified) -> Iterator[list[Any]]:
    domain = one.running.domain
    for stranger in intruders(domain, one.running.observed):
        owner = stranger.guest or stranger.process
        yield [
            stranger.name,
            stranger.tid,
            f'stranger, of {owner}',
            f'not on {name_cpus(realtime_cpus(domain))}',
            say_scheduling(stranger.scheduling),
            _WRONG,
        ]


def _memory_rows(memory: MemoryProof) -> Iterator[list[Any]]:
    wanted, actual, locked = memory.planned, memory.actual, memory.locked_kib
    is_known = wanted.huge is not None and not isinstance(actual, Missing)
    yield [
        *('', None, 'memory'),
        '' if wanted.huge is None else say_pages(wanted.huge),
        str(actual) if isinstance(actual, Missing) else say_pages(actual),
        _verdict(memory.pages_ok if is_known else None),
    ]
    if wanted.locked:
        is_known = not isinstance(locked, Missing)
        yield [
            *('', None, 'locked memory'),
            f'{wanted.memory_kib >> 10} MiB',
            str(locked)
            if isinstance(locked, Missing)
            else f'{locked >> 10} MiB',
            _verdict(memory.locked_ok if is_known else None),
        ]


def _verdict(ok: bool | None) -> str:
    if ok is None:
        return _UNKNOWN
    return _OK if ok else _WRONG


def _finding_row(name: str, finding: Finding) -> list[Any]:
    return [
        name,
        finding.code,
        'undecided' if finding.is_undecided else finding.severity.value,
        finding.subject,
        finding.expected,
        finding.actual,
        finding.hint,
    ]


def _document(one: Verified) -> dict[str, Any]:
    return {
        'name': one.name,
        'uuid': one.running.observed.uuid,
        'pid': one.running.observed.pid,
        'is_realtime': is_realtime(one.running.domain),
        'observed': one.running.observed.to_dict(),
        'threads': [dump(proof) for proof in one.threads],
        'memory': dump(one.memory),
        'findings': [dump(finding) for finding in one.findings],
    }
