# SPDX-License-Identifier: Apache-2.0
"""Names that the catalogue does not have."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Final

from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.spec import MAX_CELLS
from rtvirt.model.check import shown

_CLOSED: Final = ('hw', 'rtvirt')
"""Namespaces in which every name is known."""

_GROUPED: Final = ('resources', 'trait')
_MAX_NAME: Final = 80
_CUTOFF: Final = 0.75


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is the matter with a name.

    :ivar is_error: whether a strict parser refuses it.
    """

    message: str
    expected: str = ''
    hint: str = ''
    is_error: bool = False


def group_of(key: str) -> str | None:
    """Return the catalogue's name of a key with a numbered request group.

    ``resources2:PCPU`` gives ``resources:PCPU``; anything else None (nova's
    ``_get_vcpu_pcpu_resources`` and ``_get_hyperthreading_trait``).
    """
    prefix, _, name = key.partition(':')
    for word in _GROUPED:
        if prefix.startswith(word):
            number = prefix[len(word) :]
            full = f'{word}:{name}'
            if (
                number.isascii()
                and number.isdigit()
                and number[0] != '0'
                and full in EXTRA_SPECS
            ):
                return full
    return None


def nearest(name: str, *, is_image: bool) -> str:
    """Return the known name most like ``name``, or an empty string."""
    if len(name) > _MAX_NAME:
        return ''
    known = IMAGE_PROPERTIES if is_image else EXTRA_SPECS
    candidates = [spec for spec in known if '.' not in spec or '.' in name]
    close = difflib.get_close_matches(
        name.lower(), candidates, n=1, cutoff=_CUTOFF
    )
    return close[0] if close else ''


def describe_unlisted(key: str, *, is_image: bool) -> Problem | None:
    """Say what is wrong with a name, None where it is none of our business."""
    namespace, colon, _ = key.partition(':')
    if is_image:
        return _describe_property(key)
    if colon and namespace in _CLOSED:
        return _describe_unknown(key, namespace)
    return None


def _describe_property(name: str) -> Problem | None:
    """Say whether a property, which nova drops, is a slip of the pen."""
    if not name.startswith('hw_'):
        return None
    near = nearest(name, is_image=True)
    if not near:
        return None
    return Problem(
        message=(
            f'image property {name} is unknown and has no effect: did you '
            f'mean {near}?'
        )
    )


def _describe_unknown(key: str, namespace: str) -> Problem:
    stem, dot, cell = key.partition('.')
    if (
        dot
        and f'{stem}.0' in EXTRA_SPECS
        and cell.isascii()
        and cell.isdigit()
    ):
        return Problem(
            message=(
                f'{key} has no effect: cells are numbered from 0 to '
                f'{MAX_CELLS - 1} without leading zeros'
            )
        )
    near = nearest(key, is_image=False)
    return Problem(
        message=f'extra spec {shown(key)} is unknown',
        expected=f'a name of the {namespace}: namespace',
        hint=(
            f'did you mean {near}?'
            if near
            else 'rtvirt flavor list-specs prints all of them'
        ),
        is_error=True,
    )
