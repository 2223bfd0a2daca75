# SPDX-License-Identifier: Apache-2.0
"""Sets of CPU ids, host or guest."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Set
from typing import TYPE_CHECKING
from typing import Final
from typing import NoReturn
from typing import final

from rtvirt.exception import CPUSetError
from rtvirt.model.check import shown

MAX_CPU: Final = 16383
"""The highest CPU id: libvirt's VIR_DOMAIN_CPUMASK_LEN is 16384."""

_ALL: Final = (1 << MAX_CPU + 1) - 1
_MAX_TEXT: Final = 1 << 18


@final
class CPUSet(Set[int]):
    """An immutable set of CPU ids, kept as one integer.

    It equals, orders and hashes as the ``frozenset`` of its ids. The set
    operators take any set of CPU ids and return a ``CPUSet``; iteration is
    in ascending order; ``str()`` gives the kernel's list format
    (``0-1,3,8``).

    :ivar mask: the set as an integer: bit n is CPU n.
    :param cpus: CPU ids from 0 to :data:`MAX_CPU`.
    :raises CPUSetError: if an id is no integer or out of range.
    """

    # A slot of its own, and no property over a private one: a read takes
    # 4 ns in place of 49, for 60 ns more per construction.
    __slots__ = ('mask',)

    def __new__(cls, cpus: Iterable[int] = ()) -> CPUSet:
        """Return ``cpus`` itself where it is a ``CPUSet`` already."""
        if type(cpus) is CPUSet:
            return cpus
        return _make(_collect(cpus))

    if TYPE_CHECKING:

        @property
        def mask(self) -> int:
            """Bit n is CPU n."""

    else:

        def __setattr__(self, name: str, value: object) -> NoReturn:
            raise AttributeError(f'a CPUSet cannot change: {name}')

        def __delattr__(self, name: str) -> NoReturn:
            raise AttributeError(f'a CPUSet cannot change: {name}')

    @classmethod
    def from_mask(cls, mask: int) -> CPUSet:
        """Make a set from its bits: bit n is CPU n.

        :raises CPUSetError: if the mask is negative or reaches beyond
            :data:`MAX_CPU`.
        """
        if type(mask) is not int or not 0 <= mask <= _ALL:
            raise CPUSetError(
                f'{shown(mask)} is no CPU mask: expected a whole number '
                f'whose bits reach up to CPU {MAX_CPU}',
                text=shown(mask),
            )
        # As _make does: a claim makes a set for each cell, and a call less
        # is a third of it.
        made = _new(CPUSet)
        _set_mask(made, mask)
        return made

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
        included, excluded = parse_terms(text)
        return _make(included & ~excluded)

    def __contains__(self, cpu: object) -> bool:
        return isinstance(cpu, int) and cpu >= 0 and bool(self.mask >> cpu & 1)

    def __iter__(self) -> Iterator[int]:
        # Most sets are one run of CPUs. Else walking the binary digits of a
        # dense set takes 12 us for 512 CPUs, its lowest bits one by one 76
        # us; for few CPUs it is the other way.
        mask = self.mask
        second = (mask & -mask).bit_length()
        run = mask >> second
        if not run & (run + 1):
            last = second + run.bit_length()
            return iter(range(second - 1, last) if mask else ())
        if 8 < mask.bit_count() > mask.bit_length() >> 3:
            bits = bin(mask)[:1:-1].encode().translate(_BITS)
            return itertools.compress(itertools.count(), bits)
        return _walk(mask)

    def __len__(self) -> int:
        return self.mask.bit_count()

    def __bool__(self) -> bool:
        return self.mask != 0

    def __eq__(self, other: object) -> bool:
        if type(other) is CPUSet:
            return self.mask == other.mask
        if isinstance(other, Set):
            return frozenset(self) == other
        return NotImplemented

    def __hash__(self) -> int:
        # Equal to the hash of an equal frozenset, as equality demands.
        return hash(frozenset(self))

    def __le__(self, other: Set[object]) -> bool:
        if type(other) is CPUSet:
            return not self.mask & ~other.mask
        if isinstance(other, Set):
            return frozenset(self) <= other
        return NotImplemented

    def __lt__(self, other: Set[object]) -> bool:
        if isinstance(other, Set):
            return self <= other and len(self) != len(other)
        return NotImplemented

    def __ge__(self, other: Set[object]) -> bool:
        if type(other) is CPUSet:
            return not other.mask & ~self.mask
        if isinstance(other, Set):
            return frozenset(self) >= other
        return NotImplemented

    def __gt__(self, other: Set[object]) -> bool:
        if isinstance(other, Set):
            return self >= other and len(self) != len(other)
        return NotImplemented

    def __and__(self, other: Set[int]) -> CPUSet:
        if (mask := _to_mask(other)) is None:
            return NotImplemented
        return _make(self.mask & mask)

    def __or__(self, other: Set[int]) -> CPUSet:  # type: ignore[override]
        if (mask := _to_mask(other)) is None:
            return NotImplemented
        return _make(self.mask | mask)

    def __sub__(self, other: Set[int]) -> CPUSet:
        if (mask := _to_mask(other)) is None:
            return NotImplemented
        return _make(self.mask & ~mask)

    def __rsub__(self, other: Set[int]) -> CPUSet:
        if (mask := _to_mask(other)) is None:
            return NotImplemented
        return _make(mask & ~self.mask)

    def __xor__(self, other: Set[int]) -> CPUSet:  # type: ignore[override]
        if (mask := _to_mask(other)) is None:
            return NotImplemented
        return _make(self.mask ^ mask)

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def isdisjoint(self, other: Iterable[int]) -> bool:
        """Whether the two have no CPU in common."""
        return not self.mask & CPUSet(other).mask

    def __str__(self) -> str:
        return _format(self.mask)

    def __repr__(self) -> str:
        return f"CPUSet.parse('{self}')"

    def __copy__(self) -> CPUSet:
        return self

    def __deepcopy__(self, memo: object) -> CPUSet:
        return self

    def __reduce__(self) -> tuple[object, tuple[str]]:
        # As a text: Python refuses to print an integer of 16384 bits, and
        # the older pickle protocols would.
        return CPUSet.parse, (str(self),)


_new: Final = object.__new__
_set_mask: Final = CPUSet.mask.__set__  # type: ignore[attr-defined]


_BITS: Final = bytes(byte == ord('1') for byte in range(256))
"""Turns the digits of a binary number into true and false."""


def _walk(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _make(mask: int) -> CPUSet:
    """Make a set of a mask that is known to be in range."""
    made = _new(CPUSet)
    _set_mask(made, mask)
    return made


def _to_mask(cpus: object) -> int | None:
    """Return the operand of a set operator as a mask, None if no set."""
    if type(cpus) is CPUSet:
        return cpus.mask
    return _collect(cpus) if isinstance(cpus, Set) else None


def _collect(cpus: Iterable[int]) -> int:
    mask = 0
    for cpu in cpus:
        if type(cpu) is not int or not 0 <= cpu <= MAX_CPU:
            raise CPUSetError(
                f'{shown(cpu)} is no CPU id: expected a whole number from 0 '
                f'to {MAX_CPU}',
                text=shown(cpu),
            )
        mask |= 1 << cpu
    return mask


# A host repeats its few sets, and single CPUs, in all that is written of it.
@functools.lru_cache(maxsize=4096)
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


_HINT: Final = 'write single CPUs, ranges and exclusions, as in 0-3,^2,8'


_USUAL: Final = {str(number): number for number in range(512)}
"""Ids as nearly all are written: looked up twice as fast as worked out."""


def _bad(text: str, position: int, why: str) -> CPUSetError:
    return CPUSetError(
        f'{shown(text)} is no list of CPUs: it {why} (at character '
        f'{position})',
        text=text,
        position=position,
        hint=_HINT,
    )


def parse_terms(text: str) -> tuple[int, int]:
    """Read the list format of :meth:`CPUSet.parse`, its two sides apart.

    :returns: what is included and what is excluded, as masks.
    :raises CPUSetError: as ``CPUSet.parse``.
    """
    if not isinstance(text, str):
        raise CPUSetError(
            f'{shown(text)} is no list of CPUs: expected a text',
            text=shown(text),
            hint=_HINT,
        )
    if len(text) > _MAX_TEXT:
        raise _bad(text, _MAX_TEXT, 'is too long')
    included = excluded = position = 0
    for item in text.split(','):
        is_excluded = item[:1] == '^'
        low, dash, high = (item[1:] if is_excluded else item).partition('-')
        first = _USUAL.get(low)
        last = _USUAL.get(high) if dash else first
        if first is not None and last is not None and first <= last:
            mask = (2 << last) - (1 << first)
        else:
            is_excluded = item.lstrip()[:1] == '^'
            mask = _parse_item(text, item, position)
        if is_excluded:
            excluded |= mask
        else:
            included |= mask
        position += len(item) + 1
    return included, excluded


def _parse_item(text: str, item: str, start: int) -> int:
    """Return the mask of the item standing at ``start``; 0 if it is empty."""
    bare = item.strip()
    if not bare:
        return 0
    start += item.index(bare)
    if bare[0] == '^':
        bare = bare[1:]
        start += 1
    low, dash, high = bare.partition('-')
    first = _parse_id(text, low, start)
    if not dash:
        return 1 << first
    last = _parse_id(text, high, start + len(low) + 1)
    if first > last:
        raise _bad(text, start, f'has a range from {first} down to {last}')
    return (2 << last) - (1 << first)


def _parse_id(text: str, word: str, start: int) -> int:
    """Return the number ``word`` standing at ``start``."""
    digits = word.strip()
    start += word.find(digits) if digits else len(word)
    if not (digits.isascii() and digits.isdigit()):
        good = len(digits) - len(digits.lstrip('0123456789'))
        found = f'has {digits[good]!r}' if digits else 'has nothing'
        raise _bad(text, start + good, f'{found} where a number is due')
    significant = digits.lstrip('0')
    # The length first: int() refuses a text of more than 4300 digits.
    if len(significant) > 5 or int(significant or 0) > MAX_CPU:
        raise _bad(text, start, f'goes beyond CPU {MAX_CPU}')
    return int(significant or 0)
