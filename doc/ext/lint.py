# SPDX-License-Identifier: Apache-2.0
"""Write the reference of lint rules from the table that decides them.

``.. lint:: T`` writes the rules of a group, by the letter of their codes.
"""

from collections.abc import Iterator

from catalog import prose
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from rtvirt import plugins
from rtvirt.lint_rules.base import Rule
from rtvirt.lint_rules.run import table


def describe(rule: Rule) -> Iterator[str]:
    """Yield the lines of one entry."""
    yield f'.. describe:: {rule.code}'
    yield ''
    yield f'   **{prose(rule.title)}.** {prose(rule.why)}'
    yield ''
    fields = {
        'Severity': str(rule.severity),
        'Element': f'``{rule.subject}``',
        'Expects': prose(rule.expected),
        'Mend': prose(rule.mend),
        'Fixed by --fix': 'where it is certain' if rule.fix else 'no',
    }
    yield from (f'   :{name}: {text}' for name, text in fields.items())
    yield ''


class LintDirective(SphinxDirective):
    """Write the rules of one group."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the entries, in the order of their codes."""
        prefix = f'RL-{self.arguments[0]}'
        rows = table(plugins.lint_rules())
        lines = [
            line
            for code, rule in rows.items()
            if code.startswith(prefix)
            for line in describe(rule)
        ]
        if not lines:
            raise self.error(f'there is no group of rules {prefix}')
        return self.parse_text_to_nodes('\n'.join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directive."""
    app.add_directive('lint', LintDirective)
    return {'parallel_read_safe': True}
