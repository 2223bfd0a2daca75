# SPDX-License-Identifier: Apache-2.0
"""Write the reference of host checks from the table that decides them.

``.. checks:: B`` writes the checks of a group, by the letter of their codes.
"""

import re
from collections.abc import Iterator

from catalog import prose
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from rtvirt import plugins
from rtvirt.checks.base import Check
from rtvirt.checks.run import table

_PATH = re.compile(r'/[\w./*-]*[\w*]')


def describe(check: Check) -> Iterator[str]:
    """Yield the lines of one entry."""
    yield f'.. describe:: {check.code}'
    yield ''
    yield f'   **{prose(check.title)}.** {prose(check.why)}'
    yield ''
    reads = ', '.join(_literal(path) for path in check.reads)
    takes = f' ({check.safety})' if check.safety else ''
    fields = {
        'Severity': str(check.severity),
        'Profile': ', '.join(sorted(check.profiles)),
        'Reads': reads,
        'Expects': prose(check.expected),
        'Mend': f'{prose(check.mend)}{takes}',
        'Source': prose(check.source),
    }
    yield from (f'   :{name}: {text}' for name, text in fields.items())
    yield ''


def _literal(text: str) -> str:
    """Return what a check reads, its path in code."""
    match = _PATH.match(text)
    if match is None:
        return prose(text)
    return f'``{match[0]}``\\ {prose(text[match.end() :])}'


class ChecksDirective(SphinxDirective):
    """Write the checks of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries, in the order of their codes."""
        prefix = f'RT-{self.arguments[0]}'
        rows = table(plugins.host_checks())
        lines = [
            line
            for code, check in rows.items()
            if code.startswith(prefix)
            for line in describe(check)
        ]
        if not lines:
            raise self.error(f'there is no group of checks {prefix}')
        return self.parse_text_to_nodes('\n'.join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive('checks', ChecksDirective)
    return {'parallel_read_safe': True}
