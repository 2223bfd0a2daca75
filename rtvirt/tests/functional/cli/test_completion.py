# SPDX-License-Identifier: Apache-2.0
"""The shells take what ``rtvirt complete`` prints, and complete by it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from rtvirt.tests.require import require_program

Complete = Callable[[str], list[str]]

# What the completion system of each shell would provide.
BASH = """
_get_comp_words_by_ref() {
  cur=${COMP_WORDS[COMP_CWORD]}
  words=("${COMP_WORDS[@]}")
}
source /dev/stdin
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_rtvirt
printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
compdef() { : }
compadd() { shift; print -l -- ${(M)@:#$PREFIX*} }
_files() { print -l -- $PREFIX*(N) }
source /dev/stdin
words=("$@"); CURRENT=$#; PREFIX=$argv[-1]
_rtvirt
"""


@pytest.fixture(scope='module', params=['bash', 'zsh'])
def complete(request: pytest.FixtureRequest) -> Complete:
    """Return what a shell offers for the last word of a command line."""
    shell = str(request.param)
    program = require_program(shell)
    code = subprocess.run(
        [sys.executable, '-m', 'rtvirt', 'complete', '--shell', shell],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    options = ['--norc', '-c', BASH] if shell == 'bash' else ['-fc', ZSH]

    def offered(line: str) -> list[str]:
        ended = subprocess.run(
            [program, *options, 'test', *line.split(' ')],
            input=code,
            check=False,
            capture_output=True,
            text=True,
            cwd=request.config.rootpath,
        )
        assert ended.stderr == ''
        return sorted(filter(None, ended.stdout.split('\n')))

    return offered


@pytest.mark.parametrize(
    ('line', 'offer'),
    [
        ('rtvirt fl', ['flavor', 'fleet']),
        ('rtvirt flavor ', ['list-specs', 'show']),
        ('rtvirt flavor list-specs --l', ['--long']),
        ('rtvirt plan --fla', ['--flavor']),
        ('rtvirt plan --flavor README', ['README.rst']),
        ('rtvirt plan LICE', ['LICENSE']),
        ('rtvirt domain l', ['lint', 'list']),
    ],
)
def test_last_word_is_completed(
    complete: Complete, line: str, offer: list[str]
) -> None:
    # `domain list` is there where its plug-in is.
    offered = complete(line)
    assert offered
    assert set(offered) <= set(offer)
    assert offer[0] in offered


def test_global_options_of_zsh_may_stand_in_front() -> None:
    """bash's, which is cliff's, ends at the first option."""
    program = require_program('zsh')
    code = subprocess.run(
        [sys.executable, '-m', 'rtvirt', 'complete', '--shell', 'zsh'],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    ended = subprocess.run(
        [program, '-fc', ZSH, 'test', 'rtvirt', '-v', 'host', 'ch'],
        input=code,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (ended.stdout, ended.stderr) == ('check\n', '')
