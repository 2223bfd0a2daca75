# SPDX-License-Identifier: Apache-2.0
from typing import Any

import pytest

from rtvirt.exception import ModelError
from rtvirt.model.pages import PagePool
from rtvirt.model.pages import format_kib


def test_free_is_what_is_neither_used_nor_reserved() -> None:
    pool = PagePool(size_kib=2048, total=10, used=3, reserved=4)
    assert pool.free == 3
    assert PagePool(size_kib=4, total=1, used=1, reserved=1).free == 0


def test_used_more_and_less() -> None:
    pool = PagePool(size_kib=2048, total=10, used=3, reserved=4)
    more = pool.used_more(2)
    assert more == PagePool(size_kib=2048, total=10, used=5, reserved=4)
    assert more.used_more(-2) == pool
    assert type(more) is PagePool


@pytest.mark.parametrize(
    'fields',
    [
        {'size_kib': 0, 'total': 1},
        {'size_kib': 4, 'total': -1},
        {'size_kib': 4, 'total': 1, 'used': -1},
        {'size_kib': 4, 'total': 1, 'reserved': True},
    ],
)
def test_bad_numbers(fields: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match='expected a whole number'):
        PagePool(**fields)


@pytest.mark.parametrize(
    ('kib', 'text'),
    [(0, '0 KiB'), (4, '4 KiB'), (2048, '2 MiB'), (1048576, '1 GiB')],
)
def test_sizes_for_people(kib: int, text: str) -> None:
    assert format_kib(kib) == text
