# SPDX-License-Identifier: Apache-2.0
"""rtvirt's extra specs, as nova-api checks them when a flavor gets them.

The entry point ``nova.api.extra_spec_validators`` names this module: nova
calls :func:`register`. A wrong value, or a name that is not there, is
answered by 400 with the catalogue's words.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from typing import Final

from nova import exception
from nova.api.validation.extra_specs import base

from rtvirt.exception import ExtraSpecError
from rtvirt.extraspecs.entries import own
from rtvirt.extraspecs.single import check_single
from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Spec

_TYPES: Final = {Kind.TRUTH: bool, Kind.NUMBER: int}


@dataclasses.dataclass
class CatalogValidator(base.ExtraSpecValidator):  # type: ignore[misc]
    """Checks by rtvirt's own parser, so that both accept the same."""

    def validate(self, name: str, value: str) -> None:
        """Refuse what is wrong.

        :raises nova.exception.ValidationError: saying what was expected.
        """
        try:
            check_single(name, value)
        except ExtraSpecError as error:
            text = f'Validation failed; {error}'
            if error.hint:
                text += f' ({error.hint})'
            raise exception.ValidationError(text) from error


def register() -> list[base.ExtraSpecValidator]:
    """Return a validator for each name, and one for all others.

    nova looks for the exact name first.
    """
    unknown = CatalogValidator(
        name='rtvirt:{name}',
        description='A name that rtvirt does not know: it is refused.',
        value={'type': str},
        parameters=[{'name': 'name', 'pattern': r'.*'}],
    )
    return [*map(_validator, own.SPECS), unknown]


def _validator(spec: Spec) -> CatalogValidator:
    return CatalogValidator(
        name=spec.name,
        description=f'{spec.description} {spec.effect}',
        value=_describe(spec),
    )


def _describe(spec: Spec) -> dict[str, Any]:
    """Return what it takes, as nova's own validators say it."""
    value: dict[str, Any] = {'type': _TYPES.get(spec.kind, str)}
    if spec.values:
        value['enum'] = list(spec.values)
    if spec.pattern:
        value['pattern'] = spec.pattern
    if spec.minimum is not None:
        value['min'] = spec.minimum
    if spec.maximum is not None:
        value['max'] = spec.maximum
    return value
