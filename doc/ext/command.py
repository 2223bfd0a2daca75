# SPDX-License-Identifier: Apache-2.0
"""Show an rtvirt command and what it really prints.

The directive runs the command while the documentation is built, in
``etc/rtvirt``, where the sample flavors and hosts are::

    .. rtvirt:: plan --flavor flavors/rt1.small.yaml --host hosts/edge-8.xml
       :exit: 4

A command that ends otherwise than ``:exit:`` says (default 0) fails the
build. With ``:picture:``, the option that names a file to draw into, the
picture stands below the output; ``:quiet:`` leaves the output out::

    .. rtvirt:: host show --host hosts/nps4-128.xml
       :picture: --svg
       :quiet:
"""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata
from sphinx.util.typing import OptionSpec

LINE = 48
PICTURE = 'picture.svg'
SAMPLES = pathlib.Path(__file__).parent.parent.parent / 'etc' / 'rtvirt'


def wrapped(arguments: list[str]) -> str:
    """Return the command as one types it, broken before options."""
    lines = ['$ rtvirt']
    for argument in arguments:
        word = shlex.quote(argument)
        if argument.startswith('--') and len(lines[-1]) > LINE:
            lines.append(f'      {word}')
        else:
            lines[-1] += f' {word}'
    return ' \\\n'.join(lines)


class RunCommand(SphinxDirective):
    """``.. rtvirt:: ARGUMENTS``."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec: ClassVar[OptionSpec] = {
        'exit': directives.nonnegative_int,
        'picture': directives.unchanged_required,
        'quiet': directives.flag,
    }

    def run(self) -> list[nodes.Node]:
        """Return the command, its output and its picture."""
        arguments = shlex.split(self.arguments[0])
        option = self.options.get('picture')
        with tempfile.TemporaryDirectory() as place:
            picture = pathlib.Path(place) / PICTURE
            drawing = [option, str(picture)] if option else []
            output = self.call([*arguments, *drawing])
            drawn = picture.read_text('utf-8') if option else ''
        shown = [*arguments, *([option, PICTURE] if option else [])]
        text = wrapped(shown)
        if 'quiet' not in self.options:
            text += f'\n{output}'
        found: list[nodes.Node] = [
            nodes.literal_block(text, text, language='none')
        ]
        if drawn:
            # In the page itself, where its titles can be pointed at.
            _, _, tree = drawn.partition('?>')
            found.append(nodes.raw('', tree, format='html'))
        return found

    def call(self, arguments: list[str]) -> str:
        """Run the command and return what it prints."""
        ended = subprocess.run(
            [str(pathlib.Path(sys.executable).parent / 'rtvirt'), *arguments],
            cwd=SAMPLES,
            env={**os.environ, 'CLIFF_MAX_TERM_WIDTH': '100'},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        wanted = self.options.get('exit', 0)
        if ended.returncode != wanted:
            raise self.error(
                f'rtvirt {self.arguments[0]} ended with {ended.returncode}, '
                f'not {wanted}: {ended.stdout}'
            )
        return ended.stdout.rstrip()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx of the directive."""
    app.add_directive('rtvirt', RunCommand)
    return {'parallel_read_safe': True}
