# SPDX-License-Identifier: Apache-2.0
"""Checks as plug-ins: rtvirt's own and those of others."""

from __future__ import annotations

import pytest

from rtvirt import plugins
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import table
from rtvirt.exception import PluginError
from rtvirt.model.facts.host import HostFacts
from rtvirt.tests.distribution import Site
from rtvirt.tests.unit.checks.plugins import PLUGINS

GROUP = """
from rtvirt.checks.base import Answer, CheckGroup, check
from rtvirt.model.finding import Severity

@check({code!r}, 'title', Severity.ERROR, reads=('/x',), expected='this',
       why='why', source='here', mend='so', safety=None)
def decide(facts):
    {body}

Plugin = CheckGroup((decide,))
"""


def _install(site: Site, source: str, name: str = 'other') -> None:
    site.install(name, plugins.HOST_CHECKS, f'{name}-check', source)


def _error() -> PluginError:
    with pytest.raises(PluginError) as caught:
        run_checks(HostFacts(), plugins.host_checks())
    assert caught.value.namespace == plugins.HOST_CHECKS
    return caught.value


def test_every_check_of_rtvirt_is_a_plugin() -> None:
    loaded = plugins.host_checks()
    assert all(isinstance(group, CheckGroup) for group in loaded)
    assert table(loaded) == table(PLUGINS)
    assert sum(map(len, PLUGINS)) == len(table(PLUGINS))


def test_a_check_of_others_joins_them(site: Site) -> None:
    body = "yield Answer(actual='that')"
    _install(site, GROUP.format(code='SITE-1', body=body))
    checks = plugins.host_checks()
    assert 'SITE-1' in table(checks)
    (finding,) = run_checks(HostFacts(), checks, only=['SITE'])
    assert (finding.actual, finding.expected) == ('that', 'this')


def test_a_code_of_another_is_a_conflict(site: Site) -> None:
    _install(site, GROUP.format(code='RT-B04', body='return ()'))
    caught = _error()
    assert 'both have RT-B04' in caught.message
    assert 'rtvirt.checks.throttling:CHECKS' in caught.message


@pytest.mark.parametrize(
    ('source', 'why'),
    [
        ('Plugin = 3', 'cannot be called'),
        ('class Plugin: pass', 'cannot be called'),
        ('def Plugin(facts): return 1 / 0', 'failed: ZeroDivisionError'),
        ('def Plugin(): pass', 'failed: TypeError'),
        ('def Plugin(facts): return None', 'failed: TypeError'),
        ('def Plugin(facts): return [7]', 'found 7, which is no finding'),
        (GROUP.format(code='S-1', body='yield 1 / 0'), 'failed: ZeroDiv'),
    ],
)
def test_a_broken_check_is_named(site: Site, source: str, why: str) -> None:
    _install(site, source)
    caught = _error()
    assert (caught.name, caught.distribution) == ('other-check', 'other')
    assert why in caught.message
    assert '\n' not in caught.message
