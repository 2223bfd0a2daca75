# SPDX-License-Identifier: Apache-2.0
"""Tenants fill a host to its last pCPU and page, and it is rebooted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

import pytest

from rtvirt.tests.lab.guests import Guest
from rtvirt.tests.lab.guests import guest
from rtvirt.tests.lab.guests import rtvirt
from tools.lab.machine import EmulatedHost
from tools.lab.tuning import tuned_files

_FLAVOR: Final = """\
name: tenant
vcpus: {vcpus}
ram: {ram}
disk: 0
properties:
  hw:cpu_policy: {policy}
  hw:mem_page_size: {page}
"""
_REALTIME: Final = """\
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
"""
_SETS: Final = '--dedicated 2-7 --shared 0-1'
_TENANTS: Final = {'red-1': 2048, 'blue-1': 1024, 'blue-2': 1024}


def _flavor(ram: int) -> str:
    whole = _FLAVOR.format(vcpus=2, ram=ram, policy='dedicated', page='1GB')
    return whole + _REALTIME


@pytest.fixture(scope='module')
def tenants(host: EmulatedHost) -> Iterator[dict[str, Guest]]:
    """A guest of one tenant, and two of another, by name."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(
                guest(host, name, flavor=_flavor(ram).encode())
            )
            for name, ram in _TENANTS.items()
        }


def _reasons(host: EmulatedHost, flavor: str) -> set[str]:
    host.write('more.yaml', flavor.encode())
    found = rtvirt(host, f'plan --flavor more.yaml {_SETS}', code=4)
    return {reason['code'] for reason in found['reasons']}


def test_the_host_is_full_to_the_last_pcpu_and_page(
    host: EmulatedHost, tenants: dict[str, Guest]
) -> None:
    masks = [
        int(mask, 16) for guest in tenants.values() for mask in guest.masks()
    ]
    free = host.shell(
        'cat /sys/devices/system/node/node*/hugepages/'
        'hugepages-1048576kB/free_hugepages'
    )

    assert sorted(masks) == [1 << cpu for cpu in range(2, 8)]
    assert free.stdout.split() == ['0', '0']
    assert [one.verify(code=0) for one in tenants.values()] == [[], [], []]


def _assert_full(host: EmulatedHost) -> None:
    """One more is refused for what is lacking, and that alone."""
    pcpus = _FLAVOR.format(vcpus=1, ram=1024, policy='dedicated', page='small')
    pages = _FLAVOR.format(vcpus=1, ram=1024, policy='shared', page='1GB')

    assert _reasons(host, pcpus) == {'dedicated-cpus'}
    assert _reasons(host, pages) == {'pages'}


def test_the_next_one_is_refused_for_what_is_lacking(
    host: EmulatedHost, tenants: dict[str, Guest]
) -> None:
    _assert_full(host)


def test_the_next_one_is_not_created(
    host: EmulatedHost, tenants: dict[str, Guest]
) -> None:
    host.write('more.yaml', _flavor(1024).encode())
    line = f'rtvirt domain create blue-3 --flavor more.yaml {_SETS}'

    refused = host.shell(line)

    assert refused.code == 4
    assert 'dedicated pCPU' in refused.stdout + refused.stderr
    names = host.run('virsh', 'list', '--all', '--name').stdout.split()
    assert sorted(names) == sorted(tenants)


def test_all_is_told_truly_after_a_reboot(
    host: EmulatedHost, tenants: dict[str, Guest]
) -> None:
    """The guests are down, and what they had is still theirs."""
    host.reboot(tuned_files(host.topology))

    listed = rtvirt(host, 'domain list')['domains']
    assert {one['name']: one['state'] for one in listed} == dict.fromkeys(
        tenants, 'shut off'
    )
    down = host.run('rtvirt', 'domain', 'verify', 'red-1')
    assert down.code == 1
    assert 'does not run' in down.stderr
    _assert_full(host)

    for name, tenant in tenants.items():
        rtvirt(host, f'domain start {name} --paused')
        assert tenant.verify(code=0) == []
    _assert_full(host)
