# SPDX-License-Identifier: Apache-2.0
"""The catalogue knows every name that nova knows, and what it takes."""

import re
from typing import Any

import pytest
from nova.api.validation.extra_specs import hw
from nova.api.validation.extra_specs import null
from nova.api.validation.extra_specs import quota
from nova.api.validation.extra_specs import validators
from nova.objects import image_meta
from nova.virt import hardware
from nova.virt.libvirt import driver

from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.catalog import SPECS
from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Role
from rtvirt.extraspecs.spec import Spec

VALIDATORS = [
    validator
    for validator in hw.register() + null.register() + quota.register()
    if validator.name.startswith(('hw:', 'quota:cpu_', 'hide'))
]
FIELDS = image_meta.ImageMetaProps.fields


def spec_of(name: str) -> Spec:
    return EXTRA_SPECS[name.replace('{num}', '0')]


@pytest.mark.parametrize('validator', VALIDATORS, ids=lambda v: v.name)
def test_extra_spec(validator: Any) -> None:
    spec = spec_of(validator.name)
    value = validator.value
    kinds = {
        bool: {Kind.TRUTH},
        int: {Kind.NUMBER},
        str: set(Kind) - {Kind.TRUTH, Kind.NUMBER},
    }
    assert spec.kind in kinds[value['type']]
    assert set(spec.values) == set(value.get('enum', ()))
    if spec.role is Role.RTVIRT and not spec.name.startswith('quota:'):
        assert spec.minimum == value.get('min')


@pytest.mark.parametrize(
    'name', [name for name in FIELDS if name.startswith('hw_')]
)
def test_image_property(name: str) -> None:
    spec = IMAGE_PROPERTIES.get(name) or IMAGE_PROPERTIES[f'{name}.0']
    known = getattr(FIELDS[name]._type, '_valid_values', ())
    if spec.kind is Kind.WORD:
        assert set(spec.values) == set(known)


def test_nothing_is_made_up() -> None:
    """Every name is nova's, or is in rtvirt's own namespace."""
    names = {validator.name for validator in validators.VALIDATORS.values()}
    for spec in SPECS:
        name = spec.name.replace('{cell}', '{num}')
        bare = name.replace('.{num}', '')
        assert (
            spec.source == 'rtvirt'
            or (bare in FIELDS if spec.is_image else name in names)
            or 'maxphysaddr' in name
            or name.startswith('trait:')
        ), name


def test_every_source_exists() -> None:
    for spec in SPECS:
        if re.fullmatch('[a-z_]+', spec.source) and spec.source != 'rtvirt':
            assert hasattr(hardware, spec.source), spec.source
        elif spec.source.startswith('nova.virt.libvirt.driver '):
            assert hasattr(driver.LibvirtDriver, spec.source.split()[1])


@pytest.mark.parametrize('validator', VALIDATORS, ids=lambda v: v.name)
def test_pattern(validator: Any) -> None:
    """What nova's pattern lets through ours does, and the reverse."""
    spec = spec_of(validator.name)
    if not spec.pattern:
        return
    for text in ('0-3,^2', '^0', '2MB', '2M', 'large', '1GiB', '5', '2048'):
        theirs = re.fullmatch(validator.value['pattern'], text)
        assert bool(re.fullmatch(spec.pattern, text)) == bool(theirs), text
