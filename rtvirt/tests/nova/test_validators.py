# SPDX-License-Identifier: Apache-2.0
"""nova-api refuses a wrong extra spec of rtvirt's, in rtvirt's words."""

import pytest
from nova import exception
from nova.api.validation.extra_specs import validators

from rtvirt.extraspecs.entries import own
from rtvirt.nova.validators import CatalogValidator


def test_nova_loads_them() -> None:
    """By the entry point of the installed distribution."""
    for spec in own.SPECS:
        validator = validators.VALIDATORS[spec.name]
        assert isinstance(validator, CatalogValidator)
        assert spec.description in validator.description


@pytest.mark.parametrize(
    ('key', 'text'),
    [
        ('rtvirt:priority', '2=50,3-5=10'),
        ('rtvirt:scheduler', 'rr'),
        ('rtvirt:iothreads', '2'),
    ],
)
def test_taken(key: str, text: str) -> None:
    validators.validate(key, text)


@pytest.mark.parametrize(
    ('key', 'text', 'words'),
    [
        (
            'rtvirt:priority',
            '500',
            "rtvirt:priority is '500': expected a priority from 1 to 99, or",
        ),
        ('rtvirt:scheduler', 'batch', 'expected fifo or rr'),
        ('rtvirt:priorty', '5', 'did you mean rtvirt:priority?'),
        ('rtvirt:', '5', "extra spec 'rtvirt:' is unknown"),
    ],
)
def test_refused(key: str, text: str, words: str) -> None:
    with pytest.raises(exception.ValidationError) as caught:
        validators.validate(key, text)
    assert caught.value.code == 400
    assert words in caught.value.format_message()


def test_other_namespaces_are_left_alone() -> None:
    validators.validate('elsewhere:priority', '500')


def test_what_nova_documents_of_them() -> None:
    described = {
        spec.name: validators.VALIDATORS[spec.name].value for spec in own.SPECS
    }
    assert described['rtvirt:scheduler'] == {
        'type': str,
        'enum': ['fifo', 'rr'],
    }
    assert described['rtvirt:iothreads'] == {'type': int, 'min': 0, 'max': 64}
    assert described['rtvirt:priority'].keys() == {'type', 'pattern'}
