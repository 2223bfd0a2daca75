# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain lint``: what is wrong with domain documents."""

from __future__ import annotations

import argparse
import json
import logging
import types
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from rtvirt import plugins
from rtvirt.cli.base import Show
from rtvirt.cli.column import count
from rtvirt.cli.document import MAX_XML
from rtvirt.cli.document import STDIN
from rtvirt.cli.document import read_text
from rtvirt.cli.fail_on import add_fail_on
from rtvirt.cli.fail_on import findings_code
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.cli.sarif import to_sarif
from rtvirt.exception import ConfigError
from rtvirt.lint_rules.run import fix
from rtvirt.lint_rules.run import lint_text
from rtvirt.lint_rules.run import run_pairs
from rtvirt.lint_rules.run import table
from rtvirt.model.finding import Severity
from rtvirt.model.plain import dump

if TYPE_CHECKING:
    from rtvirt.libvirtxml.domain import Domain
    from rtvirt.model.facts.host import HostFacts
    from rtvirt.model.finding import Finding

LOG = logging.getLogger(__name__)

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'file': 'File',
    'code': 'Rule',
    'severity': 'Severity',
    'subject': 'Element',
    'actual': 'Found',
    'expected': 'Expected',
    'mend': 'Mend',
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Linted:
    """One document and what is wrong with it.

    :ivar domain: None where the document cannot be read.
    """

    path: str
    text: str
    domain: Domain | None
    findings: tuple[Finding, ...]


class LintDomains(Show):
    """Find what is wrong with domain XML, whoever made it.

    Finds what libvirt accepts though it cannot work or starves the guest,
    and explains what libvirt refuses. Several files are taken for domains of
    one host: then what they take from each other is found too. If there are
    findings of severity error or fatal, the exit code is 3.
    """

    example = """\
Example: a domain that runs, and one that a code review is about::

    virsh dumpxml rt1 | rtvirt domain lint -
    rtvirt domain lint rt1.xml rt2.xml --host compute7.tar.gz -f sarif
    rtvirt domain lint --fix rt1.xml > mended.xml
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the documents, the host and what to do."""
        parser.add_argument(
            'files',
            metavar='FILE',
            nargs='+',
            help='domain XML, as "virsh dumpxml" prints it; - is standard '
            'input',
        )
        parser.add_argument(
            '--host',
            metavar='SRC',
            help='the host they are for: a snapshot or a sosreport, / for '
            'this machine, or what "rtvirt plan" takes; adds the rules that '
            'need to know it',
        )
        add_fail_on(parser)
        parser.add_argument(
            '--fix',
            action='store_true',
            help='print the document instead, with the changes made that '
            'are certain and all else as it was',
        )

    def _load_formatter_plugins(self) -> Any:
        """Add SARIF to the formats of cliff."""
        found: Any = super()._load_formatter_plugins()
        sarif = types.SimpleNamespace(name='sarif', obj=_SARIFOptions())
        found.extensions.append(sarif)
        return found

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read the documents and lint them."""
        files = parsed_args.files
        if files.count(STDIN) > 1:
            raise ConfigError(
                'only one file can be standard input',
                hint='name the others by their paths',
            )
        if parsed_args.fix and len(files) > 1:
            raise ConfigError(
                '--fix prints one document, and several are given',
                hint='call it once for each',
            )
        facts = _read_host(parsed_args.host)
        self._linted = [_lint(path, facts) for path in files]
        domains = [one.domain for one in self._linted if one.domain]
        self._pairs = run_pairs(domains, facts)
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        return _report(self._linted, self._pairs, parsed_args.fail_on)

    def emit(self, report: Report, parsed_args: argparse.Namespace) -> None:
        """Print findings, SARIF, or the mended document."""
        if parsed_args.fix:
            self._emit_fixed(self._linted[0])
        elif parsed_args.formatter == 'sarif':
            sarif = to_sarif(
                [(one.path, one.text, one.findings) for one in self._linted],
                self._pairs,
                table(plugins.lint_rules()).values(),
            )
            self.app.stdout.write(json.dumps(sarif, indent=2) + '\n')
        else:
            super().emit(report, parsed_args)

    def _emit_fixed(self, one: Linted) -> None:
        text = one.text
        if one.domain is not None:
            text = fix(one.domain, plugins.lint_rules()).to_xml()
        for finding in one.findings:
            LOG.warning(
                '%s %s: %s', finding.code, finding.subject, finding.actual
            )
        self.app.stdout.write(text)


class _SARIFOptions:
    """What cliff asks of every format; SARIF has no options."""

    def add_argument_group(self, parser: argparse.ArgumentParser) -> None:
        """Add nothing."""


def _read_host(source: str | None) -> HostFacts | None:
    if source is None:
        return None
    # The reader of hosts takes its time to import.
    from rtvirt.host.source import read_any_facts  # noqa: PLC0415

    return read_any_facts(source)


def _lint(path: str, facts: HostFacts | None) -> Linted:
    text = read_text(path, MAX_XML)
    domain, findings = lint_text(text, facts, plugins.lint_rules())
    return Linted(path=path, text=text, domain=domain, findings=findings)


def _report(
    linted: Sequence[Linted], pairs: Sequence[Finding], fail_on: str
) -> Report:
    rows = [
        _row(one.path, finding) for one in linted for finding in one.findings
    ]
    rows += [_row('', finding) for finding in pairs]
    every = [f for one in linted for f in one.findings] + list(pairs)
    return Report(
        document={
            'schema_version': _SCHEMA_VERSION,
            'files': [
                {
                    'file': one.path,
                    'domain': one.domain.name if one.domain else None,
                    'findings': [dump(finding) for finding in one.findings],
                }
                for one in linted
            ],
            'pairs': [dump(finding) for finding in pairs],
        },
        headline=_headline(linted, every),
        tables=(Table(columns=_COLUMNS, rows=rows, optional={'file'}),),
        code=findings_code(every, fail_on),
    )


def _headline(linted: Sequence[Linted], found: Sequence[Finding]) -> str:
    what = count(len(linted), 'document')
    counts = [
        count(number, severity.value)
        for severity in Severity
        if (number := sum(f.severity is severity for f in found))
    ]
    return f'{what}: {", ".join(counts) or "nothing found"}'


def _row(path: str, finding: Finding) -> list[Any]:
    return [
        path,
        finding.code,
        finding.severity.value,
        finding.subject,
        finding.actual,
        finding.expected,
        finding.hint,
    ]
