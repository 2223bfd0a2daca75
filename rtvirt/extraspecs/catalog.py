# SPDX-License-Identifier: Apache-2.0
"""The catalogue: every extra spec and image property that rtvirt knows.

One table, from which the parser, the list that the command line prints, the
reference in the documentation and the validators for nova's API come.
"""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.entries import carried
from rtvirt.extraspecs.entries import cpu
from rtvirt.extraspecs.entries import feature
from rtvirt.extraspecs.entries import memory
from rtvirt.extraspecs.entries import own
from rtvirt.extraspecs.spec import Spec

SPECS: Final[tuple[Spec, ...]] = (
    *own.SPECS,
    *cpu.SPECS,
    *memory.SPECS,
    *feature.SPECS,
    *carried.SPECS,
)
"""All entries, rtvirt's own first."""

EXTRA_SPECS: Final = {
    name: spec for spec in SPECS if not spec.is_image for name in spec.names
}
"""Flavor extra specs by every name without a request group."""

IMAGE_PROPERTIES: Final = {
    name: spec for spec in SPECS if spec.is_image for name in spec.names
}
"""Image properties by name."""
