# SPDX-License-Identifier: Apache-2.0
"""However the demo ends, it says so in a line and leaves nothing."""

import os
import pathlib
import signal
import tempfile
from collections.abc import Iterator
from typing import NoReturn

import pytest

from rtvirt.demo import app
from rtvirt.demo.interrupt import SIGNALS
from rtvirt.demo.screen import Screen
from rtvirt.exception import HostError


@pytest.fixture
def room(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[pathlib.Path]:
    """Where private directories are made."""
    monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
    monkeypatch.delenv('LIBVIRT_LOG_OUTPUTS', raising=False)
    kept = {n: signal.getsignal(n) for n in SIGNALS}
    yield tmp_path
    for number, handler in kept.items():
        signal.signal(number, handler)


def end_with(
    monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> list[pathlib.Path]:
    roots = []

    def tell(
        _flavor: pathlib.Path, root: pathlib.Path, _s: Screen
    ) -> NoReturn:
        roots.append(root)
        (root / 'something').touch()
        raise error

    monkeypatch.setattr(app, 'tell', tell)
    return roots


@pytest.mark.parametrize(
    ('error', 'code', 'message'),
    [
        (
            HostError('no pages', hint='get some'),
            1,
            'demo: no pages\nhint: get some\n',
        ),
        (
            TypeError('a\nb'),
            1,
            """\
demo: this should not happen: TypeError: a b
hint: --debug shows where
""",
        ),
        (KeyboardInterrupt(), 130, 'demo: interrupted; all is given back\n'),
    ],
)
def test_an_error_is_told_without_a_traceback(
    room: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    message: str,
) -> None:
    (root,) = (end_with(monkeypatch, error), app.main(['f.yaml']))[:1]

    assert capsys.readouterr().err == message
    assert len(root) == 1
    assert list(room.iterdir()) == []


@pytest.mark.parametrize('error', [HostError('x'), TypeError('x')])
def test_debug_shows_the_traceback(
    room: pathlib.Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    end_with(monkeypatch, error)

    with pytest.raises(type(error)):
        app.main(['--debug', 'f.yaml'])

    assert list(room.iterdir()) == []


@pytest.mark.parametrize('number', SIGNALS)
def test_a_signal_ends_it_cleanly(
    room: pathlib.Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def tell(_flavor: pathlib.Path, root: pathlib.Path, _s: Screen) -> int:
        (root / 'something').touch()
        os.kill(os.getpid(), number)
        raise AssertionError('it went on')

    monkeypatch.setattr(app, 'tell', tell)

    assert app.main(['f.yaml']) == 130
    assert list(room.iterdir()) == []
    os.kill(os.getpid(), number)


def test_the_exit_code_is_what_the_story_ends_with(
    room: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, 'tell', lambda *_: 3)

    assert app.main(['f.yaml']) == 3


@pytest.mark.parametrize('asked', [None, '1:stderr'])
def test_environment_is_left_as_it_was(
    room: pathlib.Path, monkeypatch: pytest.MonkeyPatch, asked: str | None
) -> None:
    if asked is not None:
        monkeypatch.setenv('LIBVIRT_LOG_OUTPUTS', asked)
    seen = []

    def tell(_flavor: pathlib.Path, root: pathlib.Path, _s: Screen) -> int:
        assert room in root.parents
        seen.append(os.environ['LIBVIRT_LOG_OUTPUTS'])
        return 0

    monkeypatch.setattr(app, 'tell', tell)

    assert app.main(['flavor.yaml']) == 0
    assert os.environ.get('LIBVIRT_LOG_OUTPUTS') == asked
    assert len(seen) == 1
    assert seen[0] == asked or seen[0].endswith('libvirt.log')
