# SPDX-License-Identifier: Apache-2.0
"""``rtvirt latency report``: what measurements say, and what proves it."""

from __future__ import annotations

import argparse
import functools
import json
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from typing import Final

from rtvirt.cli.base import Show
from rtvirt.cli.budget import add_budget
from rtvirt.cli.column import count
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.latency_files import judge_measurement
from rtvirt.cli.latency_files import merge_measurements
from rtvirt.cli.latency_files import name_file
from rtvirt.cli.latency_files import read_measurement
from rtvirt.cli.latency_tables import threads_table
from rtvirt.cli.latency_tables import verdicts_table
from rtvirt.cli.placement import typed
from rtvirt.cli.report import Report
from rtvirt.exception import ConfigError
from rtvirt.latency.verdict import Outcome
from rtvirt.model.cpuset import CPUSet
from rtvirt.report.latency.junit import junit_xml
from rtvirt.report.latency.page import latency_page
from rtvirt.report.latency.sheet import charts_svg
from rtvirt.report.latency.summary import OUTCOMES
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import summarize
from rtvirt.report.latency.summary import worst_of
from rtvirt.report.latency.terminal import draw_histograms

_SCHEMA_VERSION: Final = 1
_FAIL_ON: Final = (Outcome.FAIL, Outcome.UNDECIDED)


class ReportLatency(Show):
    """Report what latency measurements say, and judge them again.

    A FILE is evidence that "latency run" wrote, or what cyclictest, oslat,
    rtla or hwlatdetect printed, as text or JSON. Prints the percentiles that
    the samples support, in microseconds, the verdicts, and a histogram of
    each role on a log scale. With -o it writes a page that needs no network,
    a picture or data. If a budget is passed, the exit code is 3.
    """

    example = """\
Example: judge a run again, and keep a page for an audit::

    rtvirt latency report plc-1.json -o plc-1.html
    rtvirt latency report plc-1.json --profile rhel-kvm-rt

Example: what a tool wrote, for a CI system::

    cyclictest -m -q -p95 -h400 -D 10m -a 2-5 -t 4 > run.txt
    rtvirt latency report run.txt --budget-us 40 --junit junit.xml

Example: three nights as one measurement::

    rtvirt latency report --merge mon.json tue.json wed.json -o week.svg
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the files, what to judge by and what to write."""
        parser.add_argument(
            'files',
            metavar='FILE',
            nargs='+',
            help='evidence, or what a tool printed; - is standard input',
        )
        parser.add_argument(
            '--merge',
            action='store_true',
            help='add all files up to one measurement',
        )
        parser.add_argument(
            '--realtime',
            metavar='CPUS',
            type=typed(CPUSet.parse),
            help='which CPUs are real-time, the others being housekeeping; '
            'default: what the evidence says, or all',
        )
        add_budget(parser)
        group = parser.add_argument_group('what to write')
        group.add_argument(
            '-o',
            '--output',
            metavar='FILE',
            help='a page (.html), a picture (.svg) or data (.json)',
        )
        group.add_argument(
            '--junit',
            metavar='FILE',
            help='the verdicts as CI systems read test results',
        )
        parser.add_argument(
            '--fail-on',
            metavar='VERDICT',
            choices=[*_FAIL_ON],
            default=Outcome.FAIL,
            help='exit with 3 on this verdict or a worse one: fail '
            '(default), or undecided',
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Read, judge and write."""
        write = _writer(parsed_args.output)
        runs = _read(parsed_args)
        document = _document(runs)
        if write:
            text = write(runs)
            Path(parsed_args.output).write_text(text, encoding='utf-8')
        if parsed_args.junit:
            Path(parsed_args.junit).write_text(
                junit_xml(runs), encoding='utf-8'
            )
        if self.app.stdout.isatty():
            parsed_args.fit_width = True
        return Report(
            document=document,
            headline=_headline(runs),
            tables=(threads_table(runs), verdicts_table(runs)),
            lines=functools.partial(draw_histograms, runs),
            code=_code(runs, parsed_args.fail_on),
        )


def _read(parsed_args: argparse.Namespace) -> list[Run]:
    files = parsed_args.files
    found = [read_measurement(path, parsed_args.realtime) for path in files]
    names = [*map(name_file, files)]
    if parsed_args.merge and len(found) > 1:
        names = [' + '.join(names)]
        found = [merge_measurements(found)]
    return [
        summarize(name, judge_measurement(evidence, parsed_args))
        for name, evidence in zip(names, found, strict=True)
    ]


def _writer(path: str | None) -> Callable[[Sequence[Run]], str] | None:
    """Return what makes the text of a file of this name."""
    writers: dict[str, Callable[[Sequence[Run]], str]] = {
        '.html': latency_page,
        '.svg': charts_svg,
        '.json': _to_json,
    }
    if path is None:
        return None
    writer = writers.get(Path(path).suffix.lower())
    if writer is None:
        raise ConfigError(
            f'--output {path!r:.80}: its name does not tell what to write',
            hint=f'let it end in {", ".join(writers)}',
        )
    return writer


def _document(runs: Sequence[Run]) -> dict[str, Any]:
    return {
        'schema_version': _SCHEMA_VERSION,
        'outcome': str(worst_of(runs)),
        'runs': [run.to_plain() for run in runs],
    }


def _to_json(runs: Sequence[Run]) -> str:
    return json.dumps(_document(runs), indent=1) + '\n'


def _headline(runs: Sequence[Run]) -> str:
    threads = count(sum(len(run.threads) for run in runs), 'thread')
    samples = sum(run.evidence.result.cycles for run in runs)
    outcome = (
        OUTCOMES[worst_of(runs)]
        if any(run.evidence.verdicts for run in runs)
        else 'no budget was given'
    )
    text = f'{outcome}: {threads}, {count(samples, "sample")}'
    if any(run.evidence.target.is_emulated for run in runs):
        text += '; an emulated processor: it says nothing about real hardware'
    return text


def _code(runs: Sequence[Run], fail_on: str) -> ExitCode:
    outcomes = [v.outcome for run in runs for v in run.evidence.verdicts]
    wrong = _FAIL_ON[: _FAIL_ON.index(Outcome(fail_on)) + 1]
    is_wrong = any(outcome in wrong for outcome in outcomes)
    return ExitCode.FINDINGS if is_wrong else ExitCode.DONE
