# SPDX-License-Identifier: Apache-2.0
"""The plan kept with the domain."""

from __future__ import annotations

from rtvirt.configurators.metadata import MetadataConfigurator
from rtvirt.libvirtxml.compact import to_compact_json
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed
from rtvirt.tests.unit.configurators.rendering import render

METADATA = MetadataConfigurator()


def test_plan_is_kept() -> None:
    plan = floating_plan()
    json = '{"schema_version":1,' + to_compact_json(plan)[1:]
    assert changed(METADATA, plan) == [
        '+ <metadata>',
        (
            f"+ <rtvirt:plan xmlns:rtvirt='urn:rtvirt:plan:1'>{json}"
            '</rtvirt:plan>'
        ),
        '+ </metadata>',
    ]


def test_metadata_of_others_is_kept() -> None:
    for text in (NOVA, ODD):
        assert len(changed(METADATA, make_plan(), text)) == 1


def test_plan_takes_the_place_of_another() -> None:
    before = render(METADATA, make_plan(), NOVA)
    lines = changed(METADATA, floating_plan(), before)
    assert [line[0] for line in lines] == ['-', '+']
    after = render(METADATA, floating_plan(), before)
    assert plan_of(parse_domain(after)) == floating_plan()
