# SPDX-License-Identifier: Apache-2.0
"""Pages kept from guests, as text."""

from __future__ import annotations

from typing import Final

from rtvirt.exception import ModelError
from rtvirt.extraspecs.page_size import read_page_size
from rtvirt.model.partition import ReservedPages

_KEYS: Final = {'node', 'size', 'count'}


def parse_reserved(text: str) -> ReservedPages:
    """Read ``node:0,size:1GiB,count:2``.

    The form of nova's ``reserved_huge_pages``
    (``hardware.numa_get_reserved_huge_pages``): a size is in KiB or has a
    unit, the order is free.

    :raises ModelError: naming what is wrong with it.
    """
    pairs = [item.partition(':') for item in text.split(',')]
    fields = {key.strip(): value.strip() for key, _, value in pairs}
    if len(pairs) != len(fields) or set(fields) != _KEYS:
        raise _wrong(text, 'it needs node, size and count, each once')
    for key in ('node', 'count'):
        if not (fields[key].isascii() and fields[key].isdigit()):
            raise _wrong(text, f'the {key} is no whole number')
    if len(text) > 100 or any(len(v) > 18 for v in fields.values()):
        raise _wrong(text, 'a number is too long')
    try:
        size = read_page_size(fields['size'])
    except ValueError:
        size = None
    if not isinstance(size, int) or not size:
        raise _wrong(text, 'the size is neither KiB nor as in 2MB, 1GiB')
    return ReservedPages(
        cell=int(fields['node']), size_kib=size, count=int(fields['count'])
    )


def _wrong(text: str, why: str) -> ModelError:
    return ModelError(
        f'{text!r:.100} does not say which pages are reserved: {why}',
        hint='write it as in node:0,size:1GiB,count:2',
    )
