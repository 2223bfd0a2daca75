# SPDX-License-Identifier: Apache-2.0
"""Write the reference of extra specs from the tables the parser has.

``.. catalog:: own``, ``nova``, ``image`` or ``known`` writes the part of
the catalogue that the word names, ``.. deviations::`` the differences from
nova, and ``.. fit-deviations::`` those of the fit.
"""

import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import ClassVar
from typing import Final

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.util.typing import OptionSpec

from rtvirt.extraspecs.catalog import SPECS
from rtvirt.extraspecs.deviation import DEVIATIONS
from rtvirt.extraspecs.deviation import Deviation
from rtvirt.extraspecs.spec import Role
from rtvirt.extraspecs.spec import Spec
from rtvirt.fitting.deviation import FIT_DEVIATIONS
from rtvirt.fitting.deviation import FitDeviation

PARTS: Final[dict[str, Callable[[Spec], bool]]] = {
    'own': lambda spec: spec.name.startswith('rtvirt:'),
    'nova': lambda spec: (
        not spec.is_image
        and not spec.name.startswith('rtvirt:')
        and spec.role is Role.RTVIRT
    ),
    # One that says the same as an extra spec is named there.
    'image': lambda spec: (
        spec.is_image and not spec.twin and spec.role is Role.RTVIRT
    ),
    'known': lambda spec: spec.role is Role.NOVA,
}

_CODE = re.compile(
    r'<[^<>]+>|\b(?:hw|rtvirt|quota|resources|trait)[:_][\w.]*\w'
)


def readable(name: str) -> str:
    """Return a name as the page shows it."""
    return name.replace('{cell}', 'N').replace('{group}', '[N]')


def prose(text: str) -> str:
    """Return plain text as reST, with names and elements in code."""
    pieces = []
    end = 0
    for code in _CODE.finditer(text):
        pieces.append(re.sub(r'([\\*`|_])', r'\\\1', text[end : code.start()]))
        pieces.append(f'``{code[0]}``\\ ')
        end = code.end()
    pieces.append(re.sub(r'([\\*`|_])', r'\\\1', text[end:]))
    return ''.join(pieces)


def describe(spec: Spec) -> Iterator[str]:
    """Yield the lines of one entry."""
    yield f'.. describe:: {readable(spec.name)}'
    yield ''
    yield f'   {prose(spec.description)}'
    yield ''
    fields = {
        'Value': prose(spec.expected),
        'Default': f'``{spec.default}``' if spec.default else '',
        'Image property': f'``{readable(spec.twin)}``' if spec.twin else '',
        'In rtvirt': prose(spec.effect),
        'Since': spec.since,
        'Source': '' if spec.source == 'rtvirt' else f'``{spec.source}``',
    }
    yield from (f'   :{name}: {text}' for name, text in fields.items() if text)
    yield ''


class Catalog(SphinxDirective):
    """``.. catalog:: PART``."""

    required_arguments = 1
    option_spec: ClassVar[OptionSpec] = {'names-only': directives.flag}

    def run(self) -> list[nodes.Node]:
        """Return the entries of the part."""
        is_part = PARTS[self.arguments[0]]
        specs = [spec for spec in SPECS if is_part(spec)]
        if 'names-only' in self.options:
            lines = [f'* ``{readable(spec.name)}``' for spec in specs]
        else:
            lines = [line for spec in specs for line in describe(spec)]
        return self.parse_text_to_nodes('\n'.join(lines))


def contrast(deviation: Deviation) -> Iterator[str]:
    """Yield the lines of one difference from nova."""
    names = [f'``{readable(name)}``' for name in deviation.names]
    yield ', '.join(names) or 'All'
    yield from _sides(deviation)


def fit_contrast(deviation: FitDeviation) -> Iterator[str]:
    """Yield the lines of one difference from nova's fit."""
    yield f'``{deviation.code}``'
    yield from _sides(deviation)


def _sides(deviation: Deviation | FitDeviation) -> Iterator[str]:
    yield f'   :nova: {prose(deviation.nova)}'
    yield f'   :rtvirt: {prose(deviation.rtvirt)}'
    yield f'   :Because: {prose(deviation.reason)}'
    yield ''


class Deviations(SphinxDirective):
    """``.. deviations::``."""

    def run(self) -> list[nodes.Node]:
        """Return all differences."""
        return self.parse_text_to_nodes(
            '\n'.join(line for each in DEVIATIONS for line in contrast(each))
        )


class FitDeviations(SphinxDirective):
    """``.. fit-deviations::``."""

    def run(self) -> list[nodes.Node]:
        """Return all differences."""
        lines = [line for one in FIT_DEVIATIONS for line in fit_contrast(one)]
        return self.parse_text_to_nodes('\n'.join(lines))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directives."""
    app.add_directive('catalog', Catalog)
    app.add_directive('deviations', Deviations)
    app.add_directive('fit-deviations', FitDeviations)
    return {'parallel_read_safe': True}
