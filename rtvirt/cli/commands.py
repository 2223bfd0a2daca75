# SPDX-License-Identifier: Apache-2.0
"""The commands that there are, loaded one by one when they are called."""

from __future__ import annotations

import ast
import contextlib
import difflib
import importlib.util
import inspect
import itertools
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any

from cliff.command import Command
from cliff.commandmanager import CommandManager
from cliff.commandmanager import EntryPointWrapper

from rtvirt import plugins
from rtvirt.exception import ConfigError


class LazyCommand(EntryPointWrapper):
    """A command that is imported when it is needed.

    :param candidates: the plug-ins of this name; more than one are in
        conflict.
    """

    def __init__(self, candidates: Sequence[plugins.Plugin]) -> None:
        self.name = candidates[0].name
        self._candidates = candidates

    def load(self) -> type[Command]:
        """Import the command.

        :raises PluginError: if it fails to load, is no command, or if two
            have the same name.
        """
        plugin, *others = self._candidates
        if others:
            raise plugins.conflict(plugin, others[0], 'have the same name')
        loaded: Any = plugin.load()
        if not (isinstance(loaded, type) and issubclass(loaded, Command)):
            raise plugin.error('is no command: it is no class of cliff\'s')
        return loaded

    def summary(self) -> str:
        """Return the first line of the command's help.

        It is read from the source: to import all commands for a list of
        them takes longer than to run most of them.

        :raises PluginError: as :meth:`load`, where there is no such source.
        """
        if len(self._candidates) == 1:
            module, _, name = self.value.partition(':')
            text = _read_docstring(module, name)
            if text:
                return text.partition('\n')[0]
        return (inspect.getdoc(self.load()) or '').partition('\n')[0]

    @property
    def value(self) -> str:
        """Where the command is, for cliff's messages."""
        return self._candidates[0].target


def _read_docstring(module: str, name: str) -> str:
    """Return the docstring of a class, or an empty text if it has none."""
    # Of a module that is not there, or no Python, importing tells more.
    with contextlib.suppress(ImportError, SyntaxError, ValueError):
        spec = importlib.util.find_spec(module)
        source = getattr(spec and spec.loader, 'get_source', None)
        text = source(module) if source else None
        for node in ast.parse(text or '').body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return ast.get_docstring(node) or ''
    return ''


def group_commands(
    found: Iterable[plugins.Plugin],
) -> dict[str, LazyCommand]:
    """Return the commands by the words that call them: ``flavor show``."""
    by_words: dict[str, list[plugins.Plugin]] = {}
    for plugin in found:
        words = plugin.name.replace('_', ' ')
        by_words.setdefault(words, []).append(plugin)
    return {words: LazyCommand(group) for words, group in by_words.items()}


class Commands(CommandManager):
    """The commands of all distributions.

    cliff's own class imports every command to run one, and passes over those
    that are broken.
    """

    def load_commands(self, namespace: str) -> None:
        """Add the commands of a namespace without importing them."""
        self.group_list.append(namespace)
        self.commands.update(group_commands(plugins.find(namespace)))

    def find_command(
        self, argv: list[str]
    ) -> tuple[type[Command], str, list[str]]:
        """Return the command that the words name, its name and the rest.

        :raises ConfigError: if there is none, naming those that are near.
        """
        try:
            return super().find_command(argv)
        except ValueError:
            pass
        words = list(itertools.takewhile(lambda w: w[:1] != '-', argv))
        raise ConfigError(
            f'{" ".join(words[:2])!r} is no command',
            hint=self._suggest(words),
        )

    def _suggest(self, words: Sequence[str]) -> str:
        names = sorted(self.commands)
        group = [name for name in names if name.split()[0] == words[0]]
        near = []
        if len(words) > 1 or not group:
            text = ' '.join(words[:2])
            near = difflib.get_close_matches(text, group or names)
        if near or group:
            return f'did you mean {" or ".join(map(repr, near or group))}?'
        return '"rtvirt --help" lists the commands'
