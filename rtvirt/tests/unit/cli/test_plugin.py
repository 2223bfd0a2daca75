# SPDX-License-Identifier: Apache-2.0
"""``rtvirt plugin list`` shows every plug-in, the broken ones too."""

from __future__ import annotations

import pytest

from rtvirt import plugins
from rtvirt.tests.distribution import Site
from rtvirt.tests.unit.cli.conftest import RTVirt

OWNS = """
class Plugin:
    owns = frozenset({'trial'})

    def configure(self, plan, domain):
        pass
"""


def test_all_built_in_plugins_are_sound(rtvirt: RTVirt) -> None:
    ended = rtvirt('plugin', 'list', '-f', 'json')
    assert (ended.code, ended.err) == (0, '')
    assert ended.json['schema_version'] == 1
    found = ended.json['plugins']
    assert {plugin['namespace'] for plugin in found} == set(plugins.NAMESPACES)
    assert {plugin['distribution'] for plugin in found} == {'rtvirt'}
    assert {plugin['problem'] for plugin in found} == {None}
    assert [p['name'] for p in found if p['target'].endswith(':ShowPlan')] == [
        'plan'
    ]


def test_plugins_of_others_are_listed(rtvirt: RTVirt, site: Site) -> None:
    site.install('other-dist', plugins.CONFIGURATORS, 'trial', OWNS)
    ended = rtvirt(
        *('plugin', 'list', '-f', 'value'),
        *('-c', 'name', '-c', 'distribution', '-c', 'version'),
    )
    assert ended.code == 0
    assert 'trial other-dist 1.0' in ended.out.splitlines()
    ended = rtvirt('plugin', 'list', '--long')
    assert '| other_dist:Plugin ' in ended.out


@pytest.mark.parametrize(
    ('namespace', 'name', 'source', 'problem'),
    [
        (plugins.COMMANDS, 'bad', 'import nosuch', 'ModuleNotFoundError'),
        (plugins.CONFIGURATORS, 'bad', 'import nosuch', 'ModuleNotFoundErr'),
        (plugins.COMMANDS, 'bad', 'Plugin = 3', 'is no command'),
        (plugins.CONFIGURATORS, 'bad', 'Plugin = str', 'is no configurator'),
        (plugins.COMMANDS, 'plan', 'Plugin = 3', 'have the same name'),
    ],
)
def test_a_problem_is_shown_and_the_exit_code_is_1(
    rtvirt: RTVirt,
    site: Site,
    namespace: str,
    name: str,
    source: str,
    problem: str,
) -> None:
    site.install('trial', namespace, name, source)
    ended = rtvirt('plugin', 'list', '-f', 'json')
    assert ended.code == 1
    (shown,) = [
        plugin['problem']
        for plugin in ended.json['plugins']
        if plugin['problem'] is not None
    ]
    assert problem in shown
    assert ended.err == f'rtvirt: {shown}\n'
    assert f"plug-in '{name}' of {namespace}" in shown
    assert 'trial:Plugin, shipped by trial 1.0' in shown
    sound = [p for p in ended.json['plugins'] if p['problem'] is None]
    assert len(sound) > 6


def test_an_overlap_is_shown_once(rtvirt: RTVirt, site: Site) -> None:
    site.install('one', plugins.CONFIGURATORS, 'first', OWNS)
    site.install('two', plugins.CONFIGURATORS, 'second', OWNS)
    ended = rtvirt('plugin', 'list', '-f', 'json')
    assert ended.code == 1
    (bad,) = [p for p in ended.json['plugins'] if p['problem']]
    assert bad['name'] == 'second'
    assert 'both own trial' in bad['problem']
