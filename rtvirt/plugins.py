# SPDX-License-Identifier: Apache-2.0
"""Plug-ins, found by their entry points: the only importer of stevedore.

What rtvirt ships is registered the same way as what others add. Whatever is
wrong with a plug-in is a :class:`~rtvirt.exception.PluginError` that names
it and who ships it; none is passed over in silence.

stevedore and importlib.metadata are slow to import. They are imported where
the first plug-in is asked for, so that ``import rtvirt`` needs neither.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import itertools
from collections.abc import Callable
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

from rtvirt.exception import PluginError
from rtvirt.exception import RTVirtError

if TYPE_CHECKING:
    from rtvirt.checks.run import HostCheck
    from rtvirt.configurators.base import Configurator
    from rtvirt.latency.parsers.base import LatencyParser
    from rtvirt.latency.result import LatencyResult
    from rtvirt.lint_rules.run import LintRule
    from rtvirt.model.finding import Finding
    from rtvirt.verifiers.run import Verify

COMMANDS: Final = 'rtvirt.commands'
CONFIGURATORS: Final = 'rtvirt.configurators'
HOST_CHECKS: Final = 'rtvirt.host_checks'
LATENCY_PARSERS: Final = 'rtvirt.latency_parsers'
LINT_RULES: Final = 'rtvirt.lint_rules'
VERIFIERS: Final = 'rtvirt.verifiers'
NAMESPACES: Final = (
    COMMANDS,
    CONFIGURATORS,
    HOST_CHECKS,
    LATENCY_PARSERS,
    LINT_RULES,
    VERIFIERS,
)

_OWN: Final = 'rtvirt'


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """An entry point: what is known of a plug-in before it is loaded.

    :ivar target: ``module:attribute``.
    :ivar distribution: who ships it.
    :ivar version: of the distribution.
    """

    namespace: str
    name: str
    target: str
    distribution: str
    version: str

    def load(self) -> Any:
        """Import the plug-in.

        :raises PluginError: with the cause, whatever it is.
        """
        from stevedore import driver  # noqa: PLC0415

        try:
            return driver.DriverManager(self.namespace, self.name).driver
        # Foreign code runs here: it may fail in any way, even by an exit.
        except (Exception, SystemExit) as error:
            raise self.error(f'cannot be loaded: {_cause(error)}') from error

    def error(self, what: str) -> PluginError:
        """Return an error that says this about the plug-in."""
        return PluginError(
            f'{self} {what}',
            namespace=self.namespace,
            name=self.name,
            distribution=self.distribution,
            hint=f'mend, update or remove {self.distribution}',
        )

    def __str__(self) -> str:
        return (
            f'plug-in {self.name!r} of {self.namespace} ({self.target}, '
            f'shipped by {self.distribution} {self.version})'
        )


def conflict(one: Plugin, two: Plugin, why: str) -> PluginError:
    """Return an error about the first of two plug-ins that cannot both be."""
    return one.error(f'and {two} {why}')


def find(namespace: str) -> tuple[Plugin, ...]:
    """Return the plug-ins of a namespace without loading them.

    They are sorted by name: the order in which distributions stand on
    ``sys.path`` has no say. Names that occur twice are kept.

    :raises PluginError: if there are none. rtvirt itself fills every
        namespace, so its own metadata is missing.
    """
    import importlib.metadata  # noqa: PLC0415

    from stevedore import extension  # noqa: PLC0415

    entry_points = importlib.metadata.entry_points(group=namespace)
    if not entry_points:
        raise PluginError(
            f'there are no plug-ins of {namespace}, not even those of rtvirt',
            namespace=namespace,
            name='',
            distribution='rtvirt',
            hint='install rtvirt: python3 -m pip install -e . in a checkout',
        )
    # stevedore reads them from a file below ~/.cache that it believes to be
    # up to date for two minutes (it compares times as 32-bit floats), and
    # that does not tell who ships what. Give it the list just read.
    extension.ExtensionManager.ENTRY_POINT_CACHE[namespace] = [*entry_points]
    return tuple(
        sorted(
            (
                Plugin(
                    namespace=namespace,
                    name=entry_point.name,
                    target=entry_point.value,
                    distribution=entry_point.dist.name,
                    version=entry_point.dist.version,
                )
                for entry_point in entry_points
                if entry_point.dist is not None
            ),
            key=lambda plugin: (plugin.name, plugin.distribution),
        )
    )


def pick(plugins: Iterable[Plugin], namespace: str, name: str) -> Plugin:
    """Return the plug-in with this name.

    :raises PluginError: if there is none, or more than one.
    """
    plugins = tuple(plugins)
    named = [plugin for plugin in plugins if plugin.name == name]
    if len(named) > 1:
        raise conflict(named[0], named[1], 'have the same name')
    if not named:
        near = difflib.get_close_matches(name, [p.name for p in plugins], n=1)
        raise PluginError(
            f'there is no plug-in {name!r} in {namespace}',
            namespace=namespace,
            name=name,
            hint=f'did you mean {near[0]!r}?'
            if near
            else 'install the distribution that ships it; "rtvirt plugin '
            'list" shows what there is',
        )
    return named[0]


def load_all(namespace: str, names: Iterable[str] = ()) -> dict[Plugin, Any]:
    """Load the plug-ins of a namespace, or those that are named.

    :raises PluginError: if one is missing, fails to load, or has the name of
        another.
    """
    plugins = find(namespace)
    wanted = tuple(names) or [plugin.name for plugin in plugins]
    picked = [pick(plugins, namespace, name) for name in wanted]
    return {plugin: plugin.load() for plugin in picked}


@functools.cache
def configurators(*names: str) -> tuple[Configurator, ...]:
    """Return the configurators, or those that are named.

    They are loaded and made once in a process.

    :raises PluginError: if one is missing, fails to load, is none, or owns
        what another one owns.
    """
    from rtvirt.configurators.base import shared_path  # noqa: PLC0415

    made = {
        plugin: _make_configurator(plugin, factory)
        for plugin, factory in load_all(CONFIGURATORS, names).items()
    }
    for (one, first), (two, second) in itertools.combinations(made.items(), 2):
        if path := shared_path(first.owns, second.owns):
            raise conflict(two, one, f'both own {path}')
    return tuple(made.values())


def _make_configurator(
    plugin: Plugin, factory: Callable[[], Configurator]
) -> Configurator:
    try:
        made = factory()
    except Exception as error:
        raise plugin.error(f'cannot be made: {_cause(error)}') from error
    owns = getattr(made, 'owns', None)
    if not isinstance(owns, frozenset) or not owns:
        raise plugin.error(
            f'is no configurator: its owns is {owns!r:.60}, not a frozenset '
            'of element paths'
        )
    if not callable(getattr(made, 'configure', None)):
        raise plugin.error('is no configurator: it has no configure()')
    return made


@functools.cache
def host_checks(*names: str) -> tuple[HostCheck, ...]:
    """Return the checks of hosts, or those that are named.

    They are loaded once in a process. What others ship is guarded: whatever
    happens in it is an error that names it.

    :raises PluginError: if one is missing, fails to load, cannot be called,
        or has a check with a code that another one has.
    """
    from rtvirt.checks.base import CheckGroup  # noqa: PLC0415

    return _load_tables(HOST_CHECKS, names, CheckGroup, 'check')


@functools.cache
def latency_parsers(*names: str) -> tuple[LatencyParser, ...]:
    """Return the parsers of latency tools, or those that are named.

    They are loaded once in a process. What others ship is guarded: whatever
    happens in it but a complaint about the text is an error that names it.

    :raises PluginError: if one is missing, fails to load, or is none.
    """
    from rtvirt.latency.parsers.base import LatencyParser  # noqa: PLC0415

    loaded = []
    for plugin, parser in load_all(LATENCY_PARSERS, names).items():
        if not isinstance(parser, LatencyParser):
            raise plugin.error(
                f'is {parser!r:.60}, not a {LatencyParser.__name__}'
            )
        is_own = plugin.distribution == _OWN
        loaded.append(parser if is_own else _guard_parser(plugin, parser))
    return tuple(loaded)


def _guard_parser(plugin: Plugin, parser: LatencyParser) -> LatencyParser:
    """Return a foreign parser that fails only in words."""
    from rtvirt.latency.result import LatencyResult  # noqa: PLC0415

    def recognizes(head: str) -> bool:
        try:
            return bool(parser.recognizes(head))
        except Exception as error:
            raise plugin.error(f'failed: {_cause(error)}') from error

    def parse(text: str, command: str) -> LatencyResult:
        try:
            result = parser.parse(text, command)
        except RTVirtError:
            raise
        except Exception as error:
            raise plugin.error(f'failed: {_cause(error)}') from error
        if not isinstance(result, LatencyResult):
            raise plugin.error(f'read {result!r:.60}, which is no result')
        return result

    return dataclasses.replace(parser, recognizes=recognizes, parse=parse)


@functools.cache
def lint_rules(*names: str) -> tuple[LintRule, ...]:
    """Return the rules for domain documents, or those that are named.

    As :func:`host_checks`.
    """
    from rtvirt.lint_rules.base import RuleGroup  # noqa: PLC0415

    return _load_tables(LINT_RULES, names, RuleGroup, 'rule')


@functools.cache
def verifiers(*names: str) -> tuple[Verify, ...]:
    """Return the verifiers of running domains, or those that are named.

    As :func:`host_checks`.
    """
    from rtvirt.verifiers.base import VerifierGroup  # noqa: PLC0415

    return _load_tables(VERIFIERS, names, VerifierGroup, 'verifier')


def _load_tables(
    namespace: str, names: Iterable[str], group: type[Any], what: str
) -> tuple[Any, ...]:
    """Load plug-ins that find something, alone or as groups of rows."""
    owners: dict[str, Plugin] = {}
    loaded = []
    for plugin, table in load_all(namespace, names).items():
        if not callable(table) or isinstance(table, type):
            raise plugin.error(f'is no {what}: it cannot be called')
        for row in table if isinstance(table, group) else ():
            owner = owners.setdefault(row.code, plugin)
            if owner is not plugin:
                raise conflict(plugin, owner, f'both have {row.code}')
        is_own = plugin.distribution == _OWN
        loaded.append(table if is_own else _guard(plugin, table, group))
    return tuple(loaded)


def _guard(plugin: Plugin, table: Any, group: type[Any]) -> Any:
    """Return a foreign plug-in that fails only in words."""
    from rtvirt.model.finding import Finding  # noqa: PLC0415

    if isinstance(table, group):
        return group(
            dataclasses.replace(row, decide=_guarded(plugin, row.decide))
            for row in table
        )
    guarded = _guarded(plugin, table)

    def call(*given: Any) -> tuple[Finding, ...]:
        found = guarded(*given)
        for item in found:
            if not isinstance(item, Finding):
                raise plugin.error(f'found {item!r:.60}, which is no finding')
        return found

    return call


def _guarded(
    plugin: Plugin, decide: Callable[..., Iterable[Any]]
) -> Callable[..., tuple[Any, ...]]:
    def call(*given: Any) -> tuple[Any, ...]:
        try:
            return tuple(decide(*given))
        except Exception as error:
            raise plugin.error(f'failed: {_cause(error)}') from error

    return call


def _cause(error: BaseException) -> str:
    """Name an error in one line."""
    text = ' '.join(str(error).split())
    name = type(error).__name__
    return f'{name}: {text:.200}' if text else name


LOADERS: Final[dict[str, Callable[..., tuple[Any, ...]]]] = {
    CONFIGURATORS: configurators,
    HOST_CHECKS: host_checks,
    LATENCY_PARSERS: latency_parsers,
    LINT_RULES: lint_rules,
    VERIFIERS: verifiers,
}
"""The loader of each namespace but that of commands, which are lazy."""
