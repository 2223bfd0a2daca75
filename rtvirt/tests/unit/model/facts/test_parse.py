# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.parse import parse_choice
from rtvirt.model.facts.parse import parse_flag
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_list
from rtvirt.model.facts.parse import parse_mask


@pytest.mark.parametrize(
    ('parse', 'text', 'expected'),
    [
        (parse_int, '4\t4\t1\t7\n', 4),
        (parse_int, '-1\n', -1),
        (parse_flag, 'Y\n', True),
        (parse_flag, '0\n', False),
        (parse_list, '0-3,8\n', CPUSet.parse('0-3,8')),
        (parse_list, '\n', CPUSet()),
        (parse_list, '(null)\n', CPUSet()),
        (parse_mask, 'f\n', CPUSet.parse('0-3')),
        (parse_mask, '00000001,80000000\n', CPUSet.parse('31-32')),
        (parse_choice, 'always [madvise] never\n', 'madvise'),
        (parse_choice, 'none voluntary (full) lazy\n', 'full'),
    ],
)
def test_formats(
    parse: Callable[[str], object], text: str, expected: object
) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ('parse', 'text'),
    [
        (parse_int, ''),
        (parse_int, 'x'),
        (parse_int, '9' * 30),
        (parse_flag, '2'),
        (parse_list, 'x'),
        (parse_mask, ''),
        (parse_mask, 'f' * 5000),
        (parse_mask, '-1'),
        (parse_choice, 'none'),
    ],
)
def test_nonsense_is_refused(
    parse: Callable[[str], object], text: str
) -> None:
    with pytest.raises(ValueError, match=r'^'):
        parse(text)
