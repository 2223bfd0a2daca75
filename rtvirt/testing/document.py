# SPDX-License-Identifier: Apache-2.0
"""Domain documents: written to a file, and compared."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import fixtures

import rtvirt


class DomainFile(fixtures.Fixture):
    """A file that holds the XML of a planned domain.

    :ivar path: the file; it goes when the test ends.
    :param options: those of :func:`rtvirt.domain_xml`.

    >>> plan = rtvirt.fit(rtvirt.parse_guest(realtime_flavor()), edge_host())
    >>> with DomainFile(plan, name='plc-1') as file:
    ...     rtvirt.parse_domain(file.path.read_bytes()).name
    'plc-1'
    """

    path: Path

    def __init__(
        self, plan: rtvirt.Plan, *, name: str = 'guest', **options: Any
    ) -> None:
        super().__init__()
        self._text = rtvirt.domain_xml(plan, name=name, **options)

    def _setUp(self) -> None:  # noqa: N802 - the name that fixtures calls
        directory = self.useFixture(fixtures.TempDir())
        self.path = Path(directory.path, 'domain.xml')
        self.path.write_text(self._text, encoding='utf-8')


def assert_same_domain(actual: str | bytes, expected: str | bytes) -> None:
    """Fail unless two domain documents say the same.

    The order of attributes and white space between elements do not count.
    The failure shows the lines that differ:

    >>> with FakeHost() as host:
    ...     _ = host.place(realtime_flavor(), name='plc-1')
    ...     xml = host.domain_xml('plc-1')
    >>> assert_same_domain(xml, xml.replace("priority='1'", "priority='9'"))
    Traceback (most recent call last):
    ...
    AssertionError: the domains differ, - expected, + actual:
    @@ cputune @@
    -    <vcpusched priority="9" scheduler="fifo" vcpus="2-3" />
    +    <vcpusched priority="1" scheduler="fifo" vcpus="2-3" />

    :raises DomainXMLError: if one of them is no domain.
    """
    wanted, found = _lines(expected), _lines(actual)
    if found == wanted:
        return
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    shown = ['the domains differ, - expected, + actual:']
    for kind, low, high, start, end in matcher.get_opcodes():
        if kind != 'equal':
            shown.append(f'@@ {_parent(wanted, low)} @@')
            shown += [f'-{line}' for line in wanted[low:high]]
            shown += [f'+{line}' for line in found[start:end]]
    raise AssertionError('\n'.join(shown))


def _lines(document: str | bytes) -> list[str]:
    # Refuses what is no domain, and entities.
    rtvirt.parse_domain(document)
    root = ElementTree.fromstring(  # noqa: S314 - it has none
        ElementTree.canonicalize(document, strip_text=True)
    )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='unicode').splitlines()


def _parent(lines: list[str], number: int) -> str:
    """Return the name of the element that a line is in."""
    depth = _depth(lines[min(number, len(lines) - 1)])
    for line in reversed(lines[:number]):
        if _depth(line) < depth:
            return line.strip(' </>').split(' ')[0]
    return 'domain'


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
