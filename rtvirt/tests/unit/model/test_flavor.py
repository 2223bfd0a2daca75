# SPDX-License-Identifier: Apache-2.0
"""Flavors and image properties, in every form they are met."""

import json
import pickle
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties

ENDLESS = 1 << 20_000
SPECS = {'hw:cpu_policy': 'dedicated', 'hw:cpu_realtime': 'yes'}
WANTED = Flavor(
    name='rt1.small',
    vcpus=4,
    memory_mib=4096,
    disk_gib=10,
    extra_specs=SPECS,
)


@pytest.mark.parametrize(
    'mapping',
    [
        pytest.param(
            {
                'name': 'rt1.small',
                'vcpus': 4,
                'memory_mib': 4096,
                'disk_gib': 10,
                'extra_specs': SPECS,
            },
            id='field names',
        ),
        pytest.param(
            {
                'OS-FLV-EXT-DATA:ephemeral': 0,
                'disk': 10,
                'id': '42',
                'name': 'rt1.small',
                'properties': SPECS,
                'ram': 4096,
                'rxtx_factor': 1.0,
                'swap': 0,
                'vcpus': 4,
            },
            id='openstack flavor show -f json',
        ),
        pytest.param(
            {
                'disk': 10,
                'name': 'rt1.small',
                'properties': (
                    "hw:cpu_policy='dedicated', hw:cpu_realtime='yes'"
                ),
                'ram': '4096',
                'vcpus': '4',
            },
            id='an older client',
        ),
        pytest.param(
            {
                'Name': 'rt1.small',
                'RAM': 4096,
                'Disk': 10,
                'VCPUs': 4,
                'Properties': SPECS,
            },
            id='openstack flavor list --long -f json',
        ),
        pytest.param(
            {
                'flavor': {
                    'name': 'rt1.small',
                    'ram': 4096,
                    'disk': 10,
                    'vcpus': 4,
                    'extra_specs': SPECS,
                    'swap': '',
                    'links': [],
                }
            },
            id='the compute API',
        ),
    ],
)
def test_from_dict(mapping: dict[str, Any]) -> None:
    assert Flavor.from_dict(mapping) == WANTED
    assert Flavor.from_dict(json.loads(json.dumps(mapping))) == WANTED


@pytest.mark.parametrize('nothing', [{}, None, ''])
def test_without_extra_specs(nothing: Any) -> None:
    bare = {'name': 'm1.tiny', 'vcpus': 1, 'ram': 512}
    assert Flavor.from_dict(bare).extra_specs == {}
    assert Flavor.from_dict({**bare, 'properties': nothing}).extra_specs == {}
    assert Flavor.from_dict(bare).disk_gib == 0


def test_values_that_yaml_typed() -> None:
    specs: dict[str, Any] = {'a': True, 'b': False, 'c': 2, 'd': 1.5, 'e': 'x'}
    flavor = Flavor(name='f', vcpus=1, memory_mib=1, extra_specs=specs)
    assert flavor.extra_specs == {
        'a': 'true', 'b': 'false', 'c': '2', 'd': '1.5', 'e': 'x',
    }  # fmt: skip
    assert ImageProperties(specs) == flavor.extra_specs
    assert Flavor.from_dict({'name': 4, 'vcpus': 1, 'ram': 1}).name == '4'


def test_is_a_value() -> None:
    assert pickle.loads(pickle.dumps(WANTED)) == WANTED
    assert hash(WANTED) == hash(Flavor.from_dict({
        'name': 'rt1.small', 'vcpus': 4, 'ram': 4096, 'disk': 10,
        'extra_specs': dict(reversed(SPECS.items())),
    }))  # fmt: skip
    image = ImageProperties({'hw_cpu_policy': 'dedicated'})
    assert pickle.loads(pickle.dumps(image)) == image
    assert ImageProperties(image) == image
    assert ImageProperties() == {}
    assert ImageProperties("a='b', c='d, e'") == {'a': 'b', 'c': 'd, e'}
    with pytest.raises(TypeError):
        image['x'] = 'y'


@pytest.mark.parametrize(
    ('mapping', 'about'),
    [
        ({'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': 'f', 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': 1}, 'ram'),
        ({'name': '', 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': 'a\nb', 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': '\x00', 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': '\ud800', 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': 'x' * 256, 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': None, 'vcpus': 1, 'ram': 1}, 'name'),
        ({'name': 'f', 'vcpus': 0, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': -1, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': 16385, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': 10**9, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': ENDLESS, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': '9' * 5000, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': '\u0661', 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': 1.5, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': True, 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': [1], 'ram': 1}, 'vcpus'),
        ({'name': 'f', 'vcpus': 1, 'ram': 0}, 'memory_mib'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'disk': -1}, 'disk'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': 'a=b'}, 'a=b'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': [1]}, 'specs'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': {1: 2}}, '1'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': {'a': None}}, 'a'),
        ({'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': {'a': []}}, 'a'),
        (
            {'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': {'a': ENDLESS}},
            'a',
        ),
        ([], 'mapping'),
        ('flavor', 'mapping'),
        (None, 'mapping'),
        ({1: 2, 'name': 'f'}, 'vcpus'),
    ],
)
def test_refused(mapping: Any, about: str) -> None:
    with pytest.raises(ModelError) as caught:
        Flavor.from_dict(mapping)
    assert about in caught.value.message
    assert len(caught.value.message) < 300


@pytest.mark.parametrize(
    'properties',
    [None, 3, [], {'a': None}, {1: 'a'}, 'a', "a='", "a='b' c", 'x' * 10**7],
)
def test_no_image(properties: Any) -> None:
    with pytest.raises(ModelError) as caught:
        ImageProperties(properties)
    assert len(caught.value.message) < 300
