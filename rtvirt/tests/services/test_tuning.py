# SPDX-License-Identifier: Apache-2.0
"""From an instance of nova's and its document to a tuned document."""

from __future__ import annotations

import types
from typing import Any

import pytest

from rtvirt.domain import domain_xml
from rtvirt.exception import InvalidExtraSpec
from rtvirt.exception import ModelError
from rtvirt.exception import UnsupportedExtraSpec
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.nova.tuning import retune
from rtvirt.nova.tuning import tune
from rtvirt.tests.plans import make_plan

PLAN = make_plan(priorities={2: 5, 3: 5}, page_size=None)
XML = domain_xml(PLAN, name='nova', configurators=None)
REALTIME = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:cpu_realtime_mask': '^0-1',
}


def instance(image: dict[str, str] | None = None, **specs: str) -> Any:
    """Return an instance; ``__`` stands for a colon."""
    own = {key.replace('__', ':'): value for key, value in specs.items()}
    return types.SimpleNamespace(
        flavor=types.SimpleNamespace(
            name='rt',
            vcpus=4,
            memory_mb=4096,
            extra_specs={**REALTIME, **own},
        ),
        system_metadata={
            f'image_{key}': value for key, value in (image or {}).items()
        },
    )


def no_capabilities() -> str:
    return pytest.fail('not asked for')


def tuned(server: Any, xml: str = XML) -> Domain:
    return parse_domain(tune(server, xml, no_capabilities))


def priorities(domain: Domain) -> dict[str, int | None]:
    return {str(s.cpus): s.priority for s in domain.cputune.vcpuscheds}


def test_a_guest_that_asks_for_nothing_keeps_its_document() -> None:
    server = instance()
    for changes in ({'hw:cpu_realtime': 'no'}, {'hw:cpu_realtime': ''}):
        server.flavor.extra_specs = {**REALTIME, **changes}
        assert tune(server, XML, no_capabilities) is XML
        assert retune(server, XML) is XML


def test_without_a_priority_it_is_that_of_nova() -> None:
    assert priorities(tuned(instance())) == {'2-3': 5}


def test_each_vcpu_has_its_priority() -> None:
    server = instance(rtvirt__priority='2=50,3=10')
    assert priorities(tuned(server)) == {'2': 50, '3': 10}
    there = parse_domain(retune(server, XML))
    assert priorities(there) == {'2': 50, '3': 10}


def test_the_mask_of_the_image_counts() -> None:
    server = instance({'hw_cpu_realtime_mask': '^0-2'})
    assert priorities(tuned(server)) == {'3': 5}


def test_doing_it_again_changes_nothing() -> None:
    server = instance(rtvirt__priority='2=50,3=10', rtvirt__iothreads='2')
    once = tune(server, XML, no_capabilities)
    assert tune(server, once, no_capabilities) == once
    assert retune(server, once) == once


def test_what_the_guest_sees_does_not_move() -> None:
    source = parse_domain(XML)
    there = parse_domain(retune(instance(rtvirt__iothreads='3'), XML))
    for part in ('features', 'clock', 'cpu', 'iothreads', 'memory_kib'):
        assert getattr(there, part) == getattr(source, part)


def test_a_wrong_extra_spec_is_refused_in_its_own_words() -> None:
    with pytest.raises(InvalidExtraSpec, match='rtvirt:priority'):
        tuned(instance(rtvirt__priority='100'))


def test_a_host_without_cache_allocation_says_so() -> None:
    xml = (
        '<capabilities><host><cpu><arch>x86_64</arch></cpu><topology>'
        '<cells num="1"><cell id="0"><memory unit="KiB">8388608</memory>'
        '<cpus num="2"><cpu id="4" socket_id="0" core_id="0" siblings="4"/>'
        '<cpu id="5" socket_id="0" core_id="1" siblings="5"/></cpus>'
        '</cell></cells></topology></host></capabilities>'
    )
    with pytest.raises(ModelError, match='rtvirt:cache_mib=4'):
        tune(instance(rtvirt__cache_mib='4'), XML, lambda: xml)


@pytest.mark.parametrize('key', ['cache_mib', 'memory_bandwidth'])
def test_a_share_of_the_caches_does_not_migrate(key: str) -> None:
    server = instance(None, **{f'rtvirt__{key}': '10'})
    with pytest.raises(UnsupportedExtraSpec) as caught:
        retune(server, XML)
    assert caught.value.key == f'rtvirt:{key}'
    assert 'live' in caught.value.hint
