# SPDX-License-Identifier: Apache-2.0
"""CPUSet: a frozenset of CPU ids with a text form."""

import copy
import operator
import pickle
from collections.abc import Callable
from collections.abc import Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.exception import CPUSetError
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.strategies import cpu_ids
from rtvirt.tests.strategies import cpusets

Ids = frozenset[int]
Operator = Callable[[Any, Any], Any]

ids = st.frozensets(cpu_ids(), max_size=12)

COMBINE = [operator.and_, operator.or_, operator.sub, operator.xor]
COMPARE = [
    operator.eq,
    operator.ne,
    operator.le,
    operator.lt,
    operator.ge,
    operator.gt,
]


class TestAlgebra:
    """Every operator answers as frozenset's does."""

    @given(ids, ids)
    def test_combines(self, left: Ids, right: Ids) -> None:
        keys = dict.fromkeys(right).keys()
        for operate in COMBINE:
            expected = operate(left, right)
            for other in (CPUSet(right), right, set(right), keys):
                found = operate(CPUSet(left), other)
                assert type(found) is CPUSet
                assert frozenset(found) == expected
            assert frozenset(operate(left, CPUSet(right))) == expected

    @given(ids, ids)
    def test_compares(self, one: Ids, other: Ids) -> None:
        pairs = [(one, other), (one & other, one), (one | other, one)]
        for left, right in pairs:
            keys = dict.fromkeys(right).keys()
            for compare in COMPARE:
                expected = compare(left, right)
                assert compare(CPUSet(left), CPUSet(right)) is expected
                assert compare(CPUSet(left), right) is expected
                assert compare(left, CPUSet(right)) is expected
                assert compare(CPUSet(left), keys) is expected

    @given(ids, ids)
    def test_isdisjoint(self, left: Ids, right: Ids) -> None:
        expected = left.isdisjoint(right)
        assert CPUSet(left).isdisjoint(CPUSet(right)) is expected
        assert CPUSet(left).isdisjoint(list(right)) is expected

    @given(ids)
    def test_hashes_as_a_frozenset(self, members: Any) -> None:
        assert hash(CPUSet(members)) == hash(members)
        assert {members: 1}[CPUSet(members)] == 1

    @given(st.integers(0, (1 << 600) - 1) | st.integers(0, (1 << 12) - 1))
    def test_walks_dense_sets(self, mask: int) -> None:
        bits = [cpu for cpu in range(mask.bit_length()) if mask >> cpu & 1]
        assert list(CPUSet.from_mask(mask)) == bits

    @given(st.integers(0, 600), st.integers(0, 600))
    def test_walks_runs(self, first: int, length: int) -> None:
        run = CPUSet.from_mask((1 << length) - 1 << first)
        assert list(run) == list(range(first, first + length))

    @given(ids)
    def test_is_a_sorted_collection(self, members: Any) -> None:
        cpus = CPUSet(members)
        assert list(cpus) == sorted(members)
        assert len(cpus) == len(members)
        assert bool(cpus) is bool(members)

    @given(ids, st.integers() | st.sampled_from([10**30, -(10**30)]))
    def test_contains(self, members: Any, cpu: Any) -> None:
        assert (cpu in CPUSet(members)) is (cpu in members)

    def test_contains_no_text(self) -> None:
        cpus: Set[Any] = CPUSet([1])
        assert '1' not in cpus
        assert None not in cpus


class TestForeignOperands:
    """What is no set is no operand; what is one gets an answer."""

    @pytest.mark.parametrize('operate', COMBINE + COMPARE[2:])
    @pytest.mark.parametrize('other', [[1], (1,), {1: 1}, '1', 1, None])
    def test_refuses_what_is_no_set(
        self, operate: Operator, other: Any
    ) -> None:
        with pytest.raises(TypeError, match='CPUSet'):
            operate(CPUSet([1]), other)
        with pytest.raises(TypeError, match='CPUSet'):
            operate(other, CPUSet([1]))

    @pytest.mark.parametrize('other', [[1], '1', 1, None])
    def test_differs_from_what_is_no_set(self, other: Any) -> None:
        assert CPUSet([1]) != other

    @pytest.mark.parametrize('compare', COMPARE)
    @pytest.mark.parametrize('other', [{-1, 1}, {'a'}, {MAX_CPU + 1, 1}])
    def test_compares_with_any_set(
        self, compare: Operator, other: Any
    ) -> None:
        answer = compare(frozenset([1]), other)
        assert compare(CPUSet([1]), other) is answer

    @pytest.mark.parametrize('operate', COMBINE)
    @pytest.mark.parametrize('other', [{-1}, {'a'}, {MAX_CPU + 1}, {True}])
    def test_combines_cpu_ids_only(
        self, operate: Operator, other: Any
    ) -> None:
        with pytest.raises(CPUSetError, match='is no CPU id'):
            operate(CPUSet([1]), other)

    def test_leaves_the_answer_to_a_type_that_knows(self) -> None:
        class Knows:
            def __ror__(self, other: object) -> str:
                return 'known'

            def __ge__(self, other: object) -> str:
                return 'above'

        assert CPUSet() | Knows() == 'known'
        assert (CPUSet() <= Knows()) == 'above'


class TestConstruction:
    @pytest.mark.parametrize(
        'cpu', [True, 1.0, '1', None, -1, MAX_CPU + 1, (1,)]
    )
    def test_takes_cpu_ids_only(self, cpu: Any) -> None:
        with pytest.raises(CPUSetError, match='is no CPU id') as caught:
            CPUSet([cpu])
        assert len(str(caught.value)) < 200

    def test_shows_no_endless_number(self) -> None:
        with pytest.raises(CPUSetError, match='a number of 16610 bits'):
            CPUSet([10**5000])

    def test_stops_at_the_first_wrong_id(self) -> None:
        with pytest.raises(CPUSetError, match=str(MAX_CPU + 1)):
            CPUSet(range(10**9))

    @given(cpusets())
    def test_mask_round_trip(self, cpus: CPUSet) -> None:
        assert cpus.mask == sum(1 << cpu for cpu in cpus)
        assert CPUSet.from_mask(cpus.mask) == cpus

    @pytest.mark.parametrize(
        'mask',
        [-1, pytest.param(1 << MAX_CPU + 1, id='wide'), True, 1.0, '1', None],
    )
    def test_takes_masks_only(self, mask: Any) -> None:
        with pytest.raises(CPUSetError, match='is no CPU mask') as caught:
            CPUSet.from_mask(mask)
        assert len(str(caught.value)) < 200

    def test_takes_the_whole_range(self) -> None:
        every = CPUSet(range(MAX_CPU + 1))
        assert every == CPUSet.parse(f'0-{MAX_CPU}')
        assert str(every) == f'0-{MAX_CPU}'
        assert len(every) == MAX_CPU + 1


class TestImmutability:
    def test_has_no_state_to_change(self) -> None:
        cpus = CPUSet([1])
        with pytest.raises(AttributeError):
            cpus.mask = 5  # type: ignore[misc]
        with pytest.raises(AttributeError):
            del cpus.mask
        with pytest.raises(AttributeError):
            cpus.name = 'x'  # type: ignore[attr-defined]
        assert cpus == {1}

    def test_operators_in_place_make_another(self) -> None:
        cpus = before = CPUSet([1])
        cpus |= CPUSet([2])
        assert cpus == {1, 2}
        assert before == {1}

    def test_init_changes_nothing(self) -> None:
        cpus = CPUSet([1])
        CPUSet.__init__(cpus, [2])  # type: ignore[call-arg]
        assert cpus == {1}

    @given(cpusets())
    def test_copies_are_the_same(self, cpus: CPUSet) -> None:
        assert copy.copy(cpus) is copy.deepcopy(cpus) is CPUSet(cpus) is cpus

    @pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
    def test_pickles(self, protocol: int) -> None:
        cpus = CPUSet.parse('0-3,64,16383')
        again = pickle.loads(pickle.dumps(cpus, protocol))
        assert type(again) is CPUSet
        assert again == cpus

    def test_is_a_set(self) -> None:
        assert isinstance(CPUSet(), Set)


class TestText:
    @given(cpusets(max_size=40))
    def test_round_trip(self, cpus: CPUSet) -> None:
        assert CPUSet.parse(str(cpus)) == cpus
        assert eval(repr(cpus)) == cpus

    @pytest.mark.parametrize(
        ('text', 'members'),
        [
            ('', []),
            (' ', []),
            (',,', []),
            ('0', [0]),
            ('0-3', [0, 1, 2, 3]),
            ('0-0', [0]),
            (' 1 - 2 ,\t4\n', [1, 2, 4]),
            ('0-4,^2', [0, 1, 3, 4]),
            ('^2,0-4', [0, 1, 3, 4]),
            ('^2-3,0-4', [0, 1, 4]),
            ('0-4,^ 2', [0, 1, 3, 4]),
            ('^2', []),
            ('1,1,1', [1]),
            ('007', [7]),
            ('0' * 5000 + '1', [1]),
            (f'{MAX_CPU}', [MAX_CPU]),
        ],
    )
    def test_reads(self, text: Any, members: Any) -> None:
        assert list(CPUSet.parse(text)) == members

    @pytest.mark.parametrize(
        ('members', 'text'),
        [
            ([], ''),
            ([0], '0'),
            ([0, 1], '0-1'),
            ([0, 2], '0,2'),
            ([0, 1, 3, 8, 9, 10], '0-1,3,8-10'),
            ([MAX_CPU], '16383'),
        ],
    )
    def test_writes(self, members: Any, text: Any) -> None:
        assert str(CPUSet(members)) == text

    def test_writes_every_other_cpu(self) -> None:
        cpus = CPUSet(range(0, MAX_CPU, 2))
        assert str(cpus) == ','.join(map(str, range(0, MAX_CPU, 2)))

    @pytest.mark.parametrize(
        ('text', 'position', 'words'),
        [
            ('x', 0, "has 'x' where a number is due"),
            ('0-3,1x', 5, "has 'x'"),
            ('0-3, 1 2', 6, "has ' '"),
            ('0-3,^', 5, 'has nothing where a number is due'),
            ('^-1', 1, 'has nothing'),
            ('^^1', 1, "has '^'"),
            ('1-', 2, 'has nothing'),
            (' 1 - ,2', 4, 'has nothing'),
            ('-1', 0, 'has nothing'),
            ('1--2', 2, "has '-'"),
            ('1-2-3', 3, "has '-'"),
            ('0,3-1', 2, 'range from 3 down to 1'),
            ('0,16384', 2, 'goes beyond CPU 16383'),
            ('0-99999999999', 2, 'goes beyond'),
            ('9' * 1000, 0, 'goes beyond'),
            ('+1', 0, "has '+'"),
            ('1_0', 1, "has '_'"),
            ('0x1', 1, "has 'x'"),
            ('1.0', 1, "has '.'"),
            ('٣', 0, "has '٣'"),
            ('1²', 1, "has '²'"),
            ('0-3;4', 3, "has ';'"),
            ('1\x00', 1, r"has '\x00'"),
        ],
    )
    def test_points_at_the_fault(
        self, text: Any, position: int, words: str
    ) -> None:
        with pytest.raises(CPUSetError) as caught:
            CPUSet.parse(text)
        error = caught.value
        assert words in str(error)
        assert (error.text, error.position) == (text, position)
        assert f'(at character {position})' in str(error)
        assert error.hint
        assert len(str(error)) < 250

    @pytest.mark.parametrize('text', [None, 3, b'0-3', ['0'], CPUSet([1])])
    def test_reads_texts_only(self, text: Any) -> None:
        with pytest.raises(CPUSetError, match='expected a text'):
            CPUSet.parse(text)

    @pytest.mark.parametrize(
        'item',
        [',', '0-16383,', '1', '^'],
        ids=['commas', 'ranges', 'digits', 'carets'],
    )
    def test_refuses_megabytes_unread(self, item: str) -> None:
        with pytest.raises(CPUSetError, match='is too long') as caught:
            CPUSet.parse(item * 10_000_000)
        assert len(str(caught.value)) < 250

    @given(st.text(alphabet='0123456789,-^ x', max_size=12))
    def test_answers_or_refuses(self, text: Any) -> None:
        try:
            cpus = CPUSet.parse(text)
        except CPUSetError as error:
            position = error.position
        else:
            position = 0
            assert CPUSet.parse(str(cpus)) == cpus
        assert 0 <= position <= len(text)
