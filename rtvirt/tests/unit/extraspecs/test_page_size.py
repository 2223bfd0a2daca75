# SPDX-License-Identifier: Apache-2.0
"""Page sizes as text. What nova takes is in the scenarios."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.extraspecs.page_size import read_page_size

UNITS = {'': 1, 'KiB': 1, 'MiB': 1 << 10, 'GiB': 1 << 20, 'TiB': 1 << 30}


@given(st.integers(1, 1 << 30), st.sampled_from(sorted(UNITS)))
def test_round_trip(number: int, unit: str) -> None:
    assert read_page_size(f'{number}{unit}') == number * UNITS[unit]


@pytest.mark.parametrize(
    ('text', 'size'),
    [
        ('2M', 2048),
        ('1G', 1048576),
        ('2048kB', 2048),
        ('2048k', 2048),
        ('2048K', 2048),
        ('2Mi', 2048),
        ('1T', 1 << 30),
        ('1.5M', 1536),
    ],
)
def test_beyond_nova(text: str, size: int) -> None:
    assert read_page_size(text) == size


@given(st.text(max_size=80) | st.text('0123456789.kKMGibBt-+', max_size=80))
def test_any_text(text: str) -> None:
    try:
        size = read_page_size(text)
    except ValueError:
        return
    assert size is None or isinstance(size, str) or size >= 0


@pytest.mark.parametrize(
    'text',
    [
        '9' * 5000, '1' + '0' * 10_000_000, '9' * 64, '1QB', '9' * 50 + 'QB',
        '0.' + '0' * 60 + '1GB', '\xb2', '\u0663', '2\uff2d', '2MB\n',
        '\x002MB', '2\u00a0MB', '0.0001KB',
    ],
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        read_page_size(text)
