# SPDX-License-Identifier: Apache-2.0
"""Parse the global options, run a command, turn errors into exit codes."""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import inspect
import logging
import textwrap
import traceback
from collections.abc import Iterator
from typing import Any
from typing import TextIO

from cliff import app
from cliff.commandmanager import EntryPointT
from cliff.complete import CompleteCommand

from rtvirt import plugins
from rtvirt.cli.base import Command
from rtvirt.cli.base import Parser
from rtvirt.cli.commands import Commands
from rtvirt.cli.commands import LazyCommand
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.exitcode import exit_code
from rtvirt.cli.report import printable
from rtvirt.exception import ConfigError
from rtvirt.exception import FitError
from rtvirt.exception import RTVirtError

_DESCRIPTION = (
    'Plan real-time virtual machines: from a flavor to a placement on a host\n'
    'to libvirt domain XML.'
)
_EPILOG = """\
Example:
  rtvirt plan --flavor rt1.small.yaml --dedicated 2-5

"rtvirt COMMAND --help" explains a command. Exit codes: 0 done, 1 could not
run, 2 usage, 3 findings of severity error, 4 does not fit the host.
"""


class Shell(app.App):
    """The application around the commands."""

    NAME = 'rtvirt'

    def __init__(self) -> None:
        super().__init__(
            description=_DESCRIPTION,
            version=None,
            command_manager=Commands(plugins.COMMANDS),
        )
        self.command_manager.add_command('help', _Help)
        self.command_manager.add_command('complete', _Complete)

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,  # noqa: ARG002
        argparse_kwargs: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> argparse.ArgumentParser:
        """Return the parser of the options that every command has."""
        parser = Parser(
            prog=self.NAME,
            usage='rtvirt [options] COMMAND ...',
            description=description,
            add_help=False,
        )
        add = parser.add_argument
        add('-h', '--help', action='store_true', help='show this and exit')
        add('--version', action='store_true', help='show it and exit')
        add(
            '-v',
            '--verbose',
            action='count',
            default=0,
            dest='verbose_level',
            help='say on standard error what is done; -vv says more',
        )
        add(
            '-q',
            '--quiet',
            action='store_const',
            const=-1,
            dest='verbose_level',
            help='keep warnings to yourself',
        )
        add('--log-file', metavar='FILE', help='append the same to FILE')
        add(
            '--debug',
            action='store_true',
            help='say everything, with tracebacks of errors',
        )
        return parser

    def run(self, argv: list[str]) -> int:
        """Run a command line and return the exit code.

        Every error ends here, but for an interrupt and a closed pipe.
        """
        debug = '--debug' in argv
        try:
            self.options, words = self.parser.parse_known_args(argv)
            with _logging(self.options, self.stderr):
                code = self.dispatch(words)
            self.stdout.flush()
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 (the outermost edge)
            if debug:
                traceback.print_exc(file=self.stderr)
            report_error(error, self.stderr)
            return exit_code(error)
        return code

    def dispatch(self, words: list[str]) -> int:
        """Run the command that stands before its arguments."""
        if self.options.version:
            version = importlib.metadata.version('rtvirt')
            self.stdout.write(f'rtvirt {version}\n')
            return ExitCode.DONE
        if self.options.help and not words:
            self.print_help()
            return ExitCode.DONE
        if not words:
            raise ConfigError(
                'no command is given', hint='"rtvirt --help" lists them'
            )
        if words[0].startswith('-'):
            raise ConfigError(
                f'there is no option {words[0]!r}, or it belongs behind the '
                'command',
                hint='"rtvirt --help" lists the options',
            )
        factory, name, rest = self.command_manager.find_command(words)
        command = factory(self, self.options, cmd_name=name)
        parser = command.get_parser(f'{self.NAME} {name}')
        if self.options.help:
            self.stdout.write(parser.format_help())
            return ExitCode.DONE
        return command.run(parser.parse_args(rest))

    def print_help(self) -> None:
        """Print the global options and the commands."""
        self.stdout.write(self.parser.format_help())
        self.stdout.write('\ncommands:\n')
        width = max(len(name) for name, _ in self.command_manager)
        for name, entry in sorted(self.command_manager):
            try:
                line = _summary(entry)
            except RTVirtError:
                line = '(of no use: "rtvirt plugin list" says why)'
            line = textwrap.shorten(printable(line), 75 - width)
            self.stdout.write(f'  {name:<{width}}  {line.rstrip(".")}\n')
        self.stdout.write('\n' + _EPILOG)


def _summary(entry: EntryPointT) -> str:
    if isinstance(entry, LazyCommand):
        return entry.summary()
    return (inspect.getdoc(entry.load()) or '').partition('\n')[0]


class _Complete(CompleteCommand):
    """Print the code that makes bash or zsh complete commands."""

    def get_parser(self, prog_name: str) -> argparse.ArgumentParser:
        theirs = super().get_parser(prog_name)
        return Parser(
            prog=prog_name,
            description=theirs.description,
            epilog=theirs.epilog,
            parents=[theirs],
            add_help=False,
        )

    def get_epilog(self) -> str:
        return """\
Example:

    rtvirt complete > /etc/bash_completion.d/rtvirt
    rtvirt complete --shell zsh > /usr/local/share/zsh/site-functions/_rtvirt
"""


class _Help(Command):
    """Explain a command, or list them all."""

    app: Shell
    example = """\
Example::

    rtvirt help domain verify
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument('words', metavar='COMMAND', nargs='*')

    def take_action(self, parsed_args: argparse.Namespace) -> int:
        self.app.options.help = True
        return self.app.dispatch(parsed_args.words)


def report_error(error: Exception, stream: TextIO) -> None:
    """Print an error in one line, the reasons of a misfit and the hint."""
    if isinstance(error, RTVirtError):
        text, hint = str(error), error.hint
    elif isinstance(error, OSError):
        text, hint = error.strerror or str(error), ''
        if error.filename:
            text = f'{error.filename}: {text}'
            hint = 'name a path that is there and that you may use'
    else:
        text = f'unexpected {type(error).__name__}: {error}'
        hint = '"rtvirt --debug ..." shows where; please report it'
    stream.write(f'rtvirt: {printable(text)}\n')
    if isinstance(error, FitError):
        for reason in error.reasons:
            stream.write(f'  {printable(str(reason))}\n')
    if hint:
        stream.write(f'hint: {printable(hint)}\n')


@contextlib.contextmanager
def _logging(options: argparse.Namespace, stream: TextIO) -> Iterator[None]:
    """Send what is logged to a stream, and to a file if one is given."""
    level = {-1: logging.ERROR, 0: logging.WARNING, 1: logging.INFO}.get(
        logging.DEBUG if options.debug else options.verbose_level,
        logging.DEBUG,
    )
    console = logging.StreamHandler(stream)
    console.setFormatter(logging.Formatter('rtvirt: %(message)s'))
    handlers: list[logging.Handler] = [console]
    if options.log_file:
        file = logging.FileHandler(options.log_file)
        file.setFormatter(
            logging.Formatter('%(asctime)s %(levelname)s %(name)s %(message)s')
        )
        handlers.append(file)
    # It tells of every entry point that it sees.
    logging.getLogger('stevedore').setLevel(logging.WARNING)
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    root.setLevel(level)
    for handler in handlers:
        # The configuration may set another level for what it logs to.
        handler.setLevel(level)
        root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        for handler in handlers:
            handler.close()
