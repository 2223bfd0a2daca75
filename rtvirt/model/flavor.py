# SPDX-License-Identifier: Apache-2.0
"""Flavors and image properties, as people and OpenStack write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import require_int
from rtvirt.model.check import shown
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.frozendict import FrozenDict

_PROPERTY: Final = re.compile(r"\s*([^=,'\s]+)='([^']*)'\s*(?:,|$)")
_MAX_NAME: Final = 255


def _to_text(key: object, value: object) -> str:
    """Return the text that OpenStack keeps for a value YAML may have typed.

    ``yes`` in YAML is a boolean: it becomes ``true``, as the command line
    of OpenStack would store it.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return 'true' if value else 'false'
    # str() refuses numbers of more than 4300 digits.
    if isinstance(value, float) or (
        isinstance(value, int) and abs(value) <= MAX_INT
    ):
        return str(value)
    raise ModelError(
        f'{shown(key)} is {shown(value)}: expected a text, a number or a '
        'truth value'
    )


def _to_texts(mapping: object, what: str) -> dict[str, str]:
    if isinstance(mapping, str):
        mapping = _parse_properties(mapping, what)
    if not isinstance(mapping, Mapping):
        raise ModelError(
            f'{what} are {shown(mapping)}: expected a mapping of names to '
            'values'
        )
    for key in mapping:
        if not isinstance(key, str):
            raise ModelError(
                f'{what} have the name {shown(key)}: expected a text'
            )
    return {key: _to_text(key, value) for key, value in mapping.items()}


def _parse_properties(text: str, what: str) -> dict[str, str]:
    """Read ``a='b', c='d'``, the form older clients print."""
    found = {}
    position = 0
    while position < len(text):
        match = _PROPERTY.match(text, position)
        if match is None:
            raise ModelError(
                f"{what} are {shown(text)}: expected key='value', ... (at "
                f'character {position})'
            )
        found[match[1]] = match[2]
        position = match.end()
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Flavor:
    """An OpenStack flavor.

    :ivar memory_mib: ``ram`` in OpenStack's words.
    :ivar disk_gib: size of the root disk.
    :ivar extra_specs: texts; YAML's booleans and numbers become texts.
    :raises ModelError: if a number is out of range or a value is neither
        text, number nor truth value.
    """

    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int = 0
    extra_specs: Mapping[str, str] = FrozenDict()

    def __post_init__(self) -> None:
        if (
            not isinstance(self.name, str)
            or not 0 < len(self.name) <= _MAX_NAME
            or not self.name.isprintable()
        ):
            raise ModelError(
                f"the flavor's name is {shown(self.name)}: expected up to "
                f'{_MAX_NAME} printable characters'
            )
        require_int('vcpus', self.vcpus, 1, MAX_CPU + 1)
        require_int('memory_mib', self.memory_mib, 1, 1 << 40)
        require_int('disk_gib', self.disk_gib, 0)
        texts = FrozenDict(_to_texts(self.extra_specs, 'extra_specs'))
        object.__setattr__(self, 'extra_specs', texts)

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Flavor:
        """Read a flavor in any of the forms OpenStack shows it.

        ``openstack flavor show -f json`` (``ram``, ``properties``), the
        compute API's body (``{"flavor": {..., "extra_specs": {}}}``) and
        the field names of this class.

        :raises ModelError: naming the key that is missing or wrong.
        """
        if not isinstance(mapping, Mapping):
            raise ModelError(
                f'a flavor is {shown(mapping)}: expected a mapping'
            )
        if isinstance(body := mapping.get('flavor'), Mapping):
            mapping = body
        return cls(
            name=_to_text('name', _pick(mapping, 'name')),
            vcpus=_to_int('vcpus', _pick(mapping, 'vcpus')),
            memory_mib=_to_int('ram', _pick(mapping, 'memory_mib', 'ram')),
            disk_gib=_to_int(
                'disk', _pick(mapping, 'disk_gib', 'disk', or_=0)
            ),
            extra_specs=_pick(mapping, 'extra_specs', 'properties', or_={})
            or {},
        )


def _pick(mapping: Mapping[str, Any], *names: str, or_: Any = None) -> Any:
    lowered = {
        key.lower(): value
        for key, value in mapping.items()
        if isinstance(key, str)
    }
    for name in names:
        if name in lowered:
            return lowered[name]
    if or_ is None:
        raise ModelError(
            f'the flavor has no {" or ".join(names)}',
            hint='give it name, vcpus and ram (MiB)',
        )
    return or_


def _to_int(name: str, value: object) -> int:
    """Return a number that a client may have printed as text."""
    if type(value) is int:
        return value
    if isinstance(value, str) and re.fullmatch(r'[0-9]{1,18}', value):
        return int(value)
    raise ModelError(
        f"the flavor's {name} is {shown(value)}: expected a whole number"
    )


class ImageProperties(FrozenDict[str, str]):
    """The properties of an image (``hw_*``), as texts.

    :param properties: texts, or values that YAML or glance typed; also
        ``a='b', c='d'``, the form older clients print.
    :raises ModelError: if a value is neither text, number nor truth value.
    """

    __slots__ = ()

    def __init__(self, properties: Mapping[str, Any] | str = '') -> None:
        super().__init__(_to_texts(properties, 'image properties'))
