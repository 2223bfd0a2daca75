# SPDX-License-Identifier: Apache-2.0
"""Configurators together."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.configurators.base import shared_path
from rtvirt.configurators.builder import build
from rtvirt.configurators.builder import check
from rtvirt.exception import PluginError
from rtvirt.libvirtxml.document import Document
from rtvirt.libvirtxml.document import Node
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.plan import Plan
from rtvirt.plugins import configurators
from rtvirt.tests.plans import make_plan
from rtvirt.tests.plans import plans
from rtvirt.tests.unit.configurators.rendering import NOVA
from rtvirt.tests.unit.configurators.rendering import ODD
from rtvirt.tests.unit.configurators.rendering import PLAIN

ALL = configurators()

texts = st.sampled_from([PLAIN, NOVA, ODD]).flatmap(
    lambda text: st.sampled_from([text, text.replace('"kvm"', '"qemu"')])
)


def apply(plan: Plan, text: str, them: Any = ALL) -> str:
    domain = parse_domain(text)
    build(plan, domain, them)
    return domain.to_xml()


@given(plan=plans(), text=texts, seed=st.integers(0, 1 << 32))
def test_order_makes_no_difference(plan: Plan, text: str, seed: int) -> None:
    shuffled = random.Random(seed).sample(ALL, len(ALL))
    assert apply(plan, text, shuffled) == apply(plan, text)
    one, two = (Domain(virt_type='kvm', name='x') for _ in range(2))
    build(plan, one, ALL)
    build(plan, two, shuffled)
    assert one.to_xml() == two.to_xml()


@given(plan=plans(), text=texts)
def test_twice_is_once(plan: Plan, text: str) -> None:
    once = apply(plan, text)
    assert apply(plan, once) == once
    assert plan_of(parse_domain(once)) == plan


@given(plan=plans(), text=texts)
def test_each_alone_after_the_other_is_all_together(
    plan: Plan, text: str
) -> None:
    step_by_step = text
    for configurator in ALL:
        step_by_step = apply(plan, step_by_step, [configurator])
    assert parse_domain(step_by_step) == parse_domain(apply(plan, text))


PLACEMENT = (
    'memory_kib',
    'memory_backing',
    'iothreads',
    'numatune',
    'plan',
)


@given(first=plans(), last=plans(), text=texts)
def test_the_last_plan_places(first: Plan, last: Plan, text: str) -> None:
    """Nothing is left of where an earlier plan had things."""
    one = parse_domain(apply(last, apply(first, text)))
    two = parse_domain(apply(last, text))
    for name in PLACEMENT:
        assert getattr(one, name) == getattr(two, name)
    for name in ('vcpupins', 'emulatorpin', 'iothreadpins', 'vcpuscheds'):
        assert getattr(one.cputune, name) == getattr(two.cputune, name)
    assert one.cpu.cells.keys() == two.cpu.cells.keys()
    assert one.cpu.topology == two.cpu.topology


@given(plan=plans(), text=texts)
def test_each_writes_what_it_owns_alone(plan: Plan, text: str) -> None:
    before = Document(text)
    for configurator in ALL:
        after = Document(apply(plan, text, [configurator]))
        owns = configurator.owns
        assert content(before, owns) == content(after, owns), configurator


def content(document: Document, owned: frozenset[str]) -> list[Any]:
    """Return all of a document that does not stand on an owned path.

    An element is there if it or something in it is.
    """

    def walk(node: Node, path: str) -> list[Any]:
        where = f'{path}/{node.tag}' if path else node.tag
        # Timers and the like are told apart by their names.
        named = f'{where}/{node.attributes.get("name")}'
        if where in owned or named in owned:
            return []
        attributes = [
            (where, name, value)
            for name, value in node.attributes.items()
            if f'{where}/@{name}' not in owned
        ]
        inner = [it for child in node.children for it in walk(child, where)]
        return [*attributes, *inner, (where, node.text.strip())]

    found = [it for child in document.root.children for it in walk(child, '')]
    # Bare elements around what is owned come and go with it.
    return [
        it
        for it in found
        if it[1:] != ('',)
        or not any(path.startswith(f'{it[0]}/') for path in owned)
    ]


def test_the_built_in_ones_are_disjoint() -> None:
    check(ALL)
    assert len(ALL) >= 10


class Owner:
    def __init__(self, *owns: str) -> None:
        self.owns = frozenset(owns)

    def configure(self, plan: Plan, domain: Domain) -> None:
        domain.iothreads = 1


class Rival(Owner):
    pass


@pytest.mark.parametrize(
    ('one', 'two', 'path'),
    [
        (['cputune'], ['cputune'], 'cputune'),
        (['cputune/vcpupin'], ['cputune'], 'cputune/vcpupin'),
        (['cputune'], ['a', 'cputune/vcpupin'], 'cputune/vcpupin'),
        (['cputune/a'], ['cputune/b', 'cputun'], ''),
        (['cpu'], ['cputune'], ''),
    ],
)
def test_overlap(one: list[str], two: list[str], path: str) -> None:
    assert shared_path(one, two) == path
    pair = [Owner(*one), Rival(*two)]
    if not path:
        check(pair)
        return
    with pytest.raises(PluginError) as caught:
        check(pair)
    assert str(caught.value) == f'Owner and Rival both own {path}'
    assert caught.value.name == 'Rival'


def test_the_talk() -> None:
    """What "Keeping it real (time)" shows under the hood of rt1.small."""
    domain = Domain(virt_type='kvm', name='rt1')
    build(make_plan(), domain, ALL)
    text = domain.to_xml()
    for line in (
        "<vcpupin vcpu='0' cpuset='2'/>",
        "<vcpupin vcpu='1' cpuset='3'/>",
        "<vcpupin vcpu='2' cpuset='4'/>",
        "<vcpupin vcpu='3' cpuset='5'/>",
        "<emulatorpin cpuset='2-3'/>",
        "<vcpusched vcpus='2-3' scheduler='fifo' priority='1'/>",
        "<page size='1048576' unit='KiB' nodeset='0'/>",
        '<nosharepages/>',
        '<locked/>',
    ):
        assert text.count(line) == 1
    assert text.count('<vcpusched') == text.count('<page ') == 1
