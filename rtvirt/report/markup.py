# SPDX-License-Identifier: Apache-2.0
"""Trees of SVG and HTML, which no text can break out of."""

from __future__ import annotations

from typing import Final

from lxml import etree

Child = str | etree._Element | None
"""What an element holds: text, another element, or nothing."""

Value = str | int | float | None
"""What an attribute is; None leaves it out."""

SVG: Final = 'http://www.w3.org/2000/svg'


def svg(tag: str, *children: Child, **attributes: Value) -> etree._Element:
    """Return an element of SVG.

    :param children: texts and elements in their order.
    :param attributes: ``_`` in a name stands for ``-``, and one at the end
        for nothing: ``class_``, ``stroke_width``. Numbers are rounded to a
        tenth.
    """
    made = etree.Element(f'{{{SVG}}}{tag}', nsmap={None: SVG})
    return _fill(made, children, attributes)


def html(tag: str, *children: Child, **attributes: Value) -> etree._Element:
    """Return an element of HTML; as :func:`svg`."""
    return _fill(etree.Element(tag), children, attributes)


def to_text(root: etree._Element) -> str:
    """Return a tree of SVG as a file that stands alone."""
    etree.cleanup_namespaces(root)
    text: str = etree.tostring(root, encoding='unicode', pretty_print=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'


def to_page(root: etree._Element) -> str:
    """Return a tree of HTML, and of SVG in it, as a page."""
    etree.cleanup_namespaces(root)
    text: str = etree.tostring(
        root, encoding='unicode', method='html', doctype='<!DOCTYPE html>'
    )
    return f'{text}\n'


def clean(text: str) -> str:
    """Replace what XML cannot hold, or what would turn the text around."""
    return ''.join(
        char if char.isprintable() or char == '\n' else '\ufffd'
        for char in text
    )


def _fill(
    made: etree._Element,
    children: tuple[Child, ...],
    attributes: dict[str, Value],
) -> etree._Element:
    for name, value in attributes.items():
        if value is not None:
            made.set(name.rstrip('_').replace('_', '-'), _format(value))
    for child in children:
        if isinstance(child, str):
            _append_text(made, clean(child))
        elif child is not None:
            made.append(child)
    return made


def _append_text(made: etree._Element, text: str) -> None:
    if len(made):
        made[-1].tail = (made[-1].tail or '') + text
    else:
        made.text = (made.text or '') + text


def _format(value: str | float) -> str:
    if isinstance(value, str):
        return clean(value)
    return f'{value:.1f}'.removesuffix('.0')
