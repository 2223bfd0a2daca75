# SPDX-License-Identifier: Apache-2.0
"""Which deliberate deviation explains a difference from nova, if any.

Each code of ``rtvirt.extraspecs.deviation`` has a predicate here, as narrow
as what the code stands for.
"""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from oslo_utils import strutils

from rtvirt.exception import ExtraSpecError
from rtvirt.extraspecs.catalog import IMAGE_PROPERTIES
from rtvirt.extraspecs.spec import Role
from rtvirt.tests.flavors import Case
from rtvirt.tests.nova.oracle import RefusedError
from rtvirt.tests.nova.oracle import outcome
from rtvirt.tests.outcome import facts
from rtvirt.tests.outcome import parse

Answer = dict[str, Any] | Exception

_MASKS = ('hw:cpu_realtime_mask', 'hw_cpu_realtime_mask')
_SIZES = ('hw:mem_page_size', 'hw_mem_page_size')


def ask_nova(case: Case) -> Answer:
    """Return the facts, or why nova refuses."""
    try:
        return outcome(case)
    except RefusedError as error:
        return error


def ask_rtvirt(case: Case) -> Answer:
    """Return the facts, or why rtvirt refuses."""
    try:
        return facts(parse(case))
    except ExtraSpecError as error:
        return error


def explain(case: Case, nova: Answer, ours: Answer) -> str | None:
    """Return the code of the deviation, or None for none.

    :returns: an empty string where there is no difference.
    """
    if isinstance(nova, dict):
        if nova == ours:
            return ''
        if isinstance(ours, ExtraSpecError):
            return _why_refused(case, nova, ours)
        return None
    if isinstance(ours, ExtraSpecError):
        return ''
    return _why_accepted(case, ours)


def _why_refused(
    case: Case, nova: dict[str, Any], error: ExtraSpecError
) -> str | None:
    for code, predicate in _REFUSED.items():
        if predicate(case, nova, error.key, str(error.value)):
            return code
    return None


def _is_part_of_kib(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    if key not in _SIZES or not text.isascii():
        return False
    if text.isdigit():
        return int(text) >= 1 << 63
    size = strutils.string_to_bytes(text, return_int=True)
    return size < 0 or size % 1024 != 0 or size >= 1 << 73


def _is_empty_cell(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    return 'numa_mem.' in key and _is_int(text) and int(text) < 1


def _is_out_of_range(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    if key not in _MASKS:
        return False
    beyond = [n for n in re.findall(r'\d+', text) if int(n) >= case.vcpus]
    is_unread = nova['realtime'] == '' or bool(case.image.get(_MASKS[1]))
    return bool(beyond) or (key == _MASKS[0] and is_unread)


def _is_unread(case: Case, nova: dict[str, Any], key: str, text: str) -> bool:
    stem, _, cell = key.partition('.')
    if stem not in ('hw:numa_cpus', 'hw:numa_mem'):
        return False
    before = [f'{stem}.{number}' for number in range(int(cell))]
    return not nova['cells'] or any(k not in case.specs for k in before)


def _is_odd_digit(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    has_digit = any(char.isdigit() for char in text)
    is_list = 'mask' in key or 'numa_cpus' in key
    return (
        (has_digit and not text.isascii())
        or (is_list and any(char in '+_' for char in text))
        or len(text) > 40
    )


def _is_beyond_libvirt(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    limits = {
        'quota:cpu_shares': range(1 << 32),
        'quota:cpu_period': range(1000, 1_000_001),
        'quota:cpu_quota': range(1000, 17_592_186_044_416),
    }
    return key in limits and int(text) not in limits[key]


def _is_empty_policy(
    case: Case, nova: dict[str, Any], key: str, text: str
) -> bool:
    return key == 'hw:cpu_thread_policy' and text == ''


_REFUSED: dict[str, Callable[[Case, dict[str, Any], str, str], bool]] = {
    'page-size-whole': _is_part_of_kib,
    'cell-memory': _is_empty_cell,
    'empty-thread-policy': _is_empty_policy,
    'realtime-mask-range': _is_out_of_range,
    'unread-lists': _is_unread,
    'digits': _is_odd_digit,
    'quota-range': _is_beyond_libvirt,
}


def _is_int(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _with_unit(text: str) -> str:
    """Return a page size as nova understands it."""
    match = re.fullmatch(r'(\S*\d)([kKMGT])(i?)(B?)', text)
    if match is None:
        return text
    return f'{match[1]}{match[2].upper()}{match[3]}B'


def _with_units(case: Case) -> Case:
    specs = {k: _with_unit(v) if k in _SIZES else v
             for k, v in case.specs.items()}  # fmt: skip
    image = {k: _with_unit(v) if k in _SIZES else v
             for k, v in case.image.items()}  # fmt: skip
    return dataclasses.replace(case, specs=specs, image=image)


def _without_address_bits(case: Case) -> Case:
    specs = {k: v for k, v in case.specs.items() if 'maxphysaddr' not in k}
    return dataclasses.replace(case, specs=specs)


def _without_carried(case: Case) -> Case:
    image = {
        k: v
        for k, v in case.image.items()
        if k not in IMAGE_PROPERTIES
        or IMAGE_PROPERTIES[k].role is not Role.NOVA
    }
    return dataclasses.replace(case, image=image)


_REPAIRS: dict[str, Callable[[Case], Case]] = {
    'page-size-units': _with_units,
    'address-bits': _without_address_bits,
    'image-values': _without_carried,
}


def _why_accepted(case: Case, ours: Answer) -> str | None:
    """Return what, once mended, makes nova accept and answer the same."""
    codes = []
    for code, repair in _REPAIRS.items():
        mended = repair(case)
        if mended != case:
            case = mended
            codes.append(code)
    return codes[0] if codes and ask_nova(case) == ours else None
