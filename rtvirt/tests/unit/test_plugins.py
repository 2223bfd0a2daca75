# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong with a plug-in, the error names it."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from rtvirt import plugins
from rtvirt.exception import PluginError
from rtvirt.tests.distribution import Site

PLUGIN = """
class Plugin:
    owns = frozenset({owns!r})

    def configure(self, plan, domain):
        pass
"""


def install(site: Site, name: str, *owns: str, plugin: str = '') -> Path:
    return site.install(
        name,
        plugins.CONFIGURATORS,
        plugin or name,
        PLUGIN.format(owns=list(owns)),
    )


def error() -> PluginError:
    with pytest.raises(PluginError) as caught:
        plugins.configurators()
    assert caught.value.namespace == plugins.CONFIGURATORS
    assert caught.value.hint
    return caught.value


def test_built_in_configurators_are_plugins() -> None:
    built_in = plugins.find(plugins.CONFIGURATORS)
    assert {plugin.distribution for plugin in built_in} == {'rtvirt'}
    assert len(plugins.configurators()) == len(built_in)


def test_configurators_are_made_once() -> None:
    assert plugins.configurators() is plugins.configurators()


def test_a_plugin_joins_the_built_in_ones(site: Site) -> None:
    before = len(plugins.find(plugins.CONFIGURATORS))
    install(site, 'alpha', 'alpha')
    assert len(plugins.configurators()) == before + 1
    (alpha,) = plugins.configurators('alpha')
    assert alpha.owns == {'alpha'}


@pytest.mark.parametrize(
    'order', [*itertools.permutations(['a1', 'b2', 'c3'])]
)
def test_the_order_of_installation_has_no_say(
    site: Site, order: tuple[str, ...]
) -> None:
    for name in order:
        install(site, name, name)
    names = [plugin.name for plugin in plugins.find(plugins.CONFIGURATORS)]
    assert names == sorted(names)
    assert {'a1', 'b2', 'c3'} < set(names)


@pytest.mark.parametrize(
    ('source', 'cause'),
    [
        ('import no_such_module', 'ModuleNotFoundError: No module named'),
        ('class Plugin', 'SyntaxError'),
        ('raise SystemExit(3)', 'SystemExit: 3'),
        ('assert False, "not on this host"', 'AssertionError: not on this'),
        ('raise ValueError("two\\nlines")', 'ValueError: two lines'),
        ('', 'AttributeError'),
    ],
)
def test_a_broken_plugin_is_named(site: Site, source: str, cause: str) -> None:
    site.install('broken-one', plugins.CONFIGURATORS, 'bad', source)
    caught = error()
    assert (caught.name, caught.distribution) == ('bad', 'broken-one')
    assert 'cannot be loaded' in caught.message
    assert cause in caught.message
    assert 'broken_one:Plugin' in caught.message
    assert '\n' not in caught.message
    assert 'broken-one' in caught.hint


@pytest.mark.parametrize(
    ('source', 'why'),
    [
        ('def Plugin(): return 1', 'its owns is None'),
        ('class Plugin:\n    owns = {"a"}', "its owns is {'a'}"),
        ('class Plugin:\n    owns = frozenset()', 'its owns is frozenset()'),
        ('class Plugin:\n    owns = frozenset({"x"})', 'no configure()'),
        ('def Plugin(x): pass', 'cannot be made: TypeError'),
        ('Plugin = 3', 'cannot be made: TypeError'),
    ],
)
def test_what_is_no_configurator_is_named(
    site: Site, source: str, why: str
) -> None:
    site.install('other', plugins.CONFIGURATORS, 'odd', source)
    caught = error()
    assert (caught.name, caught.distribution) == ('odd', 'other')
    assert why in caught.message


@pytest.mark.parametrize('order', [('first', 'second'), ('second', 'first')])
def test_two_of_one_name_are_in_conflict(
    site: Site, order: tuple[str, str]
) -> None:
    for name in order:
        install(site, name, name, plugin='same')
    caught = error()
    assert caught.name == 'same'
    assert caught.distribution == 'first'
    assert 'first:Plugin' in caught.message
    assert 'second:Plugin' in caught.message


@pytest.mark.parametrize(
    ('one', 'two', 'shared'),
    [
        ('x', 'x', 'x'),
        ('x/y', 'x', 'x/y'),
        ('x', 'x/y', 'x/y'),
    ],
)
def test_owning_what_another_owns_is_a_conflict(
    site: Site, one: str, two: str, shared: str
) -> None:
    install(site, 'one', 'only-one', one)
    install(site, 'two', 'only-two', two)
    caught = error()
    assert caught.name == 'two'
    assert f'both own {shared}' in caught.message
    assert 'one:Plugin' in caught.message


def test_a_name_that_begins_alike_is_another_element(site: Site) -> None:
    install(site, 'one', 'xx')
    install(site, 'two', 'xxx', 'xx-y')
    assert plugins.configurators('one', 'two')


def test_a_missing_plugin_is_named(site: Site) -> None:
    install(site, 'cache-stuff', 'x', plugin='cachestuff')
    with pytest.raises(PluginError, match="no plug-in 'cachestuf'") as caught:
        plugins.configurators('cachestuf')
    assert caught.value.name == 'cachestuf'
    assert caught.value.hint == "did you mean 'cachestuff'?"
    with pytest.raises(PluginError) as caught:
        plugins.configurators('zzz')
    assert 'rtvirt plugin list' in caught.value.hint


def test_without_the_metadata_of_rtvirt_nothing_is_found() -> None:
    with pytest.raises(PluginError, match='not even those') as caught:
        plugins.find('rtvirt.no_such_namespace')
    assert 'install rtvirt' in caught.value.hint


def test_entry_points_are_read_anew(site: Site) -> None:
    info = install(site, 'moving', 'x', plugin='before')
    plugins.configurators('before')
    points = info / 'entry_points.txt'
    points.write_text(points.read_text().replace('before', 'behind'))
    names = {plugin.name for plugin in plugins.find(plugins.CONFIGURATORS)}
    assert 'behind' in names
    assert 'before' not in names
    assert plugins.configurators('behind')


def test_the_module_imports_no_stevedore() -> None:
    code = (
        'import sys, rtvirt.plugins\n'
        'print({"stevedore", "importlib.metadata"} & set(sys.modules))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=Path(plugins.__file__).parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == 'set()'
