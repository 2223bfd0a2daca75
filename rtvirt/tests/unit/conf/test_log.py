# SPDX-License-Identifier: Apache-2.0
"""What is logged goes where the configuration says."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rtvirt.conf.log import set_up_logging
from rtvirt.exception import ConfigError


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    yield
    for handler in set(root.handlers) - set(before[1]):
        handler.close()
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def write(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / 'rtvirt.conf'
    file.write_text(text)
    return [str(file)]


def test_a_file_is_written_and_other_handlers_stay(tmp_path: Path) -> None:
    handler = logging.NullHandler()
    logging.getLogger().addHandler(handler)
    written = tmp_path / 'rtvirt.log'
    files = write(tmp_path, f'[DEFAULT]\nlog_file = {written}\n')
    assert set_up_logging(files)
    logging.getLogger('rtvirt.x').info('a line of %s', 'log')
    assert 'INFO rtvirt.x [-] a line of log' in written.read_text()
    assert handler in logging.getLogger().handlers


def test_without_a_destination_nothing_changes(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]
    assert not set_up_logging(write(tmp_path, '[DEFAULT]\ndebug = true\n'))
    assert logging.getLogger().handlers == before


def test_without_a_destination_oslo_log_is_not_imported(
    tmp_path: Path,
) -> None:
    code = (
        'import sys\n'
        'from rtvirt.conf.log import set_up_logging\n'
        f'set_up_logging({write(tmp_path, "")!r})\n'
        'print("oslo_log.log" in sys.modules)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == 'False\n'


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('log_file = /nonexistent/log', '/nonexistent/log'),
        ('log_config_append = /nonexistent', '/nonexistent'),
        ('use_journal = perhaps', 'perhaps'),
    ],
)
def test_a_wrong_destination_is_named(
    tmp_path: Path, line: str, reason: str
) -> None:
    files = write(tmp_path, f'[DEFAULT]\n{line}\n')
    with pytest.raises(ConfigError, match='logging cannot be') as caught:
        set_up_logging(files)
    assert reason in caught.value.message
    assert files[0] in caught.value.hint
