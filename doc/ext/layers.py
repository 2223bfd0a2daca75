# SPDX-License-Identifier: Apache-2.0
"""Write the table of layers from import-linter's contract.

``.. layers:: PICTURE`` takes the packages and modules from
``pyproject.toml`` and says of each the first sentence of its docstring. A
package that is missing there, or in the picture, fails the build, and so does
a name in either that does not exist.
"""

import ast
import pathlib
import re
import tomllib
from collections.abc import Iterator

from docutils import nodes
from lxml import etree
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

TOP = pathlib.Path(__file__).parent.parent.parent


def read_layers() -> list[list[str]]:
    """Return the layers from the highest, each a list of module names."""
    project = tomllib.loads((TOP / 'pyproject.toml').read_text())
    (contract,) = (
        each
        for each in project['tool']['importlinter']['contracts']
        if each['type'] == 'layers'
    )
    return [layer.split(' | ') for layer in contract['layers']]


def read_tree() -> set[str]:
    """Return the packages and modules that rtvirt is made of."""
    return {
        f'rtvirt.{path.stem}'
        for path in (TOP / 'rtvirt').iterdir()
        if path.suffix == '.py' or (path / '__init__.py').exists()
        if path.stem not in {'__init__', '__main__', 'tests'}
    }


def read_picture(picture: str | pathlib.Path) -> set[str]:
    """Return the packages and modules that a picture names."""
    return {
        f'rtvirt.{element.text}'
        for element in etree.parse(picture).iter()
        if element.get('class') == 'by'
    }


def exists(module: str) -> bool:
    """Whether there is a package or a module of this name."""
    path = TOP.joinpath(*module.split('.'))
    return path.with_suffix('.py').exists() or path.is_dir()


def find_strays(picture: str | pathlib.Path) -> Iterator[str]:
    """Yield in what the contract, the tree and the picture differ."""
    contract = {name for layer in read_layers() for name in layer}
    tree = read_tree()
    drawn = read_picture(picture)
    for name in sorted(tree ^ contract):
        where = 'no layer' if name in tree else 'a layer, and does not exist'
        yield f'{name} is in {where}: see pyproject.toml'
    for name in sorted(tree - drawn):
        yield f'{name} is missing in the picture'
    for name in sorted(drawn):
        if not exists(name):
            yield f'{name} is in the picture, and does not exist'


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
    """``.. layers:: PICTURE``."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        _, picture = self.env.relfn2path(self.arguments[0])
        self.env.note_dependency(picture)
        strays = list(find_strays(picture))
        if strays:
            raise self.error('\n'.join(strays))
        return self.parse_text_to_nodes('\n'.join(rows()))


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directive."""
    app.add_directive('layers', Layers)
    return {'parallel_read_safe': True}
