# SPDX-License-Identifier: Apache-2.0
"""The extensions of nova that the reference of plug-ins shows."""

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nova import exception
from nova.api.validation.extra_specs import validators
from nova.scheduler import filters

from rtvirt.nova.proven import publish
from rtvirt.tests.nova.test_scheduler import READY
from rtvirt.tests.nova.test_scheduler import make_spec
from rtvirt.tests.nova.test_scheduler import make_state
from rtvirt.tests.nova.test_scheduler import pinned
from rtvirt.tests.require import require

EXAMPLE = Path(__file__).parents[3] / 'doc' / 'example' / 'nova'
ENTRY_POINTS = """\
[nova.api.extra_spec_validators]
acme = acme_validators
"""


@pytest.fixture(autouse=True)
def _installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[None]:
    """As a distribution with this entry point, beside nova."""
    require(EXAMPLE.is_dir(), 'this is no checkout of the repository')
    info = tmp_path / 'acme-1.0.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Name: acme\nVersion: 1.0\n')
    (info / 'entry_points.txt').write_text(ENTRY_POINTS)
    before = set(sys.modules)
    monkeypatch.syspath_prepend(EXAMPLE)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in ('acme_validators', 'acme_filter'):
        if name not in before:
            sys.modules.pop(name, None)


def test_a_namespace_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the entry point, as nova-api loads it when it starts."""
    (point,) = importlib.metadata.entry_points(
        group='nova.api.extra_spec_validators', name='acme'
    )
    (validator,) = point.load().register()
    monkeypatch.setitem(validators.VALIDATORS, validator.name, validator)
    monkeypatch.setattr(
        validators, 'NAMESPACES', {*validators.NAMESPACES, 'acme'}
    )
    validators.validate('acme:line', 'line-7')
    for name, value in (('acme:line', 'seven'), ('acme:lane', 'line-7')):
        with pytest.raises(exception.ValidationError):
            validators.validate(name, value)


@pytest.mark.parametrize(
    ('traits', 'specs', 'passes'),
    [
        ([READY], {}, False),
        ([READY], {'hw:cpu_realtime': 'yes'}, True),
        ([], {}, True),
    ],
)
def test_a_filter_beside_rtvirts(
    traits: list[str], specs: dict[str, str], passes: bool
) -> None:
    """By its path, as ``available_filters`` names it."""
    handler = filters.HostFilterHandler()
    (found,) = handler.get_matching_classes(
        ['acme_filter.ReserveRealtimeHosts']
    )
    resources: dict[str, Any] = {}
    publish(resources, traits)
    state = make_state(None, stats=resources['stats'])
    spec = make_spec(pinned(2), **specs)
    left = handler.get_filtered_objects([found()], [state], spec)
    assert bool(left) is passes
