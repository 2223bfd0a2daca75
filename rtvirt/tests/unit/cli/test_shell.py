# SPDX-License-Identifier: Apache-2.0
"""Help, exit codes, and errors that are one line each."""

from __future__ import annotations

import importlib.metadata
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtvirt import exception
from rtvirt import plugins
from rtvirt.cli import app
from rtvirt.cli import shell
from rtvirt.cli.exitcode import ExitCode
from rtvirt.cli.exitcode import exit_code
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode
from rtvirt.tests.distribution import Site
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt

COMMANDS = sorted(
    point.name.replace('_', ' ')
    for point in importlib.metadata.distribution('rtvirt').entry_points
    if point.group == plugins.COMMANDS
)
BUILT_IN = ['complete', 'help']

FAIL = """
from rtvirt.cli.base import Command

class Plugin(Command):
    def take_action(self, parsed_args):
        {0}
"""


def test_help_lists_every_command_in_one_line(rtvirt: RTVirt) -> None:
    ended = rtvirt('--help')
    assert (ended.code, ended.err) == (0, '')
    listed = ended.out.partition('commands:\n')[2].splitlines()
    for command in COMMANDS:
        (line,) = [x for x in listed if x.startswith(f'  {command} ')]
        assert 'of no use' not in line
        assert len(line) < 80
    assert 'Exit codes: 0 done, 1 could not' in ended.out


def test_help_imports_no_command(rtvirt: RTVirt, site: Site) -> None:
    source = 'raise ValueError\nclass Plugin:\n    "Do it.\\n\\nNow."\n'
    site.install('trial', plugins.COMMANDS, 'trial', source)
    ended = rtvirt('--help')
    assert ended.code == 0
    assert '  trial              Do it\n' in ended.out
    assert rtvirt('trial').code == 1


@pytest.mark.parametrize('command', [*COMMANDS, *BUILT_IN])
def test_help_of_a_command_has_an_example(
    rtvirt: RTVirt, command: str
) -> None:
    ended = rtvirt(*command.split(), '--help')
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith(f'usage: rtvirt {command}')
    assert 'Example' in ended.out
    assert f'rtvirt {command}' in ended.out.partition('Example')[2]
    assert '::' not in ended.out


def test_help_can_be_asked_for_in_three_ways(rtvirt: RTVirt) -> None:
    words = ['flavor', 'show']
    ended = rtvirt(*words, '--help')
    for other in (['-h', *words], ['help', *words]):
        assert rtvirt(*other).out == ended.out


def test_version(rtvirt: RTVirt) -> None:
    ended = rtvirt('--version')
    assert (ended.code, ended.err) == (0, '')
    name, version = ended.out.split()
    assert name == 'rtvirt'
    assert version[0].isdigit()


@pytest.mark.parametrize(
    ('argv', 'error', 'hint'),
    [
        ([], 'no command is given', 'rtvirt --help'),
        (['flavr', 'show'], "'flavr show' is no command", "'flavor show'"),
        (['flavor'], "'flavor' is no command", "'flavor list-specs'"),
        (['zzz'], "'zzz' is no command", 'rtvirt --help'),
        (['--nonsense', 'plan'], "no option '--nonsense'", '--help'),
        (['plan'], 'required: --flavor', '"rtvirt plan --help"'),
        (
            ['complete', '--shell', 'fish'],
            "--shell: 'fish' is unknown: expected one of 'bash'",
            '"rtvirt complete --help"',
        ),
        (
            ['host', 'check', '--fail-on', 'never'],
            "'never' is unknown: expected one of 'fatal', 'error', ",
            '"rtvirt host check --help"',
        ),
        (
            ['plan', '--flavor', 'x', '--zzz', '1'],
            "no option '--zzz'",
            'plan --help',
        ),
        (
            ['plan', '--flavor', 'x', '--', '--flavour'],
            'unrecognized arguments',
            'plan --help',
        ),
        (
            ['plan', '--flavor', 'x', '--lock-timeout', 'y'],
            "no option '--lock-timeout'",
            'plan --help',
        ),
        (
            ['plan', '--flavour', 'x'],
            "no option '--flavour'",
            'mean --flavor?',
        ),
        (['plan', '--flav=x'], "no option '--flav'", 'mean --flavor?'),
        (
            ['plan', '--flavor', SMALL, '--dedicated', '5-2'],
            '--dedicated: \'5-2\' is no list of CPUs: it has a range',
            'plan --help',
        ),
        (
            ['plan', '--flavor', SMALL, '--dedicated', '0-999999999'],
            'goes beyond CPU',
            'plan --help',
        ),
        (
            ['plan', '--flavor', SMALL, '--reserved-pages', 'all'],
            '--reserved-pages: \'all\' does not say',
            'plan --help',
        ),
        (
            ['plan', '--flavor', SMALL, '--strategy', 'best'],
            "--strategy: 'best' is unknown: expected one of",
            'plan --help',
        ),
        (
            ['plan', '--flavor', '-', '--image', '-'],
            'cannot both be standard input',
            'name a file for one of the two',
        ),
        (
            ['plan', '--flavor', SMALL, '--host', EDGE, '--dedicated', '7-9'],
            'the dedicated set names pCPUs 8-9: not online',
            'choose among pCPUs 0-7',
        ),
        (
            [
                *('plan', '--flavor', SMALL, '--host', EDGE),
                *('--dedicated', '2-5', '--shared', '5'),
            ],
            'pCPUs 5 are both dedicated and shared',
            'take them out',
        ),
        (
            [
                *('plan', '--flavor', SMALL, '--host', EDGE),
                *('--cpu-allocation-ratio', 'nan'),
            ],
            'cpu_allocation_ratio is nan',
            'give a number as in 1.5',
        ),
        (
            ['host', 'show', '--config-file', '/nonexistent.conf'],
            "cannot read '/nonexistent.conf'",
            'name a file that is there and that you may read',
        ),
        (
            ['flavor', 'list-specs', '-c', 'colour'],
            "--column 'colour': there is no such column",
            'name, kind, description',
        ),
        (
            ['flavor', 'list-specs', '-c', 'colour', '-f', 'json'],
            "--column 'colour': there is no such key",
            'schema_version, extra_specs',
        ),
    ],
)
def test_usage_errors_end_with_2(
    rtvirt: RTVirt, argv: list[str], error: str, hint: str
) -> None:
    ended = rtvirt(*argv)
    assert (ended.code, ended.out) == (2, '')
    first, *rest = ended.err.splitlines()
    assert first.startswith('rtvirt: ')
    assert error in first
    assert len(rest) == bool(hint)
    if hint:
        assert rest[0].startswith('hint: ')
        assert hint in rest[0]


@pytest.mark.parametrize(
    ('content', 'error'),
    [
        (None, 'No such file or directory'),
        (b'\x00\x01', 'neither YAML nor JSON'),
        (b'[]', 'is no flavor: its top level is a list'),
        (b'vcpus: 1\nram: 64', 'the flavor has no name'),
        (b'name: x\nvcpus: many\nram: 64', "vcpus is 'many'"),
        (b'name: x\nvcpus: -1\nram: 64', 'vcpus'),
        (
            b'name: x\nvcpus: 1\nram: 64\nproperties: {hw:cpu_polcy: shared}',
            'hw:cpu_polcy',
        ),
        (
            b'name: x\nvcpus: 1\nram: 64\nproperties: {hw:cpu_policy: own}',
            'hw:cpu_policy',
        ),
    ],
)
def test_a_useless_flavor_ends_with_1(
    rtvirt: RTVirt, tmp_path: Path, content: bytes | None, error: str
) -> None:
    file = tmp_path / 'flavor.yaml'
    if content is not None:
        file.write_bytes(content)
    ended = rtvirt('flavor', 'show', str(file))
    assert (ended.code, ended.out) == (1, '')
    first, *rest = ended.err.splitlines()
    assert first.startswith('rtvirt: ')
    assert error in first
    assert len(rest) <= 1


def test_a_directory_as_flavor_ends_with_1(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    ended = rtvirt('flavor', 'show', str(tmp_path))
    assert (ended.code, ended.out) == (1, '')
    error, hint = ended.err.splitlines()
    assert error == f"rtvirt: cannot read '{tmp_path}': Is a directory"
    assert hint.startswith('hint: name a file that is there')


@pytest.mark.parametrize(
    ('content', 'error'),
    [
        (None, 'there is no such file'),
        (b'<capabilities/>', ''),
        (b'<a', ''),
        (b'\x00', ''),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', ''),
    ],
)
def test_a_useless_host_ends_with_1(
    rtvirt: RTVirt, tmp_path: Path, content: bytes | None, error: str
) -> None:
    file = tmp_path / 'host.xml'
    if content is not None:
        file.write_bytes(content)
    ended = rtvirt('host', 'show', '--host', str(file))
    assert (ended.code, ended.out) == (1, '')
    first, *rest = ended.err.splitlines()
    assert first.startswith(f'rtvirt: {file}: ')
    assert error in first
    assert len(rest) <= 1


def add_command(site: Site, action: str) -> None:
    site.install('trial', plugins.COMMANDS, 'trial', FAIL.format(action))


def test_the_unexpected_is_one_line(rtvirt: RTVirt, site: Site) -> None:
    add_command(site, 'raise ZeroDivisionError("so\\nmuch")')
    ended = rtvirt('trial')
    assert (ended.code, ended.out) == (1, '')
    first, hint = ended.err.splitlines()
    assert first == 'rtvirt: unexpected ZeroDivisionError: so\\x0amuch'
    assert 'rtvirt --debug' in hint


def test_debug_shows_the_traceback(rtvirt: RTVirt, site: Site) -> None:
    add_command(site, 'raise ZeroDivisionError("so much")')
    for argv in (['--debug', 'trial'], ['trial', '--debug']):
        ended = rtvirt(*argv)
        assert ended.code == 1
        assert 'Traceback (most recent call last)' in ended.err
        assert ended.err.splitlines()[-2].startswith('rtvirt: unexpected')


def test_too_deep_a_recursion_is_one_line(rtvirt: RTVirt, site: Site) -> None:
    add_command(site, 'self.take_action(parsed_args)')
    ended = rtvirt('trial')
    assert ended.code == 1
    assert len(ended.err.splitlines()) == 2


def test_an_interrupt_ends_with_130(rtvirt: RTVirt, site: Site) -> None:
    add_command(site, 'raise KeyboardInterrupt')
    ended = rtvirt('trial')
    assert (ended.code, ended.out) == (130, '')
    assert ended.err == 'rtvirt: interrupted\n'


def test_an_error_of_the_system_names_the_file(
    rtvirt: RTVirt, site: Site
) -> None:
    add_command(site, 'open("/nonexistent/file")')
    ended = rtvirt('trial')
    assert ended.code == 1
    assert ended.err == (
        'rtvirt: /nonexistent/file: No such file or directory\n'
        'hint: name a path that is there and that you may use\n'
    )


def test_escape_sequences_never_reach_the_terminal(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    file = tmp_path / 'a\x1b[2Jb.xml'
    file.write_bytes(Path(EDGE).read_bytes())
    ended = rtvirt('host', 'show', '--host', str(file))
    assert ended.code == 0
    assert ended.out.startswith('a\\x1b[2Jb: 1 cell, ')
    assert '\x1b' not in rtvirt('flavor', 'show', '\x1b[2J').err


def test_a_broken_command_is_named_and_others_go_on(
    rtvirt: RTVirt, site: Site
) -> None:
    site.install('broken-cli', plugins.COMMANDS, 'broken', 'import nosuch')
    ended = rtvirt('broken')
    assert (ended.code, ended.out) == (1, '')
    assert "plug-in 'broken' of rtvirt.commands" in ended.err
    assert "shipped by broken-cli 1.0) cannot be loaded" in ended.err
    assert rtvirt('flavor', 'show', SMALL).code == 0
    ended = rtvirt('--help')
    assert ended.code == 0
    assert '  broken             (of no use' in ended.out


def test_two_commands_of_one_name_are_in_conflict(
    rtvirt: RTVirt, site: Site
) -> None:
    site.install('usurper', plugins.COMMANDS, 'plan', FAIL.format('pass'))
    ended = rtvirt('plan')
    assert (ended.code, ended.out) == (1, '')
    assert 'usurper:Plugin' in ended.err
    assert 'rtvirt.cli.plan:ShowPlan' in ended.err
    assert 'have the same name' in ended.err
    assert rtvirt('flavor', 'show', SMALL).code == 0


def test_underscores_and_spaces_are_the_same_name(
    rtvirt: RTVirt, site: Site
) -> None:
    site.install(
        'usurper', plugins.COMMANDS, 'flavor show', FAIL.format('pass')
    )
    ended = rtvirt('flavor', 'show')
    assert ended.code == 1
    assert 'usurper:Plugin' in ended.err


def test_what_is_no_command_is_named(rtvirt: RTVirt, site: Site) -> None:
    site.install('odd', plugins.COMMANDS, 'odd', 'Plugin = 3')
    ended = rtvirt('odd')
    assert ended.code == 1
    assert 'is no command' in ended.err


@pytest.mark.parametrize(
    ('error', 'code'),
    [
        (exception.RTVirtError('x'), 1),
        (exception.ModelError('x'), 1),
        (exception.HostError('x'), 1),
        (exception.InputError('x', path='y'), 1),
        (exception.PluginError('x', namespace='y', name='z'), 1),
        (exception.DomainXMLError('x'), 1),
        (exception.ExtraSpecError('x', key='y'), 1),
        (exception.ConfigError('x'), 2),
        (exception.FitError('x', reasons=()), 4),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(), 141),
        (OSError(), 1),
        (ValueError(), 1),
    ],
)
def test_each_error_has_its_exit_code(error: BaseException, code: int) -> None:
    assert exit_code(error) == code


def test_reasons_stand_below_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reasons = [
        FitReason(
            guest_cell=0,
            host_cell=cell,
            code=ReasonCode.PAGES,
            sentence=f'reason {cell}',
        )
        for cell in (0, 1)
    ]
    error = exception.FitError('it does not fit', reasons=reasons, hint='go')
    shell.report_error(error, sys.stderr)
    assert capsys.readouterr().err == (
        'rtvirt: it does not fit\n  reason 0\n  reason 1\nhint: go\n'
    )


@pytest.mark.parametrize(
    ('flags', 'shown'),
    [
        ([], ['warning']),
        (['-q'], []),
        (['-v'], ['info', 'warning']),
        (['-vv'], ['debug', 'info', 'warning']),
        (['--debug'], ['debug', 'info', 'warning']),
    ],
)
def test_verbosity(
    rtvirt: RTVirt,
    site: Site,
    tmp_path: Path,
    flags: list[str],
    shown: list[str],
) -> None:
    add_command(
        site,
        'import logging; log = logging.getLogger("rtvirt.x"); '
        'log.debug("debug"); log.info("info"); log.warning("warning")',
    )
    file = tmp_path / 'log'
    before = logging.getLogger().handlers[:]
    ended = rtvirt(*flags, '--log-file', str(file), 'trial')
    assert (ended.code, ended.out) == (0, '')
    assert ended.err == ''.join(f'rtvirt: {level}\n' for level in shown)
    written = [line.split()[-1] for line in file.read_text().splitlines()]
    assert written == shown
    assert logging.getLogger().handlers == before


def test_a_log_file_that_cannot_be_written_is_named(rtvirt: RTVirt) -> None:
    ended = rtvirt('--log-file', '/nonexistent/log', 'flavor', 'show', SMALL)
    assert ended.code == 1
    assert ended.err.startswith(
        'rtvirt: /nonexistent/log: No such file or directory\nhint: '
    )


def start(*argv: str, **kwargs: Any) -> subprocess.Popen[bytes]:
    # Without a buffer nothing is left to be written at the end.
    environ = {k: v for k, v in os.environ.items() if k != 'PYTHONUNBUFFERED'}
    return subprocess.Popen(
        [sys.executable, '-m', 'rtvirt', *argv],
        stderr=subprocess.PIPE,
        env=environ,
        **kwargs,
    )


# One fits into a buffer and is written at the end, the other does not.
LENGTHS = [('flavor', 'show', SMALL), ('flavor', 'list-specs', '--long')]


@pytest.mark.parametrize('argv', LENGTHS)
def test_a_closed_pipe_ends_with_141_in_silence(argv: tuple[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with start(*argv, stdout=writer) as process:
        os.close(writer)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (141, b'')


@pytest.mark.parametrize('argv', LENGTHS)
def test_a_full_disk_is_one_line(argv: tuple[str]) -> None:
    with (
        Path('/dev/full').open('wb') as full,
        start(*argv, stdout=full) as process,
    ):
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b'rtvirt: No space left on device\n'


def test_an_interrupt_of_the_imports_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Late:
        def find_spec(self, name: str, *_: Any) -> None:
            if name == 'rtvirt.cli.shell':
                raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, 'rtvirt.cli.shell')
    monkeypatch.setattr(sys, 'meta_path', [Late(), *sys.meta_path])
    assert app.main(['--help']) == ExitCode.INTERRUPTED
    assert capsys.readouterr().err == 'rtvirt: interrupted\n'


def test_completion_knows_the_commands(rtvirt: RTVirt) -> None:
    ended = rtvirt('complete')
    assert (ended.code, ended.err) == (0, '')
    assert "cmds_flavor='list-specs show'" in ended.out
    assert '--dedicated' in ended.out
