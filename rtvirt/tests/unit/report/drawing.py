# SPDX-License-Identifier: Apache-2.0
"""Read a picture back: what stands in it, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lxml import etree

from rtvirt.report.markup import SVG


@dataclass(frozen=True)
class Box:
    """A rectangle and its class."""

    kind: str
    x: float
    y: float
    width: float
    height: float

    def holds(self, other: Box) -> bool:
        """Whether another one is inside, but for rounding."""
        return (
            self.x - 0.2 <= other.x
            and self.y - 0.2 <= other.y
            and other.x + other.width <= self.x + self.width + 0.2
            and other.y + other.height <= self.y + self.height + 0.2
        )

    def meets(self, other: Box) -> bool:
        """Whether the two overlap, but for rounding."""
        return (
            self.x + 0.2 < other.x + other.width
            and other.x + 0.2 < self.x + self.width
            and self.y + 0.2 < other.y + other.height
            and other.y + 0.2 < self.y + self.height
        )


class Picture:
    """A picture that was parsed, by a parser that takes no entities."""

    def __init__(self, text: str) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        self.root = etree.fromstring(text.encode(), parser)
        self.width, self.height = (
            float(self.root.get(name, '')) for name in ('width', 'height')
        )

    def all(self, tag: str) -> list[etree._Element]:
        """Return all elements of a name."""
        return [*self.root.iter(f'{{{SVG}}}{tag}')]

    def boxes(self, kind: str) -> list[Box]:
        """Return the rectangles of a class that are drawn."""
        return [
            Box(
                kind=one.get('class', ''),
                **{
                    name: float(one.get(name, '0'))
                    for name in ('x', 'y', 'width', 'height')
                },
            )
            for one in self.all('rect')
            if kind in one.get('class', '').split()
        ]

    def tile(self, cpu: int) -> etree._Element:
        """Return the group that shows a pCPU."""
        (found,) = [
            group
            for group in self.all('g')
            if self.title_of(group).startswith(f'pCPU {cpu}:')
        ]
        return found

    def title_of(self, element: etree._Element) -> str:
        """Return what a screen reader says of it."""
        return element.findtext(f'{{{SVG}}}title') or ''

    def use_of(self, cpu: int) -> str:
        """Return the use that a pCPU is coloured for."""
        (rect, *_) = self.tile(cpu).iter(f'{{{SVG}}}rect')
        found = re.search(r'\bu-(\w+)', rect.get('class') or '')
        assert found
        return found.group(1)

    def texts(self) -> list[str]:
        """Return everything that is written."""
        return [''.join(one.itertext()) for one in self.all('text')]
