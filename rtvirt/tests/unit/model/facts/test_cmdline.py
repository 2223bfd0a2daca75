# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cmdline import CommandLine
from rtvirt.model.facts.cmdline import parameter_meaning
from rtvirt.model.facts.cmdline import parse_boot_list
from rtvirt.model.facts.cmdline import parse_cmdline


def test_values_of_a_parameter() -> None:
    line = CommandLine('a=1 b a=2 dyndbg="file x.c +p" rcu-nocbs=1 -- a=3')
    assert line.values('a') == ('1', '2')
    assert line.value('a') == '2'
    assert line.value('b') == ''
    assert line.value('c') is None
    assert line.value('dyndbg') == 'file x.c +p'
    assert line.value('rcu_nocbs') == '1'


@pytest.mark.parametrize(
    ('parameter', 'has'),
    [
        ('tsc=reliable', True),
        ('tsc=unstable', False),
        ('mitigations', True),
        ('mitigations=auto', True),
        ('mitigations=nosmt', True),
        ('mitigations=aut', False),
        ('nosmt', False),
    ],
)
def test_has(parameter: str, has: bool) -> None:
    line = CommandLine('tsc=reliable mitigations=auto,nosmt')
    assert line.has(parameter) is has
    assert line.has('none', parameter) is has


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('2-4', '2-4'),
        ('all', '0-9'),
        ('4-N', '4-9'),
        ('N', '9'),
        ('0-9:1/3', '0,3,6,9'),
        ('1-6:2/4,9', '1-2,5-6,9'),
        ('', ''),
    ],
)
def test_lists_of_the_boot_loader(text: str, expected: str) -> None:
    assert parse_boot_list(text, 9) == CPUSet.parse(expected)


@pytest.mark.parametrize('text', ['x', '4-2', '0-9:3/2', '0-9:1/0', '0-9:1'])
def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r'.'):
        parse_boot_list(text, 9)


@pytest.mark.parametrize(
    'secret',
    [
        'rd.iscsi.password=abc',
        'rd.iscsi.in.password=abc',
        'netroot=iscsi:user:abc@10.0.0.1::3260',
        'x.api_key=abc',
        'MYTOKEN=abc',
        '-- --key abc',
    ],
)
def test_secrets_are_left_out(secret: str) -> None:
    line = parse_cmdline(f'quiet iommu.passthrough=1 {secret}\n')
    assert line.text == 'quiet iommu.passthrough=1'


@pytest.mark.parametrize(
    ('name', 'one', 'other', 'alike'),
    [
        ('irqaffinity', '0,1', '0-1', True),
        ('irqaffinity', '0,1', '0-2', False),
        ('nohz_full', '2-N', '2-7', True),
        ('rcu_nocbs', 'all', '0-7', True),
        ('isolcpus', 'domain,managed_irq,2,3', 'managed_irq,domain,2-3', True),
        ('isolcpus', 'domain,2-3', 'managed_irq,domain,2-3', False),
        ('isolcpus', '2-', '2-', True),
        ('isolcpus', '2-', '2-3', False),
        ('isolcpus', '', '2-3', False),
        ('hugepages', '0-1', '0,1', False),
    ],
)
def test_values_that_mean_the_same(
    name: str, one: str, other: str, alike: bool
) -> None:
    meanings = [parameter_meaning(name, text, 7) for text in (one, other)]
    assert (meanings[0] == meanings[1]) is alike
