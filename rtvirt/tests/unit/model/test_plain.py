# SPDX-License-Identifier: Apache-2.0
"""Plain data: what is dumped loads again, what is wrong is named."""

import dataclasses
import enum
import functools
import importlib
import json
import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import assume
from hypothesis import given
from hypothesis import reject
from hypothesis import settings
from hypothesis import strategies as st

import rtvirt.model
from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts import HostFacts
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.model.pages import PagePool
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.tests.strategies import cpusets


class Colour(enum.StrEnum):
    RED = 'red'
    BLUE = 'blue'


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """Every kind of field there is."""

    number: int
    text: str = ''
    truth: bool = False
    ratio: float = 0.0
    cpus: CPUSet = CPUSet()
    colour: Colour = Colour.RED
    maybe: int | None = None
    size: int | Colour | None = None
    ids: tuple[int, ...] = ()
    pins: Mapping[int, CPUSet] = FrozenDict()
    names: Mapping[str, int] = FrozenDict()
    by_colour: Mapping[Colour, int] = FrozenDict()
    _cache: Any = dataclasses.field(default=None, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.number < 0:
            raise ModelError('number is negative', hint='make it positive')


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Fields that hold others."""

    leaf: Leaf
    leaves: tuple[Leaf, ...] = ()
    other: Leaf | None = None
    mixed: Leaf | tuple[int, ...] | str = ''


texts = st.text('ab"\'\\\n\x00é\U0001f600\ud800', max_size=4)

BY_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    bool: st.booleans(),
    int: st.integers(0, 9) | st.integers(0, MAX_INT),
    float: st.floats(allow_nan=False),
    str: texts,
    CPUSet: cpusets(),
    types.NoneType: st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Return values of the type of a field."""
    if kind in BY_TYPE:
        return BY_TYPE[kind]
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    if hasattr(kind, '__dataclass_fields__'):
        return instances(kind)
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is Mapping:
        keys, items = map(values, arguments)
        return st.dictionaries(keys, items, max_size=2).map(FrozenDict)
    return st.one_of([values(choice) for choice in arguments])


@functools.cache
def instances(cls: Any) -> st.SearchStrategy[Any]:
    """Return values of a dataclass, of which few fields are not default."""
    if cls in BUILT:
        return BUILT[cls]
    hints = typing.get_type_hints(cls)
    fields = {
        field.name: values(hints[field.name])
        for field in dataclasses.fields(cls)
        if field.init
    }

    needed = {
        field.name
        for field in dataclasses.fields(cls)
        if field.init and field.default is dataclasses.MISSING
    }
    some = st.sets(st.sampled_from(sorted(fields)), max_size=5)

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        names = sorted(needed | draw(some))
        drawn = {name: draw(fields[name]) for name in names}
        try:
            return cls(**drawn)
        except ModelError:
            reject()

    return build()


def a_guest(vcpus: int, realtime: CPUSet) -> GuestRequirement:
    return GuestRequirement(
        name='rt',
        vcpus=vcpus,
        memory_mib=1024,
        cells=(
            GuestCell(id=0, dedicated=CPUSet(range(vcpus)), memory_mib=1024),
        ),
        topology=CPUTopology(sockets=vcpus),
        realtime=realtime,
        priorities={vcpu: 1 + vcpu for vcpu in realtime},
    )


def a_plan(vcpus: int, first: int) -> Plan:
    pins = {vcpu: CPUSet([first + vcpu]) for vcpu in range(vcpus)}
    cell = PlannedCell(
        guest_cell=0,
        host_cell=first,
        pins=pins,
        page_size_kib=4,
        memory_mib=1024,
    )
    return Plan(
        guest=a_guest(vcpus, CPUSet(range(1, vcpus))),
        cells=(cell,),
        emulator=pins[0],
        iothreads={1: pins[0]},
        host='0123456789abcdef',
    )


guests = st.builds(
    lambda vcpus, realtime: a_guest(vcpus, realtime & CPUSet(range(vcpus))),
    st.integers(1, 8),
    cpusets(8),
)

hosts = st.builds(
    HostTopology.uniform,
    cells=st.integers(1, 3),
    cores=st.integers(2, 5),
    threads=st.integers(1, 2),
    l3_per_cell=st.integers(1, 2),
    dedicated=st.none() | cpusets(20),
)

plans = st.builds(a_plan, st.integers(1, 8), st.integers(0, 99))

BUILT: dict[Any, st.SearchStrategy[Any]] = {
    GuestRequirement: guests,
    HostTopology: hosts,
    Plan: plans,
}
"""Those that no random choice of fields would ever hit."""


def parts(kind: Any) -> Iterator[Any]:
    """Yield the dataclasses in the type of a field, and theirs."""
    if hasattr(kind, '__dataclass_fields__'):
        yield kind
        for field in typing.get_type_hints(kind).values():
            yield from parts(field)
    for argument in typing.get_args(kind):
        yield from parts(argument)


def documents() -> list[Any]:
    """Return the classes of the model that are written to files."""
    found = {}
    for info in pkgutil.walk_packages(rtvirt.model.__path__, 'rtvirt.model.'):
        for value in vars(importlib.import_module(info.name)).values():
            if hasattr(value, 'to_dict') and hasattr(value, 'from_dict'):
                found[value.__qualname__] = value
    return [found[name] for name in sorted(found)]


CLASSES = list(
    dict.fromkeys(part for doc in documents() for part in parts(doc))
)


def reload(value: Any) -> Any:
    """Return ``value`` as it comes back from a JSON file."""
    text = json.dumps({'schema_version': 1, **dump(value)})
    return load(type(value), json.loads(text), schema_version=1)


@pytest.mark.parametrize('cls', [Leaf, Branch, *CLASSES])
@settings(max_examples=settings().max_examples // 5)
@given(st.data())
def test_round_trip(cls: Any, data: st.DataObject) -> None:
    value = data.draw(instances(cls))
    again = reload(value)
    assert again == value
    assert type(again) is cls
    assert hash(again) == hash(value)
    assert dump(again) == dump(value)


def test_every_document_takes_part() -> None:
    assert {HostFacts, HostTopology, Plan} <= set(documents())
    assert {GuestRequirement, PlannedCell, PagePool} <= set(CLASSES)


GOOD: dict[str, Any] = dump(Leaf(number=1))


def load_leaf(**changed: Any) -> Leaf:
    return load(
        Leaf, {'schema_version': 1, **GOOD, **changed}, schema_version=1
    )


def load_branch(**changed: Any) -> Branch:
    data = {'schema_version': 1, 'leaf': GOOD, **changed}
    return load(Branch, data, schema_version=1)


@pytest.mark.parametrize(
    ('field', 'value', 'message'),
    [
        ('number', '1', "Leaf.number is '1': expected a whole number"),
        ('number', True, 'Leaf.number is True: expected a whole number'),
        ('number', 1.0, 'Leaf.number is 1.0: expected a whole number'),
        ('number', None, 'Leaf.number is None: expected a whole number'),
        ('number', MAX_INT + 1, 'of at most 64 bits'),
        pytest.param(
            'number',
            10**5000,
            'Leaf.number is <a number of 16610 bits>',
            id='endless',
        ),
        ('number', -1, 'Leaf: number is negative'),
        ('text', 1, 'Leaf.text is 1: expected a text'),
        ('text', None, 'Leaf.text is None: expected a text'),
        ('truth', 1, 'Leaf.truth is 1: expected true or false'),
        ('truth', 'yes', "Leaf.truth is 'yes': expected true or false"),
        ('ratio', '1', "Leaf.ratio is '1': expected a number"),
        ('ratio', True, 'Leaf.ratio is True: expected a number'),
        ('ratio', 10**400, 'Leaf.ratio is <a number of 1329 bits>'),
        ('cpus', 5, 'Leaf.cpus is 5: expected a list of CPU ids'),
        ('cpus', [0, '1'], "Leaf.cpus: '1' is no CPU id"),
        ('cpus', [[0]], 'Leaf.cpus: [0] is no CPU id'),
        ('cpus', [MAX_CPU + 1], f'Leaf.cpus: {MAX_CPU + 1} is no CPU id'),
        ('colour', 'green', "Leaf.colour is 'green': expected one of red, bl"),
        ('colour', ['red'], "Leaf.colour is ['red']: expected one of red"),
        ('colour', {}, 'Leaf.colour is {}: expected one of red, blue'),
        ('maybe', 'x', "Leaf.maybe is 'x': expected a whole number"),
        (
            'size',
            'green',
            'expected a whole number of at most 64 bits or one of red, blue',
        ),
        ('ids', 5, 'Leaf.ids is 5: expected a list'),
        ('ids', '12', "Leaf.ids is '12': expected a list"),
        ('ids', [1, 'x'], "Leaf.ids[1] is 'x': expected a whole number"),
        ('pins', [], 'Leaf.pins is []: expected a mapping'),
        ('pins', {'x': []}, "Leaf.pins has the key 'x': expected a whole nu"),
        ('pins', {'-1': []}, "Leaf.pins has the key '-1': expected a whole"),
        ('pins', {'²': []}, "Leaf.pins has the key '²': expected a whole"),
        ('pins', {True: []}, 'Leaf.pins has the key True: expected a whole'),
        ('pins', {'9' * 99: []}, "Leaf.pins has the key '99999"),
        ('pins', {'1': [], 1: []}, 'Leaf.pins has the key 1 twice'),
        ('pins', {'01': [], '1': []}, 'Leaf.pins has the key 1 twice'),
        ('pins', {'1': 7}, 'Leaf.pins[1] is 7: expected a list of CPU ids'),
        ('names', {1: 1}, 'Leaf.names has the key 1: expected a text'),
        ('names', {'a': 'b'}, "Leaf.names['a'] is 'b': expected a whole"),
        ('by_colour', {'x': 1}, "the key 'x': expected one of red, blue"),
    ],
)
def test_a_wrong_value_is_named(field: str, value: Any, message: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_leaf(**{field: value})
    assert message in str(caught.value)
    assert caught.value.path.startswith('Leaf')


@pytest.mark.parametrize(
    ('changed', 'message', 'path'),
    [
        ({'leaf': 5}, 'Branch.leaf is 5: expected a mapping', 'Branch.leaf'),
        ({'leaf': {}}, "Branch.leaf lacks the key 'number'", 'Branch.leaf'),
        (
            {'leaf': {'number': 'x'}},
            "Branch.leaf.number is 'x'",
            'Branch.leaf.number',
        ),
        (
            {'leaves': [GOOD, {'number': -1}]},
            'Branch.leaves[1]: number is negative',
            'Branch.leaves[1]',
        ),
        (
            {'leaves': [{'number': 1, 'pins': {'3': ['x']}}]},
            "Branch.leaves[0].pins[3]: 'x' is no CPU id",
            'Branch.leaves[0].pins[3]',
        ),
        (
            {'other': {'number': 1, 'numbr': 2}},
            "Branch.other has an unknown key 'numbr'",
            'Branch.other',
        ),
        (
            {'other': {'number': 1, 7: 2, None: 3}},
            'Branch.other has an unknown key 7',
            'Branch.other',
        ),
        (
            {'mixed': {'number': 'x'}},
            "Branch.mixed.number is 'x': expected a whole number",
            'Branch.mixed.number',
        ),
        (
            {'mixed': [1, 'x']},
            "Branch.mixed[1] is 'x': expected a whole number",
            'Branch.mixed[1]',
        ),
        (
            {'mixed': 5},
            'Branch.mixed is 5: expected a mapping with the keys number, ',
            'Branch.mixed',
        ),
        ({'mixed': None}, 'or a list or a text', 'Branch.mixed'),
    ],
)
def test_the_path_leads_to_what_is_wrong(
    changed: dict[str, Any], message: str, path: str
) -> None:
    with pytest.raises(ModelError) as caught:
        load_branch(**changed)
    assert message in str(caught.value)
    assert caught.value.path == path


def test_the_hint_of_a_constructor_is_kept() -> None:
    with pytest.raises(ModelError) as caught:
        load_leaf(number=-1)
    assert caught.value.hint == 'make it positive'


@pytest.mark.parametrize('version', [None, 0, 2, '1', 1.0, True, [1]])
def test_another_schema_version_is_refused(version: Any) -> None:
    data = {**GOOD, 'schema_version': version}
    with pytest.raises(
        ModelError, match='schema_version of Leaf is'
    ) as caught:
        load(Leaf, data, schema_version=1)
    assert 'the version of rtvirt that wrote it' in caught.value.hint


@pytest.mark.parametrize('data', [None, [], 'x', 5, [('schema_version', 1)]])
def test_what_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(ModelError, match=r'Leaf is .*: expected a mapping'):
        load(Leaf, data, schema_version=1)


def test_a_missing_key_takes_the_default() -> None:
    assert load(
        Leaf, {'schema_version': 1, 'number': 3}, schema_version=1
    ) == Leaf(number=3)


def test_a_whole_number_is_a_ratio() -> None:
    ratio = load_leaf(ratio=2).ratio
    assert (ratio, type(ratio)) == (2.0, float)


@pytest.mark.parametrize('value', [object(), {1}, b'x', [1], 1j])
def test_what_has_no_plain_form_is_a_slip_of_the_program(value: Any) -> None:
    with pytest.raises(TypeError, match='has no plain form'):
        dump({'a': (value,)})


def test_a_type_without_plain_form_is_a_slip_of_the_program() -> None:
    @dataclass
    class Odd:
        """A set has no place in JSON."""

        odd: set[int]

    with pytest.raises(TypeError, match=r'Odd\.odd is of type'):
        load(Odd, {'schema_version': 1, 'odd': [1]}, schema_version=1)


def places(data: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Yield each container, key and path of a tree of plain data."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data)
    for key, item in pairs:
        yield path, data, key
        if isinstance(item, dict | list):
            yield from places(item, f'{path}/{key}')


def names(path: str) -> list[str]:
    """Return the steps of a path, however it is written."""
    return re.findall(r'[^./\[\]\']+', path)


JUNK: list[Any] = [
    None,
    True,
    -1,
    10**40,
    1.5,
    'x',
    [],
    {},
    [[]],
    {'x': {}},
    [None],
]


@given(st.data(), st.sampled_from([plans, hosts]), st.sampled_from(JUNK))
def test_one_wrong_place_is_found(
    data: st.DataObject, kinds: st.SearchStrategy[Any], junk: Any
) -> None:
    value = data.draw(kinds)
    tree = {'schema_version': 1, **dump(value)}
    start = type(value).__name__
    where, container, key = data.draw(
        st.sampled_from(list(places(tree, start)))
    )
    assume(container[key] != junk)
    container[key] = junk
    try:
        loaded = load(type(value), tree, schema_version=1)
    except ModelError as error:
        found = names(error.path)
    else:
        # Another sound value, or one that a default or None stands for.
        assert dump(loaded)
        return
    wrong = [*names(where), str(key)]
    depth = min(len(found), len(wrong))
    assert found[:depth] == wrong[:depth]
