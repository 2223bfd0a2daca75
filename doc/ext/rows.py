# SPDX-License-Identifier: Apache-2.0
"""Write the references of tables from the rows that decide.

``.. checks:: B``, ``.. lint:: T`` and ``.. verify:: M`` write the rows of a
group, by the letter of their codes.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import ClassVar

from catalog import prose
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from rtvirt import plugins
from rtvirt.checks.base import Check
from rtvirt.lint_rules.base import Rule
from rtvirt.verifiers.base import Verifier

_PATH = re.compile(r'/[\w./*-]*[\w*]')


def check_fields(check: Check) -> dict[str, str]:
    """Return what is said of a check."""
    takes = f' ({check.safety})' if check.safety else ''
    return {
        'Profile': ', '.join(sorted(check.profiles)),
        'Reads': ', '.join(_literal(path) for path in check.reads),
        'Expects': prose(check.expected),
        'Mend': f'{prose(check.mend)}{takes}',
        'Source': prose(check.source),
    }


def rule_fields(rule: Rule) -> dict[str, str]:
    """Return what is said of a lint rule."""
    return {
        'Element': f'``{rule.subject}``',
        'Expects': prose(rule.expected),
        'Mend': prose(rule.mend),
        'Fixed by --fix': 'where it is certain' if rule.fix else 'no',
    }


def verifier_fields(_: Verifier) -> dict[str, str]:
    """Return what is said of a verifier besides why."""
    return {}


def _literal(text: str) -> str:
    """Return what a check reads, its path in code."""
    match = _PATH.match(text)
    if match is None:
        return prose(text)
    return f'``{match[0]}``\\ {prose(text[match.end() :])}'


class Rows(SphinxDirective):
    """Write the rows of one group, in the order of their codes.

    :cvar prefix: what their codes begin with.
    :cvar load: what returns the plug-ins of their namespace.
    :cvar fields: what is said of a row besides its title and why.
    """

    required_arguments = 1
    prefix: ClassVar[str]
    load: ClassVar[Callable[[], Iterable[object]]]
    fields: ClassVar[Callable[[Any], dict[str, str]]]

    def run(self) -> list[nodes.Node]:
        """Return the entries."""
        code = f'{self.prefix}-{self.arguments[0]}'
        # A plug-in that is a function has no rows.
        rows = [
            row
            for group in type(self).load()
            if isinstance(group, tuple)
            for row in group
            if row.code.startswith(code)
        ]
        if not rows:
            raise self.error(f'there is no group {code}')
        rows.sort(key=lambda row: row.code)
        lines = [line for row in rows for line in self.describe(row)]
        return self.parse_text_to_nodes('\n'.join(lines))

    def describe(self, row: Check | Rule | Verifier) -> Iterator[str]:
        """Yield the lines of one entry."""
        yield f'.. describe:: {row.code}'
        yield ''
        yield f'   **{prose(row.title)}.** {prose(row.why)}'
        yield ''
        yield f'   :Severity: {row.severity}'
        fields = type(self).fields(row)
        yield from (f'   :{name}: {text}' for name, text in fields.items())
        yield ''


class CheckRows(Rows):
    """``.. checks:: LETTER``."""

    prefix = 'RT'
    load = plugins.host_checks
    fields = check_fields


class RuleRows(Rows):
    """``.. lint:: LETTER``."""

    prefix = 'RL'
    load = plugins.lint_rules
    fields = rule_fields


class VerifierRows(Rows):
    """``.. verify:: LETTER``."""

    prefix = 'RV'
    load = plugins.verifiers
    fields = verifier_fields


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directives."""
    app.add_directive('checks', CheckRows)
    app.add_directive('lint', RuleRows)
    app.add_directive('verify', VerifierRows)
    return {'parallel_read_safe': True}
