# SPDX-License-Identifier: Apache-2.0
"""``rtvirt plugin``: what is plugged in."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Callable
from collections.abc import Iterator
from typing import Final

from rtvirt import plugins
from rtvirt.cli.base import Show
from rtvirt.cli.commands import group_commands
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.report import Report
from rtvirt.cli.report import Table
from rtvirt.exception import PluginError

LOG = logging.getLogger(__name__)

_SCHEMA_VERSION: Final = 1
_COLUMNS: Final = {
    'namespace': 'Namespace',
    'name': 'Name',
    'distribution': 'Distribution',
    'version': 'Version',
    'state': 'State',
    'target': 'Target',
}
_BRIEF: Final = ('namespace', 'name', 'distribution', 'version', 'state')


class ListPlugins(Show):
    """List the plug-ins, and what is wrong with them.

    Every plug-in is loaded once. What is wrong with one that is broken, or
    in conflict with another, is said on standard error; then the exit code
    is 1.
    """

    example = """\
Example: who ships commands::

    rtvirt plugin list -f value -c name -c distribution
"""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what widens the list."""
        parser.add_argument(
            '--long', action='store_true', help='show what is loaded, too'
        )

    def report(self, parsed_args: argparse.Namespace) -> Report:
        """Load every plug-in."""
        problems: dict[plugins.Plugin, str | None] = {}
        for namespace in plugins.NAMESPACES:
            problems |= _problems(namespace)
        for problem in filter(None, problems.values()):
            LOG.error('%s', problem)
        table = Table(
            columns=_COLUMNS,
            rows=[_row(*item) for item in problems.items()],
        )
        return Report(
            document={
                'schema_version': _SCHEMA_VERSION,
                'plugins': [
                    {**dataclasses.asdict(plugin), 'problem': problem}
                    for plugin, problem in problems.items()
                ],
            },
            tables=(table if parsed_args.long else table.select(_BRIEF),),
            code=ExitCode.FAILED if any(problems.values()) else ExitCode.DONE,
        )


def _row(plugin: plugins.Plugin, problem: str | None) -> list[str]:
    return [
        plugin.namespace,
        plugin.name,
        plugin.distribution,
        plugin.version,
        'broken' if problem else 'ok',
        plugin.target,
    ]


def _problems(namespace: str) -> dict[plugins.Plugin, str | None]:
    """Return what is wrong with each plug-in of a namespace."""
    found = plugins.find(namespace)
    problems: dict[plugins.Plugin, str | None] = dict.fromkeys(found)
    errors = (
        _command_errors(found)
        if namespace == plugins.COMMANDS
        else _errors(plugins.LOADERS[namespace], found)
    )
    for error in errors:
        for plugin in found:
            if (plugin.name, plugin.distribution) == (
                error.name,
                error.distribution,
            ):
                problems[plugin] = str(error)
    return problems


def _command_errors(
    found: tuple[plugins.Plugin, ...],
) -> Iterator[PluginError]:
    for command in group_commands(found).values():
        try:
            command.load()
        except PluginError as error:
            yield error


def _errors(
    load: Callable[..., object], found: tuple[plugins.Plugin, ...]
) -> Iterator[PluginError]:
    """Yield the error of all plug-ins together, then of each alone."""
    try:
        load()
    except PluginError as error:
        yield error
        for plugin in found:
            try:
                load(plugin.name)
            except PluginError as other:
                yield other
