# SPDX-License-Identifier: Apache-2.0
"""What comes before a migration, and after one that fails.

libvirt's test driver plans and defines as others do, and migrates nothing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtvirt.cli.app import main
from rtvirt.conf.settings import Settings
from rtvirt.domain import apply_plan
from rtvirt.exception import HostError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.host.connection import connect
from rtvirt.lifecycle.create import define_domain
from rtvirt.lifecycle.migrate import migrate_domain
from rtvirt.model.flavor import Flavor
from rtvirt.tests.require import require

URI = 'test:///default'
BASE = """\
<domain type='test'><name>{}</name><memory unit='MiB'>64</memory>
<vcpu>2</vcpu><os><type arch='i686'>hvm</type></os></domain>
"""
NODE = """\
<node><domain type='test'><name>rival</name><memory unit='MiB'>64</memory>
<vcpu>1</vcpu><cputune><vcpupin vcpu='0' cpuset='3'/></cputune>
<os><type arch='i686'>hvm</type></os></domain></node>
"""


@pytest.fixture
def source() -> Iterator[Any]:
    """A connection that keeps the test driver's state alive."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    with connect(URI, read_only=False) as connection:
        yield connection
        for domain in connection.listAllDomains():
            is_kept = domain.isPersistent()
            if domain.isActive():
                domain.destroy()
            if is_kept:
                domain.undefine()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(connection_uri=URI, lock_path=str(tmp_path))


@pytest.fixture
def running(source: Any, settings: Settings) -> Any:
    flavor = Flavor(
        name='f',
        vcpus=2,
        memory_mib=64,
        extra_specs={'hw:cpu_policy': 'dedicated'},
    )
    define_domain(
        parse_guest(flavor),
        lambda plan: apply_plan(plan, BASE.format('a')),
        settings=settings,
    )
    domain = source.lookupByName('a')
    domain.create()
    return domain


class There:
    """Another host: its domains are its own, its pCPUs as the source's.

    The test driver knows no topology of a host that is read from a file.
    """

    def __init__(self, domains: Any, host: Any) -> None:
        self._domains = domains
        self._host = host

    def getCapabilities(self) -> Any:  # noqa: N802 - libvirt's name
        return self._host.getCapabilities()

    def getFreePages(self, *args: Any) -> Any:  # noqa: N802
        return self._host.getFreePages(*args)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._domains, name)


@pytest.fixture
def to(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    path = tmp_path / 'node.xml'
    path.write_text(NODE)
    to = f'test://{path}'
    with connect(to, read_only=False) as domains:
        there = There(domains, source)

        def connect_to(uri: str, **how: Any) -> Any:
            if uri == to:
                return contextlib.nullcontext(there)
            return connect(uri, **how)

        monkeypatch.setattr('rtvirt.lifecycle.migrate.connect', connect_to)
        yield to
        # Whatever happened.
        assert names(domains) == ['rival']


def names(connection: Any) -> list[str]:
    return [domain.name() for domain in connection.listAllDomains()]


def test_one_without_room_is_refused(
    running: Any,
    to: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ('domain', 'migrate', 'a', '--connect', URI, '--to', to)
    where = ('--dedicated', '2-3', '--lock-path', str(tmp_path))

    assert main([*argv, *where]) == 4
    err = capsys.readouterr().err
    assert 'rival holds pCPU 3' in err
    assert main([*argv, *where, '-f', 'json']) == 4
    assert json.loads(capsys.readouterr().out)['reasons']
    assert running.isActive()


def test_one_that_cannot_be_sent_runs_on(
    running: Any, to: str, settings: Settings
) -> None:
    with pytest.raises(HostError) as caught:
        migrate_domain('a', to, settings=settings)

    said = str(caught.value)
    assert said.startswith("cannot migrate domain 'a' to ")
    assert 'are not supported' in said
    assert 'it is running at the source as before, and cannot be' in said
    assert '\n' not in said
    assert running.isActive()


def test_its_place_is_held_until_it_is_there(
    running: Any,
    to: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def send(_handle: Any, destination: Any, *_more: Any) -> None:
        seen.extend(names(destination))
        raise KeyboardInterrupt

    monkeypatch.setattr('rtvirt.lifecycle.migrate.send', send)
    with pytest.raises(KeyboardInterrupt):
        migrate_domain('a', to, settings=settings)

    assert sorted(seen) == ['a', 'rival']


def test_what_is_left_is_said(
    running: Any,
    to: str,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    left = []

    def fail(target: Any) -> None:
        import libvirt  # noqa: PLC0415 - it is an extra

        left.append(target)
        raise libvirt.libvirtError('the host is gone')

    monkeypatch.setattr('rtvirt.lifecycle.claim._forget', fail)
    with pytest.raises(HostError, match='at the source as before'):
        migrate_domain('a', to, settings=settings)

    (target,) = left
    assert "domain 'a' may still be defined on" in caplog.text
    target.undefine()


def test_what_cannot_be_migrated(
    source: Any, running: Any, to: str, settings: Settings
) -> None:
    with pytest.raises(HostError, match='no such domain'):
        migrate_domain('none', to, settings=settings)
    source.createXML(BASE.format('plain'))
    with pytest.raises(HostError, match=r"domain 'plain' has no plan"):
        migrate_domain('plain', to, settings=settings)
    with pytest.raises(HostError, match=r"is a domain 'a' on .* already"):
        migrate_domain('a', URI, settings=settings)
    running.destroy()
    with pytest.raises(HostError, match='does not run: it is shut off'):
        migrate_domain('a', to, settings=settings)
