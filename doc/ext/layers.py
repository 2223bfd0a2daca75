# SPDX-License-Identifier: Apache-2.0
"""Write the table of layers from import-linter's contract.

``.. layers::`` takes the packages and modules from ``pyproject.toml`` and
says of each the first sentence of its docstring.
"""

import ast
import pathlib
import re
import tomllib
from collections.abc import Iterator

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

TOP = pathlib.Path(__file__).parent.parent.parent


def read_layers() -> list[list[str]]:
    """Return the layers from the highest, each a list of module names.

    What stands in parentheses there may be missing, and is left out here.
    """
    project = tomllib.loads((TOP / 'pyproject.toml').read_text())
    (contract,) = (
        each
        for each in project['tool']['importlinter']['contracts']
        if each['type'] == 'layers'
    )
    return [
        [name for name in layer.split(' | ') if not name.startswith('(')]
        for layer in contract['layers']
    ]


def summary(module: str) -> str:
    """Return what a module says about itself, without importing it."""
    path = TOP.joinpath(*module.split('.'))
    source = path / '__init__.py' if path.is_dir() else path.with_suffix('.py')
    text = ast.get_docstring(ast.parse(source.read_text())) or ''
    line = text.partition('\n')[0]
    said = re.sub(r'^Layer \d: ', '', line)
    return said if said == line else said[:1].upper() + said[1:]


def rows() -> Iterator[str]:
    """Yield the lines of the table."""
    yield '.. list-table::'
    yield '   :widths: 25 75'
    yield ''
    for layer in read_layers():
        for module in layer:
            yield f'   * - ``{module.removeprefix("rtvirt.")}``'
            yield f'     - {summary(module)}'


class Layers(SphinxDirective):
    """``.. layers::``."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return self.parse_text_to_nodes('\n'.join(rows()))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directive."""
    app.add_directive('layers', Layers)
    return {'parallel_read_safe': True}
