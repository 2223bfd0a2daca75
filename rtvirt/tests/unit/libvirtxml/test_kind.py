# SPDX-License-Identifier: Apache-2.0
"""Single values: numbers, sets of CPUs, sizes, words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.kind import BODY
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import ON_OFF
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.kind import YES_NO
from rtvirt.libvirtxml.kind import Kind
from rtvirt.libvirtxml.kind import to_kib
from rtvirt.model.cpuset import CPUSet


def refuses(call: Callable[[], object]) -> bool:
    """Whether a call raises ValueError, which tells nothing more here."""
    try:
        call()
    except ValueError:
        return True
    return False


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('0', 0),
        ('-1', -1),
        ('+5', 5),
        (' 7\n', 7),
        ('18446744073709551615',) * 2,
    ],
)
def test_numbers_are_read_as_libvirt_reads_them(
    text: str, value: int | str
) -> None:
    assert INT.read(text) == int(value)


@pytest.mark.parametrize(
    'text', ['', ' ', '1.0', '0x1', '1_0', '٣', '1 2', '9' * 10**6, '--1']
)
def test_no_number(text: str) -> None:
    assert refuses(lambda: INT.read(text))


@pytest.mark.parametrize(
    ('text', 'cpus'),
    [
        ('0', {0}),
        ('0-3,8', {0, 1, 2, 3, 8}),
        (' 0 - 3 , 5', {0, 1, 2, 3, 5}),
        ('0-3,^2', {0, 1, 3}),
        # From left to right, where nova's lists give 0, 1 and 3.
        ('0-3,^2,2', {0, 1, 2, 3}),
    ],
)
def test_cpus_are_read_as_libvirt_reads_them(
    text: str, cpus: set[int]
) -> None:
    assert CPUS.read(text) == cpus


@pytest.mark.parametrize('text', ['', ',', '^1', '0,^0', '5-', 'a', '3-1'])
def test_no_cpus(text: str) -> None:
    assert refuses(lambda: CPUS.read(text))


def test_no_cpus_are_never_written() -> None:
    with pytest.raises(DomainXMLError, match='empty set'):
        CPUS.write(CPUSet())


@pytest.mark.parametrize('kind', [ON_OFF, YES_NO])
def test_switches(kind: Kind[bool]) -> None:
    assert kind.read(kind.write(True)) is True
    assert kind.read(kind.write(False)) is False
    for text in ('', 'On', 'true', '1'):
        assert refuses(functools.partial(kind.read, text))


@pytest.mark.parametrize(
    ('number', 'unit', 'kib'),
    [
        (4096, 'b', 4),
        (1, 'bytes', 1),
        (1025, 'byte', 2),
        (1, 'KiB', 1),
        (1, 'k', 1),
        (1, 'KB', 1),
        (1000, 'kb', 977),
        (2, 'M', 2048),
        (2, 'MiB', 2048),
        (1, 'GiB', 1 << 20),
        (1, 'GB', 976563),
        (1, 'T', 1 << 30),
        (1, 'PiB', 1 << 40),
        (1, 'EiB', 1 << 50),
        (0, 'KiB', 0),
    ],
)
def test_sizes_are_those_of_libvirt(number: int, unit: str, kib: int) -> None:
    assert to_kib(number, unit) == kib


@pytest.mark.parametrize(
    ('number', 'unit'), [(-1, 'KiB'), (1, ''), (1, 'ki'), (1, 'gigabyte')]
)
def test_no_size(number: int, unit: str) -> None:
    assert refuses(lambda: to_kib(number, unit))


legal = st.text(
    st.characters(codec='utf-8', exclude_characters='\ufffe\uffff').filter(
        lambda it: it >= ' ' or it in '\t\n\r'
    )
)


@given(legal)
def test_text_is_escaped(text: str) -> None:
    for quote in '\'"':
        markup = (
            f'<a b={quote}{TEXT.write(text)}{quote}>{BODY.write(text)}</a>'
        )
        root = ElementTree.fromstring(markup)
        assert root.get('b') == text
        assert (root.text or '') == text
    assert "'" not in BODY.write(text)


@given(
    st.text(), st.sampled_from('\0\x01\x08\x0b\x1f\ud800\udfff\ufffe\uffff')
)
def test_what_xml_cannot_hold_is_refused(text: str, illegal: str) -> None:
    for kind in (TEXT, BODY):
        with pytest.raises(DomainXMLError):
            kind.write(text + illegal)
