# SPDX-License-Identifier: Apache-2.0
"""What is built from the tree installs, and works once it is installed."""

from __future__ import annotations

import email.message
import email.parser
import json
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from rtvirt.tests.require import require
from rtvirt.tests.require import require_program

TOP = pathlib.Path(__file__).parents[3]

BUILD = """
import sys
from pbr import build
print(getattr(build, sys.argv[1])(sys.argv[2]))
"""

LOAD_ALL = """
import importlib.metadata, json, sys
loaded = {}
for point in importlib.metadata.distribution('rtvirt').entry_points:
    # What runs inside nova is loaded where nova is, by the tests of services.
    if point.module.startswith('rtvirt.nova.'):
        continue
    thing = point.load()
    module = sys.modules[point.module]
    loaded[f'{point.group}:{point.name}'] = module.__file__
print(json.dumps(loaded))
"""


def run(
    *command: str | pathlib.Path, cwd: pathlib.Path, **environ: str
) -> str:
    """Run a program outside of the checkout's own environment."""
    keep = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(('PYTHON', 'PBR_', 'GIT_'))
    }
    ended = subprocess.run(
        command,
        cwd=cwd,
        env={**keep, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def build(what: str, tree: pathlib.Path, **environ: str) -> pathlib.Path:
    """Build ``wheel`` or ``sdist`` of a tree, as pip does; return the file."""
    target = tree.parent / 'built'
    target.mkdir(exist_ok=True)
    printed = run(
        sys.executable,
        '-c',
        BUILD,
        f'build_{what}',
        target,
        cwd=tree,
        **environ,
    )
    return target / printed.splitlines()[-1]


def contents(wheel: pathlib.Path) -> set[str]:
    """Return the files of a wheel but for those that name its version."""
    return {
        name
        for name in zipfile.ZipFile(wheel).namelist()
        if '.dist-info/' not in name and '.data/' not in name
    } | {
        name.partition('/')[2]
        for name in zipfile.ZipFile(wheel).namelist()
        if '.data/' in name
    }


@pytest.fixture(scope='module')
def exported(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a copy of the tree without git."""
    git = require_program('git')
    require((TOP / '.git').exists(), 'this is no checkout of the repository')
    tree = tmp_path_factory.mktemp('exported') / 'tree'
    listed = run(git, 'ls-files', '-z', cwd=TOP).rstrip('\0').split('\0')
    for name in listed:
        if (TOP / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TOP / name, tree / name)
    return tree


@pytest.fixture(scope='module')
def exported_wheel(exported: pathlib.Path) -> pathlib.Path:
    return build('wheel', exported)


@pytest.fixture(scope='module')
def git_wheel(
    exported: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """Build from the same tree, in a git repository without tags."""
    tree = tmp_path_factory.mktemp('git') / 'tree'
    shutil.copytree(
        exported, tree, ignore=shutil.ignore_patterns('build', '*.egg-info')
    )
    git = ['git', '-c', 'user.name=Test', '-c', 'user.email=test@example.org']
    run('git', 'init', '-q', cwd=tree)
    run('git', 'add', '-A', cwd=tree)
    # pbr counts the commits after the first.
    for subject in ('Begin', 'Go-on'):
        run(*git, 'commit', '-q', '--allow-empty', '-m', subject, cwd=tree)
    return build('wheel', tree)


@pytest.fixture(scope='module')
def metadata(git_wheel: pathlib.Path) -> email.message.Message:
    archive = zipfile.ZipFile(git_wheel)
    (name,) = (n for n in archive.namelist() if n.endswith('/METADATA'))
    return email.parser.Parser().parsestr(archive.read(name).decode())


@pytest.fixture(scope='module')
def installed(
    git_wheel: pathlib.Path, tmp_path_factory: pytest.TempPathFactory
) -> pathlib.Path:
    """Return a fresh environment with the wheel in it.

    Dependencies come from the environment that runs the tests, behind the
    wheel: a path file adds their directory, but not what the path files there
    would add, so that the checkout is not importable.
    """
    place = tmp_path_factory.mktemp('environment')
    venv.create(place, symlinks=True)
    python = place / 'bin' / 'python'
    run(
        sys.executable,
        *('-m', 'pip', '--python', python, 'install', '--quiet'),
        *('--no-deps', '--no-index', git_wheel),
        cwd=place,
    )
    (site,) = place.glob('lib/python*/site-packages')
    behind = sysconfig.get_path('purelib')
    (site / 'dependencies.pth').write_text(f'{behind}\n')
    return place


def test_version_of_an_exported_tree(exported_wheel: pathlib.Path) -> None:
    assert exported_wheel.name.startswith('rtvirt-0.0.0-')


def test_version_of_an_exported_tree_inside_another_repository(
    exported: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    run('git', 'init', '-q', cwd=tmp_path)
    shutil.copytree(exported, tmp_path / 'vendor' / 'rtvirt')
    wheel = build('wheel', tmp_path / 'vendor' / 'rtvirt')
    assert wheel.name.startswith('rtvirt-0.0.0-')


def test_packager_names_the_version(exported: pathlib.Path) -> None:
    wheel = build('wheel', exported, PBR_VERSION='4.5.6')
    assert wheel.name.startswith('rtvirt-4.5.6-')


def test_version_of_a_repository_without_tags(git_wheel: pathlib.Path) -> None:
    assert Version(git_wheel.name.split('-')[1]) == Version('0.0.1.dev1')


def test_wheels_hold_the_same_files(
    exported_wheel: pathlib.Path, git_wheel: pathlib.Path
) -> None:
    assert contents(exported_wheel) == contents(git_wheel)
    assert 'rtvirt/py.typed' in contents(git_wheel)
    assert 'data/share/rtvirt/flavors/rt1.small.yaml' in contents(git_wheel)


def test_sdist_of_an_exported_tree_builds_the_same(
    exported: pathlib.Path,
    exported_wheel: pathlib.Path,
    tmp_path: pathlib.Path,
) -> None:
    sdist = build('sdist', exported, PBR_VERSION='4.5.6')
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path)
    wheel = build('wheel', tmp_path / 'rtvirt-4.5.6')
    assert wheel.name.startswith('rtvirt-4.5.6-')
    assert contents(wheel) == contents(exported_wheel)


def test_metadata(metadata: email.message.Message) -> None:
    assert metadata['Requires-Python'] == '>=3.11'
    assert metadata['License'] == 'Apache-2.0'
    assert metadata['Summary']
    assert 'make check' in str(metadata.get_payload())
    assert set(metadata.get_all('Provides-Extra', [])) >= {
        'libvirt',
        'nova',
        'testing',
    }


def test_dependencies_are_those_of_requirements_txt(
    metadata: email.message.Message,
) -> None:
    declared = {
        str(Requirement(text))
        for text in metadata.get_all('Requires-Dist', [])
        if 'extra ==' not in text
    }
    lines = (TOP / 'requirements.txt').read_text().splitlines()
    written = {
        str(Requirement(line.partition('#')[0]))
        for line in lines
        if line.partition('#')[0].strip()
    }
    assert declared == written


def test_command_works_where_it_is_installed(
    installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    rtvirt = installed / 'bin' / 'rtvirt'
    assert 'rtvirt' in run(rtvirt, '--version', cwd=tmp_path)
    flavor = installed / 'share' / 'rtvirt' / 'flavors' / 'rt1.small.yaml'
    shown = run(rtvirt, 'flavor', 'show', flavor, '-f', 'json', cwd=tmp_path)
    assert json.loads(shown)['schema_version'] == 1


def test_a_report_has_its_style_and_its_script(
    installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / 'report.html'
    sample = TOP / 'etc' / 'rtvirt' / 'latency' / 'cyclictest.txt'
    command = installed / 'bin' / 'rtvirt'
    run(command, 'latency', 'report', sample, '-o', file, cwd=tmp_path)
    text = file.read_text()
    assert 'aria-sort' in text
    assert '.verdicts {' in text


def test_every_entry_point_loads(
    installed: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    printed = run(installed / 'bin' / 'python', '-c', LOAD_ALL, cwd=tmp_path)
    loaded = json.loads(printed)
    assert 'console_scripts:rtvirt' in loaded
    assert 'rtvirt.commands:plan' in loaded
    assert all(
        pathlib.Path(path).is_relative_to(installed)
        for path in loaded.values()
    ), loaded
