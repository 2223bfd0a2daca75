# SPDX-License-Identifier: Apache-2.0
"""``--fail-on``: the findings that make a command end with 3."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from rtvirt.checks.run import is_grave
from rtvirt.cli.exitcode import ExitCode
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity


def add_fail_on(parser: argparse._ActionsContainer) -> None:
    """Add ``--fail-on``."""
    parser.add_argument(
        '--fail-on',
        metavar='SEVERITY',
        choices=[severity.value for severity in Severity],
        default=Severity.ERROR,
        help='exit with 3 on findings of this severity or a worse one: '
        'fatal, error (default), warning or info',
    )


def findings_code(
    findings: Iterable[Finding], fail_on: str = Severity.ERROR
) -> ExitCode:
    """Return how a command ends that found this."""
    at_least = Severity(fail_on)
    if any(is_grave(finding, at_least) for finding in findings):
        return ExitCode.FINDINGS
    return ExitCode.DONE
