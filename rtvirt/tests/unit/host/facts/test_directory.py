# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.tree import read_names
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a root with a secret beside it."""
    (tmp_path / 'secret').write_text('top secret')
    top = tmp_path / 'root'
    (top / 'proc' / 'sys').mkdir(parents=True)
    (top / 'proc' / 'cmdline').write_text('quiet\n')
    return top


def test_a_file_and_its_directory(root: Path) -> None:
    tree = DirectoryTree(root)
    assert tree.read('/proc/cmdline') == b'quiet\n'
    assert tree.names('/proc') == ('cmdline', 'sys')
    assert tree.names('/') == ('proc',)


@pytest.mark.parametrize(
    'path', ['/proc/none', '/none/none', '/proc/cmdline/none', '/proc']
)
def test_what_is_no_file_is_absent(root: Path, path: str) -> None:
    content = DirectoryTree(root).read(path)
    assert isinstance(content, Missing)
    assert content.missing is Why.ABSENT
    assert content.path == path


@pytest.mark.parametrize(
    'target', ['../../secret', '/../secret', '../../../../../secret']
)
def test_a_link_does_not_leave_the_root(root: Path, target: str) -> None:
    (root / 'proc' / 'link').symlink_to(target)
    content = DirectoryTree(root).read('/proc/link')
    assert isinstance(content, Missing)


def test_no_path_leaves_the_root(root: Path) -> None:
    tree = DirectoryTree(root)
    for path in ('/../secret', '/proc/../../secret', '/proc/sys/../..'):
        assert isinstance(tree.read(path), Missing)
        assert tree.names(path) == ()


def test_a_linked_directory_does_not_leave_the_root(root: Path) -> None:
    outside = root.parent
    (root / 'up').symlink_to('..')
    (root / 'away').symlink_to(outside)
    tree = DirectoryTree(root)
    for name in ('up', 'away'):
        assert isinstance(tree.read(f'/{name}/secret'), Missing)
        assert 'secret' not in tree.names(f'/{name}')


def test_links_are_followed_from_the_root(root: Path) -> None:
    (root / 'proc' / 'absolute').symlink_to('/proc/cmdline')
    (root / 'proc' / 'relative').symlink_to('../proc/./cmdline')
    (root / 'sys').symlink_to('proc')
    tree = DirectoryTree(root)
    for path in ('/proc/absolute', '/proc/relative', '/sys/cmdline'):
        assert tree.read(path) == b'quiet\n'


def test_a_loop_of_links_ends(root: Path) -> None:
    (root / 'one').symlink_to('two')
    (root / 'two').symlink_to('one')
    tree = DirectoryTree(root)
    content = tree.read('/one')
    assert isinstance(content, Missing)
    assert content.missing is Why.UNREADABLE
    assert isinstance(tree.read('/one/two'), Missing)


def test_a_fifo_is_not_opened(root: Path) -> None:
    os.mkfifo(root / 'proc' / 'fifo')
    content = DirectoryTree(root).read('/proc/fifo')
    assert isinstance(content, Missing)
    assert content.detail == 'not a regular file'


@pytest.mark.parametrize('size', [99, 100, 101, 9000, 20000])
def test_a_file_longer_than_the_limit_is_malformed(
    root: Path, size: int
) -> None:
    (root / 'proc' / 'long').write_bytes(b'x' * size)
    content = DirectoryTree(root).read('/proc/long', 100)
    if size <= 100:
        assert content == b'x' * size
    else:
        assert isinstance(content, Missing)
        assert content.missing is Why.MALFORMED
        assert '100 bytes' in content.detail


def test_a_long_file_is_read_to_its_end(root: Path) -> None:
    text = bytes(range(256)) * 200
    (root / 'proc' / 'long').write_bytes(text)
    assert DirectoryTree(root).read('/proc/long') == text


def test_what_may_not_be_read_is_unreadable(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> int:
        raise PermissionError(errno.EACCES, 'Permission denied')

    # root, who may run the tests, may read everything.
    monkeypatch.setattr(os, 'open', refuse)
    content = DirectoryTree(root).read('/proc/cmdline')
    assert isinstance(content, Missing)
    assert content.missing is Why.UNREADABLE
    assert str(content) == 'unreadable (Permission denied)'


def test_a_directory_that_may_not_be_read_is_not_empty(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: object) -> int:
        raise PermissionError(errno.EACCES, 'Permission denied')

    tree = DirectoryTree('/')
    path = str(root / 'proc')
    assert read_names(tree, path) == ('cmdline', 'sys')
    monkeypatch.setattr(os, 'open', refuse)
    monkeypatch.setattr(os, 'listdir', refuse)
    names = read_names(tree, path)
    assert isinstance(names, Missing)
    assert names.missing is Why.UNREADABLE


def test_the_kernel_gives_its_files() -> None:
    tree = DirectoryTree('/')
    assert tree.read('/proc/self/comm') == Path('/proc/self/comm').read_bytes()
    assert 'self' in tree.names('/proc')
    content = tree.read('/proc/self')
    assert isinstance(content, Missing)
    assert content.is_absent


@pytest.mark.parametrize('name', ['none', 'proc/cmdline'])
def test_a_root_that_is_no_directory_is_refused(root: Path, name: str) -> None:
    with pytest.raises(HostError, match='no directory'):
        DirectoryTree(root / name)
