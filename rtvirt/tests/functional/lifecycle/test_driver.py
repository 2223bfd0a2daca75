# SPDX-License-Identifier: Apache-2.0
"""The life cycle on libvirt's test driver: sixteen pCPUs, no processes."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rtvirt.cli.app import main
from rtvirt.conf.settings import Settings
from rtvirt.domain import apply_plan
from rtvirt.exception import FitError
from rtvirt.exception import HostError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.host.connection import connect
from rtvirt.lifecycle.create import DefinedDomain
from rtvirt.lifecycle.create import create_domain
from rtvirt.lifecycle.create import define_domain
from rtvirt.lifecycle.end import destroy_domain
from rtvirt.lifecycle.listing import list_domains
from rtvirt.lifecycle.listing import show_domain
from rtvirt.lifecycle.start import start_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.tests.require import require

URI = 'test:///default'
BASE = """\
<domain type='test'><name>{}</name><memory unit='MiB'>64</memory>
<vcpu>1</vcpu><os><type arch='i686'>hvm</type></os>{}</domain>
"""
DEDICATED = {'hw:cpu_policy': 'dedicated'}


@pytest.fixture(autouse=True)
def connection() -> Iterator[Any]:
    """A connection that keeps the test driver's state alive."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    with connect(URI, read_only=False) as connection:
        # There is one that runs, of no use here.
        for domain in connection.listAllDomains():
            domain.destroy()
            domain.undefine()
        yield connection
        for domain in connection.listAllDomains():
            if domain.isActive():
                domain.destroy()
            domain.undefine()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(connection_uri=URI, lock_path=str(tmp_path))


def define(
    settings: Settings, name: str, vcpus: int = 1, **specs: str
) -> DefinedDomain:
    flavor = Flavor(
        name='f', vcpus=vcpus, memory_mib=64, extra_specs=DEDICATED | specs
    )
    return define_domain(
        parse_guest(flavor),
        lambda plan: apply_plan(plan, BASE.format(name, '')),
        settings=settings,
    )


def pins(name: str) -> CPUSet:
    plan = show_domain(URI, name).plan
    assert plan is not None
    return plan.claimed


def test_many_threads_share_no_pcpu(settings: Settings) -> None:
    """Forty want two pCPUs each; eight find them."""

    def attempt(number: int) -> bool:
        try:
            define(settings, f'd{number}', vcpus=2)
        except FitError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        done = [*pool.map(attempt, range(40))]

    assert done.count(True) == 8
    listed = list_domains(URI)
    assert len(listed) == 8
    for one, other in itertools.combinations(listed, 2):
        assert len(one.cpus) == 2
        assert not one.cpus & other.cpus


def test_who_does_not_fit_is_told_who_holds_what(settings: Settings) -> None:
    few = dataclasses.replace(settings, cpu_dedicated_set=CPUSet([2, 3]))
    define(few, 'a')
    define(few, 'b')

    with pytest.raises(FitError) as caught:
        define(few, 'c')

    assert f'a holds pCPU {pins("a")}' in caught.value.hint
    assert f'b holds pCPU {pins("b")}' in caught.value.hint
    destroy_domain(URI, 'a', undefine=True)
    assert define(few, 'c').plan.claimed <= {2, 3}


def test_a_name_is_used_once(settings: Settings) -> None:
    define(settings, 'a')
    with pytest.raises(HostError, match='already') as caught:
        define(settings, 'a')
    assert 'rtvirt domain start a' in caught.value.hint
    assert len(list_domains(URI)) == 1


def test_one_whose_place_was_taken_is_planned_anew(
    settings: Settings, connection: Any
) -> None:
    define(settings, 'mine')
    before = pins('mine')
    rival = f"<cputune><vcpupin vcpu='0' cpuset='{before}'/></cputune>"
    connection.defineXML(BASE.format('rival', rival))

    # The test driver starts nothing paused; all else has been done then.
    with pytest.raises(HostError, match='cannot do that'):
        start_domain('mine', settings=settings)

    after = pins('mine')
    assert after
    assert not after & before
    document = show_domain(URI, 'mine').domain
    assert document.cputune.vcpupins == {0: after}

    with pytest.raises(HostError, match='cannot do that'):
        start_domain('mine', settings=settings)
    assert pins('mine') == after


def test_one_that_fits_no_more_is_left_as_it_is(
    settings: Settings, connection: Any
) -> None:
    few = dataclasses.replace(settings, cpu_dedicated_set=CPUSet([5]))
    define(few, 'mine')
    rival = "<cputune><vcpupin vcpu='0' cpuset='5'/></cputune>"
    connection.defineXML(BASE.format('rival', rival))

    with pytest.raises(FitError) as caught:
        start_domain('mine', settings=few)

    assert 'rival holds pCPU 5' in caught.value.hint
    assert pins('mine') == {5}


def test_one_that_cannot_start_is_not_left_behind(settings: Settings) -> None:
    flavor = Flavor(name='f', vcpus=1, memory_mib=64, extra_specs=DEDICATED)
    with pytest.raises(HostError, match='cannot start'):
        create_domain(
            parse_guest(flavor),
            lambda plan: apply_plan(plan, BASE.format('a', '')),
            settings=settings,
        )
    assert list_domains(URI) == ()


def test_what_there_is_not(settings: Settings) -> None:
    for ask in (
        lambda: destroy_domain(URI, 'none'),
        lambda: show_domain(URI, 'none'),
        lambda: start_domain('none', settings=settings),
    ):
        with pytest.raises(HostError, match='no such domain'):
            ask()
    define(settings, 'off')
    with pytest.raises(HostError, match='does not run') as caught:
        destroy_domain(URI, 'off')
    assert '--undefine' in caught.value.hint


def test_the_commands(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    define(settings, 'a', vcpus=2)
    at = ('--connect', URI)

    assert main(['domain', 'list', *at]) == 0
    assert '| a ' in capsys.readouterr().out
    assert main(['domain', 'list', *at, '-f', 'json']) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed['schema_version'] == 1
    assert [one['name'] for one in listed['domains']] == ['a']
    assert listed['domains'][0]['cpus'] == [*pins('a')]

    assert main(['domain', 'show', 'a', *at]) == 0
    out = capsys.readouterr().out
    assert out.startswith('a: shut off, flavor f, 2 vCPUs, holds pCPUs')
    assert main(['domain', 'show', 'a', *at, '-f', 'json']) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown['plan']['guest']['vcpus'] == 2
    assert shown['observed'] is None

    assert main(['domain', 'destroy', 'a', *at]) == 1
    assert main(['domain', 'destroy', '--undefine', 'a', *at]) == 0
    assert main(['domain', 'destroy', 'a', *at]) == 1
    assert 'Traceback' not in capsys.readouterr().err


@pytest.mark.parametrize(
    ('more', 'code', 'said'),
    [
        (['--lock-timeout', '-1'], 2, 'no whole number of seconds'),
        (['--base', 'x', '--disk', '/d'], 2, '--disk is for a new domain'),
        (['--dedicated', '99'], 2, 'not online on this host'),
        (['--disk', 'relative.raw'], 1, 'expected an absolute path'),
        (['--connect', 'test:///nowhere'], 1, 'cannot connect to test'),
        (['--lock-path', '/dev/null/x'], 1, 'the lock /dev/null/x/host-'),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_done(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    said: str,
) -> None:
    flavor = tmp_path / 'flavor.yaml'
    flavor.write_text('name: f\nvcpus: 1\nram: 64\n')
    argv = ['domain', 'create', 'a', '--flavor', str(flavor)]

    assert (
        main([*argv, '--connect', URI, '--lock-path', str(tmp_path), *more])
        == code
    )

    assert said in capsys.readouterr().err
    assert list_domains(URI) == ()
