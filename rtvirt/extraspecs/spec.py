# SPDX-License-Identifier: Apache-2.0
"""The shape of an entry of the catalogue."""

from __future__ import annotations

import dataclasses
import enum
import re
from dataclasses import dataclass
from typing import Final

MAX_CELLS: Final = 128
"""The cells that ``.N`` may name (nova's ImageMetaProps.NUMA_NODES_MAX)."""


class Kind(enum.StrEnum):
    """What the value of an extra spec or an image property is."""

    TRUTH = 'truth value'
    NUMBER = 'whole number'
    WORD = 'word'
    CPUS = 'CPU list'
    MASK = 'vCPU mask'
    PAGE_SIZE = 'page size'
    PRIORITY = 'priority'
    TEXT = 'text'


class Role(enum.StrEnum):
    """Who acts upon an entry."""

    RTVIRT = 'rtvirt'
    """rtvirt reads it and plans accordingly."""
    NOVA = 'nova'
    """nova's driver acts upon it; rtvirt knows the name and lets it pass."""


_EXPECTED: Final = {
    Kind.TRUTH: 'yes, true, on, y, t, 1 or no, false, off, n, f, 0',
    Kind.CPUS: 'a list of vCPUs, as in 0-3,^2,8',
    Kind.MASK: 'a list of vCPUs, as in 2-3, or of those left out, as in ^0-1',
    Kind.PAGE_SIZE: (
        'small, large, any, a size in KiB or a size with its unit, as in 2MB '
        'or 1GiB'
    ),
    Kind.PRIORITY: (
        'a priority from 1 to 99, or one for each vCPU, as in 2=50,3-5=10'
    ),
    Kind.TEXT: 'a text',
}

_LIST: Final = r'\^?[0-9]+(-[0-9]+)?(,\^?[0-9]+(-[0-9]+)?)*'
_LEVEL: Final = '[1-9][0-9]?'
_PATTERN: Final = {
    Kind.CPUS: _LIST,
    Kind.MASK: _LIST,
    Kind.PAGE_SIZE: r'large|small|any|[0-9]+([kKMGT]i?)?(b|bit|B)?',
    Kind.PRIORITY: (
        f'{_LEVEL}|[0-9]+(-[0-9]+)?={_LEVEL}(,[0-9]+(-[0-9]+)?={_LEVEL})*'
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One flavor extra spec or image property.

    :ivar name: as written; ``{cell}`` stands for a guest cell's number and
        ``{group}`` for the number of a request group, which may be missing.
    :ivar kind: what its value is.
    :ivar values: the words it takes, where ``kind`` is a word.
    :ivar minimum: least number allowed, None where there is none.
    :ivar maximum: greatest number allowed, None where there is none.
    :ivar form: what it takes, where kind and limits do not say it all.
    :ivar default: what holds where it is not given; empty for nothing.
    :ivar description: what it asks for.
    :ivar effect: what rtvirt does about it.
    :ivar since: the first release that knows it: nova's, or rtvirt's. An
        image property that is older than 12.0.0 may have that, where nova
        began to declare them.
    :ivar source: the code that defines it: a function of nova's
        ``nova.virt.hardware`` where no module is named.
    :ivar role: who acts upon it.
    :ivar is_lenient: whether nova takes a value outside ``values`` or the
        limits as if nothing were given; rtvirt warns of it.
    :ivar is_image: whether it is an image property.
    :ivar twin: the image property of an extra spec that says the same, and
        the other way round; empty where there is none.
    """

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    form: str = ''
    default: str = ''
    description: str
    effect: str
    since: str
    source: str
    role: Role = Role.RTVIRT
    is_lenient: bool = False
    is_image: bool = False
    twin: str = ''

    @property
    def expected(self) -> str:
        """What is accepted, as an error message says it."""
        if self.form:
            return self.form
        if self.kind is Kind.WORD:
            *others, last = self.values
            return f'{", ".join(others)} or {last}' if others else last
        if self.kind is Kind.NUMBER:
            return 'a whole number' + self._limits()
        return _EXPECTED[self.kind]

    def _limits(self) -> str:
        if self.minimum is None:
            return '' if self.maximum is None else f' up to {self.maximum}'
        if self.maximum is None:
            return f' of at least {self.minimum}'
        return f' from {self.minimum} to {self.maximum}'

    @property
    def pattern(self) -> str:
        """A regular expression that the whole value matches; empty for none.

        What it lets through may still be refused: it knows no flavor.
        """
        return _PATTERN.get(self.kind, '')

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that the entry stands for, without request groups."""
        bare = self.name.replace('{group}', '')
        if '{cell}' not in bare:
            return (bare,)
        return tuple(
            bare.replace('{cell}', str(cell)) for cell in range(MAX_CELLS)
        )

    @property
    def name_pattern(self) -> str:
        """A regular expression that the whole name matches."""
        return (
            re.escape(self.name)
            .replace(r'\{cell\}', '[0-9]+')
            .replace(r'\{group\}', '([1-9][0-9]*)?')
        )


def with_image(
    spec: Spec, *, since: str, is_lenient: bool | None = None
) -> tuple[Spec, Spec]:
    """Return an extra spec and the image property that says the same.

    :param since: the first release that knows the image property.
    :param is_lenient: of the image property, where it differs.
    """
    name = spec.name.replace(':', '_', 1)
    return (
        dataclasses.replace(spec, twin=name),
        dataclasses.replace(
            spec,
            name=name,
            since=since,
            is_image=True,
            twin=spec.name,
            is_lenient=(spec.is_lenient if is_lenient is None else is_lenient),
        ),
    )
