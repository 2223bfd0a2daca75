# SPDX-License-Identifier: Apache-2.0
"""The colours keep what they promise, by the formulas of WCAG 2.1."""

from __future__ import annotations

import itertools
import math

import pytest

from rtvirt.report.occupancy import Use
from rtvirt.report.palette import DARK
from rtvirt.report.palette import GREY
from rtvirt.report.palette import LIGHT
from rtvirt.report.palette import Palette
from rtvirt.report.tile import VEILS

PALETTES = pytest.mark.parametrize('palette', [LIGHT, DARK, GREY])

RGB = tuple[float, ...]

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
BLINDNESS = {
    'protan': (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    'deutan': (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    'tritan': (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def linear(colour: str) -> RGB:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return tuple(
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )


def luminance(rgb: RGB) -> float:
    red, green, blue = rgb
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted(luminance(linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: RGB) -> RGB:
    """Return CIE L*a*b* of linear RGB."""
    red, green, blue = (min(max(part, 0), 1) for part in rgb)
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (
        part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116
        for part in xyz
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def distance(one: str, other: str, kind: str) -> float:
    """Return how far apart two colours look to somebody."""
    seen = []
    for colour in (one, other):
        rgb = linear(colour)
        seen.append(
            lab(
                tuple(
                    sum(f * c for f, c in zip(row, rgb, strict=True))
                    for row in BLINDNESS[kind]
                )
            )
        )
    return math.dist(*seen)


@PALETTES
def test_what_is_written_can_be_read(palette: Palette) -> None:
    for tone in (palette.paper, palette.panel, *palette.uses.values()):
        assert contrast(tone.fill, tone.ink) >= 4.5, tone
    for ground in (palette.paper, palette.panel, palette.cache):
        assert contrast(ground.fill, palette.muted) >= 4.5
        assert contrast(ground.fill, palette.alarm) >= 4.5


@PALETTES
def test_free_pcpus_have_an_edge_that_is_seen(palette: Palette) -> None:
    free = palette.uses[Use.FREE]
    assert contrast(free.fill, free.line) >= 3


@PALETTES
@pytest.mark.parametrize('kind', BLINDNESS)
def test_vcpus_are_told_apart_by_everybody(
    palette: Palette, kind: str
) -> None:
    plain = [use for use in Use if use not in VEILS and use is not Use.IDLE]
    for one, other in itertools.combinations(plain, 2):
        fills = (palette.uses[one].fill, palette.uses[other].fill)
        assert distance(*fills, kind) >= 8, (one, other)


@PALETTES
def test_realtime_stands_out_in_lightness_too(palette: Palette) -> None:
    fill = palette.uses[Use.REALTIME].fill
    for use in (Use.VCPU, Use.FREE, Use.HOUSEKEEPING, Use.SHARED):
        assert contrast(fill, palette.uses[use].fill) >= 2.0, use
