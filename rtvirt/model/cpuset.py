# SPDX-License-Identifier: Apache-2.0
"""Sets of CPU ids, host or guest."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from typing import Final

from rtvirt.exception import CPUSetError

MAX_CPU: Final = 16383
"""The highest CPU id: libvirt's VIR_DOMAIN_CPUMASK_LEN is 16384."""

_MAX_TEXT: Final = 1 << 18
_MAX_SHOWN: Final = 60


class CPUSet(Set[int]):
    """An immutable set of CPU ids, kept as one integer.

    The set operators take any set of integers and return a ``CPUSet``;
    iteration is in ascending order; ``str()`` gives the kernel's list
    format (``0-1,3,8``).

    :param cpus: CPU ids from 0 to :data:`MAX_CPU`.
    :raises CPUSetError: if an id is no integer or out of range.
    """

    __slots__ = ('_mask',)

    _mask: int

    def __init__(self, cpus: Iterable[int] = ()) -> None:
        self._mask = cpus._mask if type(cpus) is CPUSet else _to_mask(cpus)

    @classmethod
    def from_mask(cls, mask: int) -> CPUSet:
        """Make a set from its bits: bit n is CPU n.

        :raises CPUSetError: if the mask is negative or reaches beyond
            :data:`MAX_CPU`.
        """
        if mask >> (MAX_CPU + 1):
            raise CPUSetError(
                'a CPU mask must not be negative nor reach beyond CPU '
                f'{MAX_CPU}',
                text='',
            )
        return _from_mask(mask)

    @classmethod
    def parse(cls, text: str) -> CPUSet:
        """Read the list format of kernel, libvirt and nova.

        Comma separated ``N``, ``A-B``, ``^N`` and ``^A-B``; white space
        around numbers and empty items are allowed. All exclusions are
        taken off at the end, wherever they stand (nova's
        ``hardware.parse_cpu_spec``); an empty text is the empty set.

        :raises CPUSetError: with the text and the position of the first
            character that does not belong there.
        """
        if len(text) > _MAX_TEXT:
            raise _bad(text, 0, f'is longer than {_MAX_TEXT} characters')
        included = excluded = 0
        position = 0
        for item in text.split(','):
            if bare := item.strip():
                start = position + item.index(bare)
                if bare[0] == '^':
                    excluded |= _parse_item(text, bare[1:], start + 1)
                else:
                    included |= _parse_item(text, bare, start)
            position += len(item) + 1
        return _from_mask(included & ~excluded)

    @property
    def mask(self) -> int:
        """The set as an integer: bit n is CPU n."""
        return self._mask

    def __contains__(self, cpu: object) -> bool:
        return (
            isinstance(cpu, int) and cpu >= 0 and bool(self._mask >> cpu & 1)
        )

    def __iter__(self) -> Iterator[int]:
        mask = self._mask
        while mask:
            lowest = mask & -mask
            yield lowest.bit_length() - 1
            mask ^= lowest

    def __len__(self) -> int:
        return self._mask.bit_count()

    def __bool__(self) -> bool:
        return self._mask != 0

    def __eq__(self, other: object) -> bool:
        if type(other) is CPUSet:
            return self._mask == other._mask
        if isinstance(other, Set):
            return frozenset(self) == other
        return NotImplemented

    def __hash__(self) -> int:
        # Equal to the hash of an equal frozenset, as equality demands.
        return hash(frozenset(self))

    def __le__(self, other: Set[int]) -> bool:
        return not self._mask & ~_to_mask(other)

    def __lt__(self, other: Set[int]) -> bool:
        return self <= other and self != other

    def __ge__(self, other: Set[int]) -> bool:
        return not _to_mask(other) & ~self._mask

    def __gt__(self, other: Set[int]) -> bool:
        return self >= other and self != other

    def __and__(self, other: Iterable[int]) -> CPUSet:
        return _from_mask(self._mask & _to_mask(other))

    def __or__(self, other: Iterable[int]) -> CPUSet:  # type: ignore[override]
        return _from_mask(self._mask | _to_mask(other))

    def __sub__(self, other: Iterable[int]) -> CPUSet:
        return _from_mask(self._mask & ~_to_mask(other))

    def __xor__(self, other: Iterable[int]) -> CPUSet:  # type: ignore[override]
        return _from_mask(self._mask ^ _to_mask(other))

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __rsub__(self, other: Iterable[int]) -> CPUSet:
        return _from_mask(_to_mask(other) & ~self._mask)

    def isdisjoint(self, other: Iterable[int]) -> bool:
        """Whether the two sets have no CPU in common."""
        return not self._mask & _to_mask(other)

    def __str__(self) -> str:
        return _format(self._mask)

    def __repr__(self) -> str:
        return f"CPUSet.parse('{self}')"

    def __copy__(self) -> CPUSet:
        return self

    def __deepcopy__(self, memo: object) -> CPUSet:
        return self

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return CPUSet.from_mask, (self._mask,)


def _from_mask(mask: int) -> CPUSet:
    made = object.__new__(CPUSet)
    made._mask = mask
    return made


def _to_mask(cpus: Iterable[int]) -> int:
    if type(cpus) is CPUSet:
        return cpus._mask
    mask = 0
    for cpu in cpus:
        if type(cpu) is not int or not 0 <= cpu <= MAX_CPU:
            raise CPUSetError(
                f'{cpu!r} is no CPU id: expected a whole number from 0 to '
                f'{MAX_CPU}',
                text=repr(cpu),
            )
        mask |= 1 << cpu
    return mask


def _format(mask: int) -> str:
    runs = []
    while mask:
        first = (mask & -mask).bit_length() - 1
        mask >>= first
        length = (~mask & (mask + 1)).bit_length() - 1
        mask >>= length
        mask <<= first + length
        last = first + length - 1
        runs.append(f'{first}' if length == 1 else f'{first}-{last}')
    return ','.join(runs)


def _bad(text: str, position: int, why: str) -> CPUSetError:
    shown = text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + '...'
    return CPUSetError(
        f'{shown!r} is no list of CPUs: it {why} (at character {position})',
        text=text,
        position=position,
        hint='write single CPUs, ranges and exclusions, as in 0-3,^2,8',
    )


def _parse_item(text: str, item: str, start: int) -> int:
    """Return the mask of ``N`` or ``A-B`` standing at ``start``."""
    low, dash, high = item.partition('-')
    first = _parse_id(text, low, start)
    if not dash:
        return 1 << first
    last = _parse_id(text, high, start + len(low) + 1)
    if first > last:
        raise _bad(text, start, f'has a range from {first} down to {last}')
    return (1 << last + 1) - (1 << first)


def _parse_id(text: str, digits: str, start: int) -> int:
    bare = digits.strip()
    if not (bare.isascii() and bare.isdigit()):
        found = f'has {bare!r}' if bare else 'lacks a number'
        raise _bad(text, start, f'{found} where a number is due')
    # The length first: int() on a long text of digits takes its time.
    if len(bare) > 18 or int(bare) > MAX_CPU:
        raise _bad(text, start, f'goes beyond CPU {MAX_CPU}')
    return int(bare)
