# SPDX-License-Identifier: Apache-2.0
"""What all commands have in common: help and output."""

from __future__ import annotations

import abc
import argparse
import difflib
import re
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import ClassVar
from typing import Final
from typing import NoReturn

from cliff import command
from cliff import display
from cliff.formatters.base import ListFormatter
from cliff.formatters.base import SingleFormatter

from rtvirt.cli.picture import print_lines
from rtvirt.cli.report import DOCUMENTS
from rtvirt.cli.report import FLAT
from rtvirt.cli.report import Report
from rtvirt.cli.report import heading
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError

# argparse's own words, and ours.
_NOT_UNDERSTOOD: Final = (
    'the following arguments are required',
    'unrecognized arguments',
)
_IN_OUR_WORDS: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r'^argument ', ''),
        (
            r'invalid choice: (.+) \(choose from (.+)\)$',
            r'\1 is unknown: expected one of \2',
        ),
        (r'invalid int value: (.+)$', r'\1 is no whole number'),
        (r'invalid float value: (.+)$', r'\1 is no number'),
    )
)


class Parser(argparse.ArgumentParser):
    """An argument parser that raises instead of exiting with a usage."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            **kwargs,
        )

    def parse_known_args(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        namespace: argparse.Namespace | None = None,
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and know what was given if that fails."""
        self._given = tuple(args or ())
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Raise :class:`ConfigError`, which ends the program with 2."""
        hint = f'"{self.prog} --help" shows the arguments'
        if message.startswith(_NOT_UNDERSTOOD):
            # One that is misspelt is missing as well: argparse tells that.
            known = self._option_string_actions
            for word in self._given:
                option = word.partition('=')[0]
                if option == '--':
                    break
                if option.startswith('--') and option not in known:
                    near = difflib.get_close_matches(option, known, n=1)
                    raise ConfigError(
                        f'there is no option {option!r:.60}',
                        hint=f'did you mean {near[0]}?' if near else hint,
                    )
        for pattern, words in _IN_OUR_WORDS:
            message = pattern.sub(words, message)
        raise ConfigError(message, hint=hint)

    def format_help(self) -> str:
        """Return the help; the epilogs are reST for the documentation."""
        return super().format_help().replace('::\n', ':\n')


class Command(command.Command, metaclass=abc.ABCMeta):
    """A command; its docstring is its help.

    :cvar example: what stands below the help, in reStructuredText.
    """

    example: ClassVar[str] = ''

    def get_epilog(self) -> str:
        """Return the example."""
        # cliff's looks up who ships the command, in a tenth of a second.
        return self.example

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        """Return the parser of the command's arguments."""
        parser = Parser(
            description=self.get_description(),
            epilog=self.get_epilog(),
            prog=prog_name,
        )
        self.add_arguments(parser)
        return parser

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's own arguments, before those of the output."""

    def _load_hooks(self) -> None:
        # cliff would search for plug-ins to every single command.
        self._hooks = []


class Show(display.DisplayCommandBase[ListFormatter], Command):
    """A command that answers with a report, in any of cliff's formats."""

    @property
    def formatter_namespace(self) -> str:
        """Where cliff's formatters are."""
        return 'cliff.formatter.list'

    @property
    def formatter_default(self) -> str:
        """Tables, for a person."""
        return 'table'

    @abc.abstractmethod
    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Answer."""

    def take_action(
        self, parsed_args: argparse.Namespace
    ) -> tuple[Sequence[str], Iterable[Any]]:
        """Answer in the form that cliff knows: one table."""
        self._report = self.report(parsed_args)
        table = self._report.tables[0]
        return tuple(table.columns), table.rows

    def produce_output(
        self,
        parsed_args: argparse.Namespace,
        column_names: Sequence[str],  # noqa: ARG002
        data: Any,  # noqa: ARG002
    ) -> int:
        """Print all of the answer."""
        self.emit(self._report, parsed_args)
        return self._report.code

    def run(self, parsed_args: argparse.Namespace) -> int:
        """Answer, print and return the exit code."""
        super().run(parsed_args)
        return self._report.code

    def emit(self, report: Report, parsed_args: argparse.Namespace) -> None:
        """Print an answer on standard output in the format asked for."""
        form = parsed_args.formatter
        if form in DOCUMENTS and isinstance(self.formatter, SingleFormatter):
            part = report.part(parsed_args.columns)
            self.formatter.emit_one(
                tuple(part), tuple(part.values()), self.app.stdout, parsed_args
            )
        elif form == 'table':
            self._emit_tables(report, parsed_args)
            if report.lines and not parsed_args.columns:
                self.app.stdout.write('\n')
                print_lines(report.lines, self.app.stdout)
        else:
            table = report.tables[0].select(parsed_args.columns)
            rows = table.for_shell() if form in FLAT else table.rows
            self.formatter.emit_list(
                tuple(table.columns), rows, self.app.stdout, parsed_args
            )

    def _emit_tables(
        self, report: Report, parsed_args: argparse.Namespace
    ) -> None:
        stdout = self.app.stdout
        if parsed_args.columns:
            tables = [report.tables[0].select(parsed_args.columns)]
        else:
            preface = (report.preface,) if report.preface else ()
            tables = [
                table.trim()
                for table in (*preface, *report.tables)
                if table.rows
            ]
            if report.headline:
                stdout.write(f'{printable(report.headline)}\n\n')
        for index, table in enumerate(tables):
            if index:
                stdout.write('\n')
            if table.title and not parsed_args.columns:
                stdout.write(heading(table.title, stdout) + '\n')
            self.formatter.emit_list(
                tuple(table.columns.values()),
                table.for_person(),
                stdout,
                parsed_args,
            )
