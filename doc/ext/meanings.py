# SPDX-License-Identifier: Apache-2.0
"""Write what libvirt's errors mean, from the table that decides it.

``.. meanings::`` lists each message that a test of the table has, as
libvirt or QEMU worded it, with what a user of rtvirt reads in its place.
"""

import re
from collections.abc import Iterator

from catalog import prose
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from rtvirt.host.meaning import explain_error
from rtvirt.tests.libvirt_messages import MESSAGES


def describe(message: str) -> Iterator[str]:
    """Yield the lines of one entry."""
    line = ' '.join(message.split())
    meaning = explain_error(message)
    # What QEMU was given differs from guest to guest, and breaks no line.
    shown = re.sub(r'\{[^}]*\}', '{...}', line)
    yield f'``{shown}``'
    text = _without_quote(meaning.text, line)
    if not text.startswith(('libvirt', 'ssh')):
        text = text[:1].upper() + text[1:]
    yield f'   {prose(text)}.'
    if meaning.hint:
        yield ''
        yield f'   *Way out:* {prose(meaning.hint)}.'
    yield ''


def _without_quote(text: str, line: str) -> str:
    """Return what a message means, without the message behind it.

    It stands there in brackets, and may have brackets of its own, as what
    is before it may.
    """
    places = [match.end() for match in re.finditer(r' \(', text)]
    quote = next(at for at in places if line.endswith(text[at:-1]))
    return text[: quote - 2]


class Meanings(SphinxDirective):
    """``.. meanings::``."""

    def run(self) -> list[nodes.Node]:
        """Return the entries, in the order of the table."""
        lines = [line for one in MESSAGES for line in describe(one.message)]
        return self.parse_text_to_nodes('\n'.join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directive."""
    app.add_directive('meanings', Meanings)
    return {'parallel_read_safe': True}
