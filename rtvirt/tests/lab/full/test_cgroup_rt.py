# SPDX-License-Identifier: Apache-2.0
"""A kernel with real-time group scheduling: foretold, explained, mended.

No thread of libvirt's new groups may become real-time, and libvirt says
"Operation not permitted".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from rtvirt.tests.lab.guests import SMALL
from rtvirt.tests.lab.guests import Guest
from rtvirt.tests.lab.guests import guest
from rtvirt.tests.lab.guests import rtvirt
from tools.lab.guest_domain import template
from tools.lab.machine import EmulatedHost
from tools.lab.machine import emulated_host
from tools.lab.topology import CGROUP_RT

_TUNE: Final = 'host tune --dedicated 2-7 --hugepages 1G=4'
_CONF: Final = '/etc/libvirt/qemu.conf'
_CREATE: Final = (
    'rtvirt domain create rt1 --flavor rt1.yaml --dedicated 2-7 '
    '--shared 0-1 --base rt1.xml --paused'
)
_FREE: Final = (
    'cat /sys/devices/system/node/node*/hugepages/hugepages-1048576kB/'
    'free_hugepages'
)
_RESTART: Final = """\
kill $(cat /run/libvirtd.pid)
while pgrep -x libvirtd; do sleep 0.2; done
libvirtd --listen >/run/libvirtd.log 2>&1 &
until virsh version; do sleep 0.2; done
"""


@pytest.fixture(scope='module')
def host(tools: None) -> Iterator[EmulatedHost]:
    """A host whose libvirt uses the cpu controller; tuned for the rest."""
    with emulated_host(CGROUP_RT) as booted:
        booted.write('rt1.yaml', SMALL)
        booted.write('rt1.xml', template('rt1'))
        yield booted


@pytest.fixture
def as_found(host: EmulatedHost) -> Iterator[None]:
    """What is done to the host, or to its libvirt, is undone."""
    before = host.read(_CONF)
    yield
    host.shell('sysctl -w kernel.sched_rt_runtime_us=950000').check()
    if host.read(_CONF) != before:
        _configure(host, before)


def _configure(host: EmulatedHost, text: str) -> None:
    host.write(_CONF, text.encode())
    host.shell(_RESTART).check()


def _check(host: EmulatedHost, codes: str, *, code: int) -> dict[str, str]:
    """Return the severities of what is found, by code."""
    found = rtvirt(host, f'host check --only {codes}', code=code)
    return {one['code']: one['severity'] for one in found['findings']}


def _is_refused(host: EmulatedHost) -> None:
    """libvirt's error is explained, and nothing is left behind."""
    outcome = host.shell(_CREATE)

    assert outcome.code == 1, outcome
    assert 'refuses a real-time scheduler' in outcome.stderr
    assert 'Operation not permitted' in outcome.stderr
    assert 'RT-B02' in outcome.stderr
    assert host.shell('virsh list --all --name').stdout.strip() == ''
    assert rtvirt(host, 'domain list')['domains'] == []
    assert host.shell(_FREE).stdout.split() == ['2', '2']


def _runs_as_planned(created: Guest) -> None:
    assert created.schedulers()[2:] == [('SCHED_FIFO', 1)] * 2
    assert created.masks() == ['4', '8', '10', '20']
    assert created.verify(code=0) == []


def test_it_is_foretold(host: EmulatedHost) -> None:
    found = _check(host, 'RT-B01,RT-B02', code=3)

    assert found == {'RT-B01': 'error', 'RT-B02': 'fatal'}


def test_it_is_refused_and_explained(host: EmulatedHost) -> None:
    _is_refused(host)
    # The group that libvirt made above that of the guest.
    assert _check(host, 'RT-B03', code=3) == {'RT-B03': 'fatal'}


def test_what_host_tune_prints_mends_it(
    host: EmulatedHost, as_found: None
) -> None:
    files = rtvirt(host, _TUNE)['files']
    [conf] = [file['text'] for file in files if file['path'] == _CONF]
    _configure(host, host.read(_CONF) + conf)

    assert _check(host, 'RT-B02,RT-B03', code=0) == {'RT-B02': 'warning'}
    with guest(host, 'rt1') as created:
        _runs_as_planned(created)


def test_without_a_limit_of_real_time_it_is_not_in_force(
    host: EmulatedHost, as_found: None
) -> None:
    host.shell('sysctl -w kernel.sched_rt_runtime_us=-1').check()

    assert _check(host, 'RT-B02,RT-B03', code=0) == {'RT-B02': 'warning'}
    # Which on a kernel like this has a price.
    assert _check(host, 'RT-X01', code=3) == {'RT-X01': 'error'}
    with guest(host, 'rt1') as created:
        _runs_as_planned(created)
