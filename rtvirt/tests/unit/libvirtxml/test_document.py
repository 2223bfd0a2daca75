# SPDX-License-Identifier: Apache-2.0
"""Documents: where their elements stand, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml import document
from rtvirt.libvirtxml.document import Document
from rtvirt.libvirtxml.document import Node

TEXT = """\
<?xml version="1.0"?>
<!-- é -->
<a xmlns:x='urn:x' one='1'
   two="&lt;&#10;">
  text <![CDATA[<&]]>&amp;
  <b/><b
  />
  <x:c x:three='3'>in<d/>side</x:c>
</a>
"""


def every(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from every(child)


@pytest.mark.parametrize('before', ['', '\ufeff'])
def test_elements_know_where_they_stand(before: str) -> None:
    made = Document(before + TEXT)
    assert made.source.decode() == before + TEXT
    assert [
        (node.tag, node.line, made.source[node.start : node.start + 2])
        for node in every(made.root)
    ] == [
        ('a', 3, b'<a'),
        ('b', 6, b'<b'),
        ('b', 6, b'<b'),
        ('{urn:x}c', 8, b'<x'),
        ('d', 8, b'<d'),
    ]
    assert [
        made.source[node.stop : node.stop + 2] for node in every(made.root)
    ] == [b'</', b'<b', b'\n ', b'</', b'si']


def test_attributes_and_text_are_read() -> None:
    root = Document(TEXT).root
    assert root.attributes == {'one': '1', 'two': '<\n'}
    assert root.text.split() == ['text', '<&&']
    assert root.one('{urn:x}c').attributes == {'urn:x}three': '3'}
    assert root.one('{urn:x}c').text == 'inside'


def test_children_are_found_by_name() -> None:
    root = Document(TEXT).root
    assert len(list(root.all('b'))) == 2
    assert root.only('c') is None
    with pytest.raises(DomainXMLError, match=r'line 6: <b> stands there a se'):
        root.only('b')
    with pytest.raises(DomainXMLError, match=r'line 3: <a> lacks .* <c>'):
        root.one('c')


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'line 1: not well-formed XML: no element found'),
        ('no XML', 'line 1: not well-formed XML: syntax error'),
        ('<a>\n<b></a>', 'line 2: not well-formed XML: mismatched tag'),
        ('<a/><b/>', 'line 1: not well-formed XML: junk after document'),
        ("<a b='1' b='2'/>", 'duplicate attribute'),
        ('<a>&none;</a>', 'undefined entity'),
        (
            '<a>\x01</a>',
            'not well-formed XML: not well-formed (invalid token)',
        ),
        ('<a>\0</a>', 'there are zero bytes'),
        ('<a>&#0;</a>', 'reference to invalid character number'),
        ('<x:a/>', 'unbound prefix'),
        ('<a>\ud800</a>', 'not XML in UTF-8: '),
        (b'<a>\xff</a>', 'not XML in UTF-8: '),
        ('<a/>'.encode('utf-16'), 'not XML in UTF-8: '),
        ('<a/>'.encode('utf-16-le'), 'there are zero bytes'),
        ("<?xml version='1.0' encoding='latin1'?><a/>", "encoding 'latin1'"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>", "encoding 'utf-16'"),
    ],
)
def test_what_is_no_xml_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(DomainXMLError) as caught:
        Document(text)
    assert message in str(caught.value)


@pytest.mark.parametrize('encoding', ['utf-8', 'UTF-8', 'US-ASCII'])
def test_utf8_may_be_declared(encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?><a/>'
    assert Document(text).root.tag == 'a'


BOMB = '<!DOCTYPE a [<!ENTITY b0 "ha">{}]><a>&b9;</a>'.format(
    ''.join(f'<!ENTITY b{n} "{f"&b{n - 1};" * 10}">' for n in range(1, 10))
)


@pytest.mark.parametrize(
    'doctype',
    [
        '<!DOCTYPE a>',
        '<!DOCTYPE a SYSTEM "file:///dev/zero">',
        '<!DOCTYPE a PUBLIC "-//A" "http://127.0.0.1/a.dtd">',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>',
        BOMB.replace('<a>&b9;</a>', ''),
    ],
)
def test_no_document_type_is_read(doctype: str) -> None:
    with pytest.raises(DomainXMLError, match='<!DOCTYPE'):
        Document(f'{doctype}<a>&x;</a>')


def test_nothing_is_included(tmp_path: Path) -> None:
    secret = tmp_path / 'secret'
    secret.write_text('secret')
    made = Document(
        '<a xmlns:xi="http://www.w3.org/2001/XInclude">'
        f'<xi:include href="{secret}" parse="text"/></a>'
    )
    assert [node.text for node in every(made.root)] == ['', '']


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('<a>' + 'x' * document.MAX_BYTES + '</a>', 'is longer than'),
        ('<a>' + 'é' * (document.MAX_BYTES // 2) + '</a>', 'is longer than'),
        (b' ' * (10 << 20), 'is longer than'),
        ('<a>' * 10**6, 'stands deeper than 64 elements'),
    ],
)
def test_too_much_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(DomainXMLError, match=message):
        Document(text)


def test_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, 'MAX_ELEMENTS', 4)
    assert Document('<a><b/><b/><b/></a>').root.tag == 'a'
    with pytest.raises(DomainXMLError, match='<c> is one more than 4 elem'):
        Document('<a><b/><b/><b/><c/></a>')


@pytest.mark.parametrize(
    'text',
    [
        '<a>' + '<b/>t' * 99_000 + '</a>',
        '<a>' + '&amp;' * 400_000 + '</a>',
        '<a ' + ' '.join(f'b{n}=""' for n in range(100_000)) + '/>',
        '<a>' + '<!-- -->' * 200_000 + '</a>',
    ],
    ids=['mixed', 'references', 'attributes', 'comments'],
)
def test_much_takes_time_in_proportion(text: str) -> None:
    """It ends: quadratic time would take minutes here."""
    assert Document(text).root.tag == 'a'


def test_deepest_that_is_read() -> None:
    depth = document.MAX_DEPTH
    assert Document('<a>' * depth + '</a>' * depth).root.tag == 'a'
    with pytest.raises(DomainXMLError):
        Document('<a>' * (depth + 1) + '</a>' * (depth + 1))
