# SPDX-License-Identifier: Apache-2.0
"""Values of extra specs: from text to type, one reader per entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final

from rtvirt.extraspecs.page_size import read_page_size
from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Role
from rtvirt.extraspecs.spec import Spec
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.pages import PageSize

Reader = Callable[[str], Any]
"""Returns the typed value of a text.

Raises KeyError for a word that is not allowed, ValueError for whatever else
is wrong (CPUSetError is one), DoubtfulValue where nova goes on.
"""

_MAX_DIGITS: Final = 40

_YES: Final = ('1', 't', 'true', 'on', 'y', 'yes')
_NO: Final = ('0', 'f', 'false', 'off', 'n', 'no')
_TRUTH: Final = {word: word in _YES for word in _YES + _NO} | {
    'True': True,
    'False': False,
}


class DoubtfulValue(Exception):
    """A text that nova takes for something its author hardly meant.

    :ivar value: what to go on with.
    :ivar effect: what becomes of the text, after "which".
    """

    def __init__(self, value: Any, effect: str) -> None:
        super().__init__(effect)
        self.value = value
        self.effect = effect


def read_truth(text: str) -> bool:
    """Read a truth value as oslo.utils' ``bool_from_string`` does."""
    value = _TRUTH.get(text)
    if value is None:
        value = _TRUTH.get(text.strip().lower())
    if value is None:
        raise DoubtfulValue(False, 'counts as no')
    return value


def read_number(text: str) -> int:
    """Read a whole number as ``int`` does, of ASCII and bounded length."""
    if len(text) > _MAX_DIGITS or not text.isascii():
        raise ValueError
    return int(text)


def _read_amount(text: str) -> int:
    try:
        return read_number(text)
    except ValueError:
        raise DoubtfulValue(0, 'counts as 0') from None


def _read_cell_count(text: str) -> int | None:
    """Read ``hw:numa_nodes``, which takes no sign, zero or space."""
    if not text:
        return None
    number = read_number(text)
    if number < 1 or str(number) != text:
        raise ValueError
    return number


def _read_period(text: str) -> int | None:
    """Read ``quota:cpu_period``; libvirt takes none below 1000."""
    number = read_number(text)
    if number and not 1000 <= number <= 1_000_000:
        raise ValueError
    return number or None


def _read_quota(text: str) -> int | None:
    """Read ``quota:cpu_quota``; libvirt takes none from 1 to 999."""
    number = read_number(text)
    if 0 < number < 1000 or number > 17_592_186_044_415:
        raise ValueError
    return max(number, -1) or None


def _read_size(text: str) -> int | PageSize | None:
    size = read_page_size(text)
    if size == 0:
        raise DoubtfulValue(size, 'counts as not given')
    return size


_SPECIAL: Final[dict[str, Reader]] = {
    'hw:numa_nodes': _read_cell_count,
    'hw_numa_nodes': read_number,
    'quota:cpu_period': _read_period,
    'quota:cpu_quota': _read_quota,
    'resources{group}:PCPU': _read_amount,
    'resources{group}:VCPU': _read_amount,
}


_MAY_BE_EMPTY: Final = (
    'hw:cpu_policy',
    'hw:emulator_threads_policy',
    'hw:mem_encryption_model',
    'hw:pci_numa_affinity_policy',
    'trait{group}:HW_CPU_HYPERTHREADING',
)
"""Words for which nova takes an empty text as not given."""


def _limited(spec: Spec) -> Reader:
    minimum = spec.minimum
    maximum = spec.maximum

    def read(text: str) -> int:
        number = read_number(text)
        if (minimum is not None and number < minimum) or (
            maximum is not None and number > maximum
        ):
            if spec.is_lenient:
                raise DoubtfulValue(number, 'has no effect')
            raise ValueError
        return number

    return read


def _word(spec: Spec) -> Reader:
    words: dict[str, str | None] = {word: word for word in spec.values}
    if spec.name in _MAY_BE_EMPTY:
        words[''] = None

    def read(text: str) -> str | None:
        if text in words:
            return words[text]
        raise DoubtfulValue(text, 'has no effect')

    return read if spec.is_lenient else words.__getitem__


def _let_pass(spec: Spec) -> Reader:
    def read(text: str) -> str:
        if spec.values and text not in spec.values:
            raise DoubtfulValue(text, 'nova may refuse')
        return text

    return read


_BY_KIND: Final[dict[Kind, Reader]] = {
    Kind.TRUTH: read_truth,
    Kind.CPUS: CPUSet.parse,
    Kind.PAGE_SIZE: _read_size,
    # What masks and priorities mean depends on the vCPUs there are.
    Kind.MASK: str,
    Kind.PRIORITY: str,
    Kind.TEXT: str,
}


def reader_of(spec: Spec) -> Reader:
    """Return what reads the values of an entry."""
    if spec.role is Role.NOVA:
        return _let_pass(spec)
    if spec.name in _SPECIAL:
        return _SPECIAL[spec.name]
    if spec.kind is Kind.WORD:
        return _word(spec)
    if spec.kind is Kind.NUMBER:
        return _limited(spec)
    return _BY_KIND[spec.kind]
