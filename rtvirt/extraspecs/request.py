# SPDX-License-Identifier: Apache-2.0
"""A flavor and an image, read key by key: what the rules work on."""

from __future__ import annotations

from collections.abc import Callable
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
from rtvirt.extraspecs.unlisted import Unlisted
from rtvirt.extraspecs.unlisted import describe_extra_spec
from rtvirt.extraspecs.unlisted import describe_property
from rtvirt.extraspecs.unlisted import group_name
from rtvirt.extraspecs.value import DoubtfulValue
from rtvirt.extraspecs.value import Reader
from rtvirt.extraspecs.value import reader_of
from rtvirt.model.check import shown
from rtvirt.model.flavor import Flavor

MAX_WARNINGS: Final = 16
"""No more are collected, whatever there is to warn of."""

_MAX_SEARCHES: Final = 64
_SHOWN: Final = 4


def _readers(specs: Mapping[str, Spec]) -> dict[str, Reader]:
    by_spec = {id(spec): reader_of(spec) for spec in specs.values()}
    return {name: by_spec[id(spec)] for name, spec in specs.items()}


_GROUP_READERS: Final = {
    name: reader_of(spec)
    for name, spec in EXTRA_SPECS.items()
    if '{group}' in spec.name
}
_FLAVOR_READERS: Final = {
    name: read
    for name, read in _readers(EXTRA_SPECS).items()
    if name not in _GROUP_READERS
}
_IMAGE_READERS: Final = _readers(IMAGE_PROPERTIES)


@dataclass(slots=True)
class Request:
    """What a flavor and an image say.

    :ivar image: the image's properties as written.
    :ivar specs: the flavor's known extra specs, typed. Request groups are
        added up under the name without a group.
    :ivar properties: the image's known properties, typed.
    :ivar warnings: what is let pass.
    :ivar searches: how often a name that nobody knows was looked for.
    """

    flavor: Flavor
    image: Mapping[str, str]
    specs: dict[str, Any]
    properties: dict[str, Any]
    warnings: list[str]
    searches: int = 0

    def text(self, key: str) -> str | None:
        """Return the value of a key as written, None where it is absent."""
        return self.flavor.extra_specs.get(key, self.image.get(key))

    def present(self, *keys: str) -> tuple[str, ...]:
        """Return those of the keys that are given."""
        return tuple(key for key in keys if self.text(key) is not None)

    def invalid(
        self, key: str, expected: str = '', hint: str = ''
    ) -> InvalidExtraSpec:
        """Return the error for the value that ``key`` has.

        :param expected: what it takes; the catalogue's words by default.
        """
        return _invalid(key, self.text(key), expected, hint)

    def conflict(
        self, why: str, *keys: str, expected: str, hint: str
    ) -> ConflictingExtraSpecs:
        """Return the error for keys that contradict each other.

        :param why: what is wrong; keys and values go before it.
        :param keys: those that are absent are left out.
        """
        given = self.present(*keys)
        pairs = [f'{key}={shown(self.text(key))}' for key in given[:_SHOWN]]
        return ConflictingExtraSpecs(
            f'{", ".join(pairs)}: {why}',
            keys=given,
            value=self.text(given[0]),
            expected=expected,
            hint=hint,
        )

    def warn(self, message: str) -> None:
        """Note something that is let pass."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(message)


def _invalid(
    key: str, text: str | None, expected: str, hint: str
) -> InvalidExtraSpec:
    if not expected:
        spec = EXTRA_SPECS.get(key) or IMAGE_PROPERTIES[key]
        expected = spec.expected
    return InvalidExtraSpec(
        f'{key} is {shown(text)}: expected {expected}',
        key=key,
        value=text,
        expected=expected,
        hint=hint or '"rtvirt flavor list-specs" says what each name takes',
    )


def read_request(
    flavor: Flavor, image: Mapping[str, str], *, strict: bool
) -> Request:
    """Read every known key and refuse values out of form.

    :raises ExtraSpecError: at the first key or value that is wrong.
    """
    request = Request(flavor, image, {}, {}, [])
    _read_flavor(request, strict=strict)
    if image:
        _read_image(request)
    return request


def _read_flavor(request: Request, *, strict: bool) -> None:
    specs = request.specs
    for key, text in request.flavor.extra_specs.items():
        read = _FLAVOR_READERS.get(key)
        if read is None:
            _read_unlisted(request, key, text, strict=strict)
            continue
        try:
            specs[key] = read(text)
        except (ValueError, KeyError) as error:
            hint = getattr(error, 'hint', '')
            raise _invalid(key, text, '', hint) from None
        except DoubtfulValue as doubt:
            specs[key] = _settle(request, key, text, EXTRA_SPECS[key], doubt)


def _read_image(request: Request) -> None:
    properties = request.properties
    for key, text in request.image.items():
        read = _IMAGE_READERS.get(key)
        if read is None:
            _describe(request, describe_property, key)
            continue
        try:
            properties[key] = read(text)
        except (ValueError, KeyError) as error:
            hint = getattr(error, 'hint', '')
            raise _invalid(key, text, '', hint) from None
        except DoubtfulValue as doubt:
            spec = IMAGE_PROPERTIES[key]
            properties[key] = _settle(request, key, text, spec, doubt)


def _settle(
    request: Request, key: str, text: str, spec: Spec, doubt: DoubtfulValue
) -> Any:
    """Warn of a value and return what it is taken for."""
    request.warn(
        f'{key} is {shown(text)}, which {doubt.effect}: expected '
        f'{spec.expected}'
    )
    return doubt.value


def _read_unlisted(
    request: Request, key: str, text: str, *, strict: bool
) -> None:
    """Deal with a name that has a request group or that nobody knows."""
    name = group_name(key)
    if name is None:
        unlisted = _describe(request, describe_extra_spec, key)
        if unlisted and unlisted.is_error and strict:
            raise UnsupportedExtraSpec(
                unlisted.message,
                key=key,
                value=text,
                expected='a known name',
                hint=unlisted.hint,
            )
        return
    try:
        value = _GROUP_READERS[name](text)
    except DoubtfulValue as doubt:
        value = _settle(request, key, text, EXTRA_SPECS[name], doubt)
    if isinstance(value, int):
        value += request.specs.get(name, 0)
    elif name in request.specs:
        return  # The first of many counts, as for nova.
    request.specs[name] = value


def _describe(
    request: Request, describe: Callable[..., Unlisted | None], key: str
) -> Unlisted | None:
    """Warn of a name that nobody knows, and return what is wrong with it.

    What was meant is looked for only so often, as that takes its time.
    """
    request.searches += 1
    unlisted = describe(key, search=request.searches <= _MAX_SEARCHES)
    if unlisted:
        request.warn(f'{unlisted.message}: {unlisted.hint}')
    return unlisted
