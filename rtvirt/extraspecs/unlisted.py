# SPDX-License-Identifier: Apache-2.0
"""Names that the catalogue does not have, and what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.spec import MAX_CELLS
from rtvirt.model.check import shown

_CLOSED: Final = ('hw', 'rtvirt')
"""Namespaces of which every name is known."""

_GROUPED: Final = ('resources', 'trait')
_MAX_NAME: Final = 64
_LIKENESS: Final = 0.8
"""The least ratio of difflib at which a name is taken for another."""


def _one_cell(names: Iterable[str]) -> dict[str, str]:
    """Return names by their small letters, those of cells only once."""
    return {n.lower(): n for n in names if '.' not in n or n.endswith('.0')}


_FLAVOR_NAMES: Final = _one_cell(EXTRA_SPECS)
_IMAGE_NAMES: Final = _one_cell(IMAGE_PROPERTIES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlisted:
    """What is the matter with a name.

    :ivar is_error: whether a strict parser refuses it.
    """

    message: str
    hint: str
    is_error: bool = False


def group_name(key: str) -> str | None:
    """Return the catalogue's name of a key with a request group, or None.

    ``resources2:PCPU`` gives ``resources:PCPU``. A group has no name or a
    number (nova's ``_get_vcpu_pcpu_resources``).
    """
    prefix, _, name = key.partition(':')
    for word in _GROUPED:
        group = prefix.removeprefix(word)
        if (
            group != prefix
            and f'{word}:{name}' in EXTRA_SPECS
            and (not group or (_is_index(group) and group[0] != '0'))
        ):
            return f'{word}:{name}'
    return None


def describe_extra_spec(key: str, *, search: bool) -> Unlisted | None:
    """Say what is wrong with a name; None where it is nobody's slip.

    :param search: whether to look for what was meant, which takes 1 ms.
    """
    stem, dot, cell = key.partition('.')
    if dot and f'{stem}.0' in EXTRA_SPECS and _is_index(cell):
        return Unlisted(
            message=f'extra spec {shown(key)} has no effect',
            hint=(
                f'cells are numbered from 0 to {MAX_CELLS - 1}, without '
                'leading zeros'
            ),
        )
    prefix, _, name = key.partition(':')
    for word in _GROUPED:
        if prefix.startswith(word) and f'{word}:{name}' in EXTRA_SPECS:
            return Unlisted(
                message=f'extra spec {shown(key)} has no effect here',
                hint=f'groups have numbers, as in {word}1:{name}',
            )
    if prefix.startswith(_GROUPED):
        return None
    likely = _nearest(key, _FLAVOR_NAMES) if search else ''
    is_error = prefix in _CLOSED
    if not (likely or is_error):
        return None
    return Unlisted(
        message=f'extra spec {shown(key)} is unknown',
        hint=_hint(likely),
        is_error=is_error,
    )


def describe_property(name: str, *, search: bool) -> Unlisted | None:
    """Say what an unknown image property may have been meant to be.

    nova drops what it does not know, and so does rtvirt.

    :param search: whether to look for what was meant, which takes 1 ms.
    """
    likely = _nearest(name, _IMAGE_NAMES) if search else ''
    if not likely:
        return None
    return Unlisted(
        message=f'image property {shown(name)} is unknown and has no effect',
        hint=_hint(likely),
    )


def _is_index(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _hint(likely: str) -> str:
    if likely:
        return f'did you mean {likely}?'
    return 'rtvirt flavor list-specs prints every name'


def _nearest(name: str, known: Mapping[str, str]) -> str:
    """Return the known name that is most like ``name``, or an empty text.

    :param known: names by their small letters.
    """
    if len(name) > _MAX_NAME:
        return ''
    near = difflib.get_close_matches(
        name.lower(), known, n=1, cutoff=_LIKENESS
    )
    return known[near[0]] if near else ''
