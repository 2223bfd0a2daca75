# SPDX-License-Identifier: Apache-2.0
"""A distribution of somebody else is installed, and rtvirt uses it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.tests.require import require

SAMPLE = Path(__file__).parents[1] / 'sample_plugin'
ETC = Path(__file__).parents[3] / 'etc' / 'rtvirt'
SMALL = str(ETC / 'flavors' / 'rt1.small.yaml')
EDGE = str(ETC / 'hosts' / 'edge-8.xml')
XML = (
    *('domain', 'xml', '--name', 'rt1', '--flavor', SMALL, '--host', EDGE),
    *('--dedicated', '2-5'),
)


def install(source: Path, target: Path) -> Path:
    """Install a distribution with pip, without any index."""
    done = subprocess.run(
        [
            *(sys.executable, '-m', 'pip', 'install', '--quiet'),
            *('--disable-pip-version-check', '--root-user-action=ignore'),
            *('--no-index', '--no-deps', '--no-build-isolation'),
            *('--target', target, source),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def change(source: Path, target: Path, **changes: str) -> Path:
    """Copy the sample and replace words in its project file."""
    shutil.copytree(source, target)
    project = target / 'pyproject.toml'
    text = project.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    project.write_text(text)
    return target


class Program:
    """``rtvirt`` with some directories on its path."""

    def __init__(self, *sites: Path, cache: Path) -> None:
        self._environ = {
            **os.environ,
            'PYTHONPATH': os.pathsep.join(map(str, sites)),
            'XDG_CACHE_HOME': str(cache),
            'HOME': str(cache),
        }

    def __call__(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, '-m', 'rtvirt', *argv],
            env=self._environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


@pytest.fixture(scope='module')
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the sample distribution; return the directory."""
    found = subprocess.run(
        [sys.executable, '-c', 'import setuptools, pip'], check=False
    )
    require(found.returncode == 0, 'pip and setuptools are not installed')
    path = tmp_path_factory.mktemp('sample')
    return install(change(SAMPLE, path / 'source'), path / 'site')


@pytest.fixture(scope='module')
def with_sample(
    sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> Program:
    return Program(sample, cache=tmp_path_factory.mktemp('cache'))


@pytest.fixture
def other(tmp_path: Path, sample: Path) -> Path:
    """Change the installed sample into another distribution."""
    site = tmp_path / 'other'
    shutil.copytree(sample, site)
    (info,) = site.glob('*.dist-info')
    metadata = info / 'METADATA'
    metadata.write_text(
        metadata.read_text().replace('rtvirt-sample', 'rtvirt-other')
    )
    info.rename(site / 'rtvirt_other-1.0.dist-info')
    return site


def rename(site: Path, old: str, new: str) -> None:
    """Change the entry points of an installed distribution."""
    (points,) = site.glob('*.dist-info/entry_points.txt')
    text = points.read_text()
    assert old in text
    points.write_text(text.replace(old, new))


def test_the_configurator_works(with_sample: Program) -> None:
    done = with_sample(*XML)
    assert done.returncode == 0, done.stderr
    assert "<vmport state='off'/>" in done.stdout.replace('"', "'")
    assert "vcpupin vcpu='3' cpuset='5'" in done.stdout.replace('"', "'")


def test_without_it_nothing_is_added(tmp_path: Path) -> None:
    done = Program(cache=tmp_path)(*XML)
    assert done.returncode == 0, done.stderr
    assert 'vmport' not in done.stdout


def test_the_command_works(with_sample: Program) -> None:
    done = with_sample('flavor', 'size', SMALL)
    assert done.returncode == 0, done.stderr
    assert '|     4 | 4 GiB  |' in done.stdout
    done = with_sample('flavor', 'size', SMALL, '-f', 'json')
    assert json.loads(done.stdout) == {
        'schema_version': 1,
        'vcpus': 4,
        'memory_mib': 4096,
    }
    assert (
        '  flavor size        Show how large' in with_sample('--help').stdout
    )
    assert (
        'usage: rtvirt flavor size'
        in with_sample('help', 'flavor', 'size').stdout
    )


def test_the_check_works(with_sample: Program) -> None:
    snapshot = str(ETC / 'snapshots' / 'rt-10.tar.gz')
    done = with_sample('host', 'check', '--host', snapshot, '-f', 'json')
    assert done.returncode == 0, done.stderr
    (finding,) = json.loads(done.stdout)['findings']
    assert (finding['code'], finding['actual']) == ('SAMPLE-1', 'compute1')


def test_the_rule_works(with_sample: Program, tmp_path: Path) -> None:
    path = tmp_path / 'rt.xml'
    for name, codes in (('rt', ['SAMPLE-L1']), ('plc-1', [])):
        path.write_text(RUNNING.replace('>rt<', f'>{name}<'))
        done = with_sample('domain', 'lint', str(path), '-f', 'json')
        assert done.returncode == 0, done.stderr
        found = re.findall(r'"(SAMPLE-\w+)"', done.stdout)
        assert found == codes


VERIFY = """\
import json, sys
import rtvirt

domain = rtvirt.parse_domain(sys.argv[1])
observed = rtvirt.ObservedDomain.from_dict(json.loads(sys.argv[2]))
for finding in rtvirt.verify(domain, observed):
    print(finding.code, finding.subject, finding.actual)
"""
RUNNING = '<domain type="kvm"><name>rt</name><vcpu>1</vcpu></domain>'


@pytest.mark.parametrize(
    ('switches', 'output'),
    [(1001, 'SAMPLE-V1 vCPU 0 1001 (tid 71)\n'), (1000, '')],
)
def test_the_verifier_works(sample: Path, switches: int, output: str) -> None:
    def thread(tid: int, role: ThreadRole, number: int | None) -> Any:
        return ObservedThread(
            tid=tid,
            name='qemu',
            role=role,
            number=number,
            scheduling=Scheduling(cpus=CPUSet([0])),
            last_cpu=0,
            involuntary_switches=switches,
        )

    observed = ObservedDomain(
        uuid='u',
        pid=70,
        threads=(
            thread(70, ThreadRole.EMULATOR, None),
            thread(71, ThreadRole.VCPU, 0),
        ),
        memory=ObservedMemory(huge=(), locked_kib=0, resident_kib=0),
    )
    text = json.dumps(observed.to_dict())
    done = subprocess.run(
        [sys.executable, '-c', VERIFY, RUNNING, text],
        env={**os.environ, 'PYTHONPATH': str(sample)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == output


def test_the_latency_parser_works(sample: Path) -> None:
    code = (
        'import rtvirt\n'
        'result = rtvirt.parse_latency("# sample-latency 1\\n7\\n9\\n7\\n")\n'
        'print(result.tool, dict(result.threads[0].histogram.items()))\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': str(sample)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == 'sample {7: 2, 9: 1}\n'


def test_it_is_listed(with_sample: Program) -> None:
    done = with_sample('plugin', 'list', '-f', 'json')
    assert done.returncode == 0, done.stderr
    mine = {
        (plugin['namespace'], plugin['name'], plugin['version'])
        for plugin in json.loads(done.stdout)['plugins']
        if plugin['distribution'] == 'rtvirt-sample'
    }
    assert mine == {
        ('rtvirt.commands', 'flavor_size', '1.0'),
        ('rtvirt.configurators', 'vmport', '1.0'),
        ('rtvirt.host_checks', 'rack', '1.0'),
        ('rtvirt.lint_rules', 'plant', '1.0'),
        ('rtvirt.verifiers', 'undisturbed', '1.0'),
        ('rtvirt.latency_parsers', 'one_line', '1.0'),
    }


def test_a_broken_one_is_named(other: Path, tmp_path: Path) -> None:
    rename(other, 'configurator:VMPort', 'configurator:NoPort')
    program = Program(other, cache=tmp_path)
    done = program(*XML)
    assert (done.returncode, done.stdout) == (1, '')
    first, hint = done.stderr.splitlines()
    assert "plug-in 'vmport' of rtvirt.configurators" in first
    assert 'shipped by rtvirt-other 1.0) cannot be loaded' in first
    assert 'NoPortConfigurator' in first
    assert 'rtvirt-other' in hint
    done = program('plugin', 'list')
    assert done.returncode == 1
    assert done.stdout.count('| broken ') == 1
    assert done.stderr == f'{first}\n'


@pytest.mark.parametrize('is_first', [True, False])
def test_one_that_owns_the_same_is_named(
    sample: Path, other: Path, tmp_path: Path, is_first: bool
) -> None:
    rename(other, 'vmport =', 'vmport_too =')
    sites = (other, sample) if is_first else (sample, other)
    done = Program(*sites, cache=tmp_path)(*XML)
    assert (done.returncode, done.stdout) == (1, '')
    first = done.stderr.splitlines()[0]
    assert first.startswith("rtvirt: plug-in 'vmport_too' of rtvirt.config")
    assert 'both own features/vmport' in first
    assert 'rtvirt-other' in first
    assert 'rtvirt-sample' in first


def test_one_of_the_same_name_is_named(
    sample: Path, other: Path, tmp_path: Path
) -> None:
    program = Program(sample, other, cache=tmp_path)
    done = program(*XML)
    assert (done.returncode, done.stdout) == (1, '')
    assert 'have the same name' in done.stderr
    done = program('flavor', 'size', SMALL)
    assert done.returncode == 1
    assert 'have the same name' in done.stderr
    assert program('flavor', 'show', SMALL).returncode == 0


def test_a_change_is_seen_at_once(other: Path, tmp_path: Path) -> None:
    program = Program(other, cache=tmp_path)
    assert program('flavor', 'size', SMALL).returncode == 0
    rename(other, 'flavor_size', 'flavor_measure')
    assert program('flavor', 'size', SMALL).returncode == 2
    assert program('flavor', 'measure', SMALL).returncode == 0


def test_a_missing_one_is_named(with_sample: Program, sample: Path) -> None:
    code = (
        'from rtvirt import plugins\n'
        'from rtvirt.exception import PluginError\n'
        'plugins.configurators("vmport")\n'
        'try:\n'
        '    plugins.configurators("vmprot")\n'
        'except PluginError as error:\n'
        '    print(error, error.hint)\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': str(sample)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == (
        "there is no plug-in 'vmprot' in rtvirt.configurators "
        "did you mean 'vmport'?\n"
    )
