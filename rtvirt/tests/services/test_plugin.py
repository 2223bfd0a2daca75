# SPDX-License-Identifier: Apache-2.0
"""nova finds the driver, wherever rtvirt is installed."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys
from pathlib import Path

import nova.virt
import pytest
from nova.virt.libvirt import driver as libvirt_driver

import rtvirt
from rtvirt.exception import HostError
from rtvirt.exception import PluginError
from rtvirt.nova import driver
from rtvirt.nova import plugin
from rtvirt.nova import privileged

_LOAD = """
import warnings; warnings.simplefilter('ignore')
import nova.conf, os, sys
os.environ['OS_NOVA_DISABLE_EVENTLET_PATCHING'] = 'yes'
nova.conf.CONF([], project='nova', default_config_files=[])
{initialize}
from nova.virt import driver
loaded = driver.load_compute_driver(None, 'rtvirt.RTLibvirtDriver')
print(sys.modules['nova.virt.rtvirt'].__file__)
"""


def load(initialize: str, path: Path | None = None) -> tuple[int, str]:
    """Load the driver in a new process, as nova-compute does."""
    done = subprocess.run(
        [sys.executable, '-c', _LOAD.format(initialize=initialize)],
        env={'PYTHONPATH': str(path)} if path else {},
        cwd='/',
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def nova_files() -> set[str]:
    root = Path(nova.virt.__file__).parent
    return {str(path) for path in root.rglob('*.py')}


def test_another_prefix_will_do(tmp_path: Path) -> None:
    """The package lies beside its metadata, far from nova's."""
    before = nova_files()
    package = Path(rtvirt.__file__).parent
    shutil.copytree(
        package,
        tmp_path / 'rtvirt',
        ignore=shutil.ignore_patterns('tests', '__pycache__'),
    )
    metadata = importlib.metadata.distribution('rtvirt')
    info = tmp_path / f'rtvirt-{metadata.version}.dist-info'
    info.mkdir()
    for name in ('METADATA', 'entry_points.txt'):
        (info / name).write_text(metadata.read_text(name) or '')
    code, said = load('import os_vif; os_vif.initialize()', tmp_path)
    assert code == 0, said
    assert str(tmp_path / 'rtvirt' / 'nova' / 'shim' / 'rtvirt.py') in said
    assert nova_files() == before


def test_without_the_plugin_nova_does_not_start() -> None:
    code, said = load('')
    assert code == 1
    assert 'No module named' in said


def test_another_module_of_that_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / 'rtvirt.py').touch()
    monkeypatch.setattr(nova.virt, '__path__', [str(tmp_path)])
    monkeypatch.delitem(sys.modules, 'nova.virt.rtvirt', raising=False)
    with pytest.raises(PluginError, match=r'nova\.virt\.rtvirt is '):
        plugin.open_path()


def test_it_plugs_no_vif() -> None:
    made = plugin.LoadPath.load('rtvirt')
    assert made.describe().vif_info == []
    for deed in (made.plug, made.unplug):
        with pytest.raises(Exception, match='handles no VIF'):
            deed(None, None)


@pytest.mark.parametrize('name', driver.OVERRIDDEN)
def test_a_nova_without_a_method_is_refused(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for base in libvirt_driver.LibvirtDriver.__mro__:
        monkeypatch.delattr(base, name, raising=False)
    with pytest.raises(PluginError, match=name):
        driver._check_base()


def test_all_that_the_driver_overrides_is_checked() -> None:
    own = {
        name
        for name in vars(driver.RTLibvirtDriver)
        if hasattr(libvirt_driver.LibvirtDriver, name)
        and not name.startswith('__')
    }
    assert own == set(driver.OVERRIDDEN)


@pytest.mark.parametrize(
    ('uuid', 'words'),
    [
        ('../../etc/passwd', 'is no UUID of a guest'),
        ('00000000-0000-4000-8000-000000000000', 'no process here'),
    ],
)
def test_only_guests_are_read(uuid: str, words: str) -> None:
    with pytest.raises(HostError, match=words):
        privileged._observe(uuid)


def test_who_only_says_to_be_a_guest_is_not_read() -> None:
    uuid = 'a0000000-0000-4000-8000-00000000000a'
    with subprocess.Popen(
        [
            *(sys.executable, '-c'),
            *('import sys; print(flush=True); sys.stdin.read()',),
            *('-uuid', uuid, 'end'),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as liar:
        assert liar.stdout is not None
        liar.stdout.readline()
        with pytest.raises(HostError, match='says it is domain'):
            privileged._observe(uuid)
