# SPDX-License-Identifier: Apache-2.0
"""Memory bound to host cells."""

from __future__ import annotations

from rtvirt.configurators.numatune import NUMATuneConfigurator
from rtvirt.tests.plans import floating_plan
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import changed

TUNE = NUMATuneConfigurator()


def test_one_cell() -> None:
    assert changed(TUNE, make_plan()) == [
        '+ <numatune>',
        "+ <memory mode='strict' nodeset='1'/>",
        "+ <memnode cellid='0' mode='strict' nodeset='1'/>",
        '+ </numatune>',
    ]
    assert changed(TUNE, make_plan(), NOVA) == []


def test_cells_are_bound_one_by_one() -> None:
    assert changed(TUNE, make_plan(cells=2), NOVA) == [
        '- <memory mode="strict" nodeset="1"/>',
        '+ <memory mode="strict" nodeset="1-2"/>',
        '+ <memnode cellid="1" mode="strict" nodeset="2"/>',
    ]


def test_numad_has_no_say() -> None:
    assert changed(TUNE, make_plan(), ODD) == [
        "- <numatune><memory mode='interleave' placement='auto'/></numatune>",
        (
            "+ <numatune><memory mode='strict' nodeset='1'/><memnode "
            "cellid='0' mode='strict' nodeset='1'/></numatune>"
        ),
    ]


def test_floating_guest_is_not_bound() -> None:
    assert changed(TUNE, floating_plan()) == []
    assert changed(TUNE, floating_plan(), NOVA) == [
        '- <numatune>',
        '- <memory mode="strict" nodeset="1"/>',
        '- <memnode cellid="0" mode="strict" nodeset="1"/>',
        '- </numatune>',
    ]
