# SPDX-License-Identifier: Apache-2.0
"""Write the reference of verifiers from the table that decides them.

``.. verify:: T`` writes the verifiers of a group, by the letter of their
codes.
"""

from collections.abc import Iterator

from catalog import prose
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from rtvirt import plugins
from rtvirt.verifiers.base import Verifier
from rtvirt.verifiers.base import VerifierGroup


def describe(row: Verifier) -> Iterator[str]:
    """Yield the lines of one entry."""
    yield f'.. describe:: {row.code}'
    yield ''
    yield f'   **{prose(row.title)}.** {prose(row.why)}'
    yield ''
    yield f'   :Severity: {row.severity}'
    yield ''


class VerifyDirective(SphinxDirective):
    """Write the verifiers of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries, in the order of their codes."""
        prefix = f'RV-{self.arguments[0]}'
        rows = [
            row
            for group in plugins.verifiers()
            if isinstance(group, VerifierGroup)
            for row in group
            if row.code.startswith(prefix)
        ]
        if not rows:
            raise self.error(f'there is no group of verifiers {prefix}')
        rows.sort(key=lambda row: row.code)
        lines = [line for row in rows for line in describe(row)]
        return self.parse_text_to_nodes('\n'.join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive('verify', VerifyDirective)
    return {'parallel_read_safe': True}
