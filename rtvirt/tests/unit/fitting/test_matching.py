# SPDX-License-Identifier: Apache-2.0
import itertools

from hypothesis import given
from hypothesis import strategies as st

from rtvirt.fitting import matching

rows = st.lists(st.integers(0, 63), min_size=1, max_size=5)
demands = st.lists(st.integers(0, 63), max_size=4)


def brute(rows: list[int], demands: list[int]) -> list[list[int]]:
    """Every assignment, by trying all permutations of the bits."""
    return [
        [1 << number for number in chosen]
        for chosen in itertools.permutations(range(6), len(rows))
        if all(row >> bit & 1 for row, bit in zip(rows, chosen, strict=True))
        and all(any(mask >> bit & 1 for bit in chosen) for mask in demands)
    ]


@given(rows, demands)
def test_every_assignment_in_order(
    rows: list[int], demands: list[int]
) -> None:
    found = [list(one) for one in matching.assignments(rows, demands)]
    assert found == brute(rows, demands)


@given(rows)
def test_match_or_a_set_of_rows_with_too_few_bits(rows: list[int]) -> None:
    chosen, short = matching.match(rows)
    if brute(rows, []):
        assert not short
        assert len(set(chosen)) == len(rows)
        assert all(
            bit & row and bit.bit_count() == 1
            for bit, row in zip(chosen, rows, strict=True)
        )
    else:
        assert not chosen
        union = 0
        for row in short:
            union |= rows[row]
        assert union.bit_count() < len(short)


@given(rows)
def test_first_free_is_the_first_where_it_succeeds(rows: list[int]) -> None:
    found = matching.first_free(rows)
    if found is not None:
        assert found == brute(rows, [])[0]


def test_a_long_chain_is_moved() -> None:
    """Row 0 may have bit 0 only if all later rows move on by one."""
    size = 12
    rows = [1, *(0b11 << number for number in range(size))]
    assert next(matching.assignments(rows)) == [
        1 << number for number in range(size + 1)
    ]


def test_many_rows_that_cannot_be_served() -> None:
    """Sixteen rows for fifteen bits: no walk over permutations."""
    rows = [(1 << 15) - 1] * 16
    assert list(matching.assignments(rows)) == []
    assert matching.match(rows)[1] == tuple(range(16))


def test_demands_that_cannot_be_met_together() -> None:
    """Sixteen rows, 32 bits, and a demand on a bit that none may have."""
    rows = [(1 << 32) - 2] * 16
    assert list(matching.assignments(rows, [1])) == []
    two = [1 << 1, 1 << 2, 1 << 3]
    assert list(matching.assignments(rows[:2], two)) == []
    assert next(matching.assignments(rows[:3], two))
