# SPDX-License-Identifier: Apache-2.0
"""A flavor and an image, read key by key: what the rules work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.exception import ConflictingExtraSpecs
from rtvirt.exception import InvalidExtraSpec
from rtvirt.exception import UnsupportedExtraSpec
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.spec import Spec
from rtvirt.extraspecs.unlisted import describe_unlisted
from rtvirt.extraspecs.unlisted import group_of
from rtvirt.extraspecs.value import DoubtfulValueError
from rtvirt.extraspecs.value import Reader
from rtvirt.extraspecs.value import reader_of
from rtvirt.model.check import shown
from rtvirt.model.flavor import Flavor
from rtvirt.model.frozendict import FrozenDict

_MAX_WARNINGS: Final = 32


def _readers(specs: Mapping[str, Spec]) -> dict[str, Reader]:
    by_spec = {id(spec): reader_of(spec) for spec in specs.values()}
    return {name: by_spec[id(spec)] for name, spec in specs.items()}


_FLAVOR_READERS: Final = _readers(EXTRA_SPECS)
_IMAGE_READERS: Final = _readers(IMAGE_PROPERTIES)
_NOTHING: Final[Mapping[str, Any]] = FrozenDict()


def invalid(
    key: str, value: object, expected: str, hint: str = ''
) -> InvalidExtraSpec:
    """Return the error for a value that is outside what ``key`` takes."""
    return InvalidExtraSpec(
        f'{shown(key)[1:-1]} is {shown(value)}: expected {expected}',
        key=key,
        value=value,
        expected=expected,
        hint=hint,
    )


@dataclass(slots=True)
class Request:
    """What a flavor and an image say.

    :ivar texts: the flavor's extra specs as written.
    :ivar image_texts: the image's properties as written.
    :ivar specs: the flavor's known extra specs, typed.
    :ivar properties: the image's known properties, typed.
    :ivar warnings: what is let pass.
    """

    flavor: Flavor
    texts: Mapping[str, str]
    image_texts: Mapping[str, str]
    specs: Mapping[str, Any]
    properties: Mapping[str, Any]
    warnings: list[str]

    def invalid(
        self, key: str, expected: str, hint: str = ''
    ) -> InvalidExtraSpec:
        """Return the error for the value that ``key`` has."""
        return invalid(key, self._text(key), expected, hint)

    def conflict(
        self, message: str, *keys: str, expected: str = '', hint: str = ''
    ) -> ConflictingExtraSpecs:
        """Return the error for keys that contradict each other."""
        return ConflictingExtraSpecs(
            message,
            keys=keys,
            value=self._text(keys[0]),
            expected=expected,
            hint=hint,
        )

    def warn(self, message: str) -> None:
        """Note something that is let pass."""
        if len(self.warnings) < _MAX_WARNINGS:
            self.warnings.append(message)

    def _text(self, key: str) -> str | None:
        return self.texts.get(key, self.image_texts.get(key))


def read_request(
    flavor: Flavor, image: Mapping[str, str] | None, *, strict: bool
) -> Request:
    """Read every known key and refuse values out of form.

    :raises ExtraSpecError: at the first key or value that is wrong.
    """
    request = Request(
        flavor, flavor.extra_specs, image or _NOTHING, {}, _NOTHING, []
    )
    request.specs = _read_specs(request, strict=strict)
    if image:
        request.properties = _read_properties(request)
    return request


def _read_specs(request: Request, *, strict: bool) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in request.texts.items():
        read = _FLAVOR_READERS.get(key)
        if read is None:
            _read_unlisted(request, key, text, values, strict=strict)
            continue
        try:
            values[key] = read(text)
        except (ValueError, LookupError, DoubtfulValueError) as error:
            values[key] = _settle(request, key, text, EXTRA_SPECS[key], error)
    return values


def _read_properties(request: Request) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, text in request.image_texts.items():
        read = _IMAGE_READERS.get(key)
        if read is None:
            if problem := describe_unlisted(key, is_image=True):
                request.warn(problem.message)
            continue
        try:
            values[key] = read(text)
        except (ValueError, LookupError, DoubtfulValueError) as error:
            values[key] = _settle(
                request, key, text, IMAGE_PROPERTIES[key], error
            )
    return values


def _settle(
    request: Request, key: str, text: str, spec: Spec, error: Exception
) -> Any:
    """Return the value to go on with, or raise what the reader meant."""
    if not isinstance(error, DoubtfulValueError):
        hint = getattr(error, 'hint', '')
        raise invalid(key, text, spec.expected, hint) from None
    request.warn(
        f'{key} is {shown(text)} and taken as {error.taken_as}: expected '
        f'{spec.expected}'
    )
    return error.value


def _read_unlisted(
    request: Request,
    key: str,
    text: str,
    values: dict[str, Any],
    *,
    strict: bool,
) -> None:
    """Deal with a key that the table does not have by this very name."""
    if (name := group_of(key)) is not None:
        try:
            values[key] = _FLAVOR_READERS[name](text)
        except DoubtfulValueError as error:
            values[key] = _settle(request, key, text, EXTRA_SPECS[name], error)
        return
    problem = describe_unlisted(key, is_image=False)
    if problem is None:
        return
    if problem.is_error and strict:
        raise UnsupportedExtraSpec(
            problem.message,
            key=key,
            value=text,
            expected=problem.expected,
            hint=problem.hint,
        )
    request.warn(
        f'{problem.message}. {problem.hint}'
        if problem.hint
        else problem.message
    )
