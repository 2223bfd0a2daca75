# SPDX-License-Identifier: Apache-2.0
"""Rule: where flavor and image may both speak, they must agree."""

from __future__ import annotations

from typing import Any

from rtvirt.extraspecs.request import Request


def agreed(request: Request, key: str, image_key: str) -> Any:
    """Return the typed value that flavor, image or both give, or None.

    :raises ConflictingExtraSpecs: if they disagree.
    """
    flavor = request.specs.get(key)
    image = request.properties.get(image_key)
    if flavor is None or image is None or flavor == image:
        return image if flavor is None else flavor
    raise request.conflict(
        'flavor and image disagree',
        key,
        image_key,
        expected='the same in both',
        hint='remove one or make them agree',
    )
