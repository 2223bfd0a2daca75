# SPDX-License-Identifier: Apache-2.0
"""Parsers of others join in; what fails in them is named."""

from __future__ import annotations

import pytest

from rtvirt import plugins
from rtvirt.exception import PluginError
from rtvirt.latency_reader import parse_latency
from rtvirt.tests.distribution import Site

PARSER = """
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.parsers.base import LatencyParser
from rtvirt.latency.result import LatencyResult, ThreadLatency

def parse(text, command):
    return {result}

Plugin = LatencyParser(
    tool='odd', recognizes=lambda head: {recognizes}, parse=parse
)
"""
RESULT = (
    "LatencyResult(tool='odd', command=command, threads=(ThreadLatency("
    'number=0, histogram=Histogram.from_counts({7: 2})),))'
)


def install(
    site: Site, result: str = RESULT, recognizes: str = "head[:3] == 'odd'"
) -> None:
    site.install(
        'odd-meter',
        plugins.LATENCY_PARSERS,
        'odd',
        PARSER.format(result=result, recognizes=recognizes),
    )


def test_built_in_parsers_are_plugins() -> None:
    names = {plugin.name for plugin in plugins.find(plugins.LATENCY_PARSERS)}
    assert {'cyclictest', 'hwlatdetect', 'oslat', 'rtla'} <= names


def test_another_format_is_read(site: Site) -> None:
    install(site)
    result = parse_latency('odd stuff', command='odd -x')
    assert (result.tool, result.cycles) == ('odd', 2)
    assert result.command == 'odd -x'


@pytest.mark.parametrize(
    ('result', 'recognizes', 'said'),
    [
        ('1 / 0', 'True', 'failed: ZeroDivisionError'),
        (RESULT, '1 / 0', 'failed: ZeroDivisionError'),
        ('42', "head[:3] == 'odd'", 'read 42, which is no result'),
    ],
)
def test_a_broken_one_is_named(
    site: Site, result: str, recognizes: str, said: str
) -> None:
    install(site, result, recognizes)
    with pytest.raises(PluginError) as caught:
        parse_latency('odd stuff')
    assert said in str(caught.value)
    assert caught.value.distribution == 'odd-meter'


def test_what_is_no_parser_is_named(site: Site) -> None:
    site.install('odd-meter', plugins.LATENCY_PARSERS, 'odd', 'Plugin = 7\n')
    with pytest.raises(PluginError, match='is 7, not a LatencyParser'):
        parse_latency('odd stuff')
