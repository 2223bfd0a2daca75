# SPDX-License-Identifier: Apache-2.0
"""Tenants fill a host to its last pCPU and page, and it is rebooted."""

from __future__ import annotations

import contextlib
from typing import Final

from rtvirt.tests.lab.guests import guest
from rtvirt.tests.lab.guests import rtvirt
from tools.lab.machine import EmulatedHost
from tools.lab.tuning import tuned_files

_FLAVOR: Final = """\
name: tenant
vcpus: 2
ram: {ram}
disk: 0
properties:
  hw:cpu_policy: dedicated
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
  hw:mem_page_size: 1GB
"""
_SETS: Final = '--dedicated 2-7 --shared 0-1'


def test_a_full_host_refuses_and_tells_the_truth_after_a_reboot(
    host: EmulatedHost,
) -> None:
    tenants = {'red-1': 2048, 'blue-1': 1024, 'blue-2': 1024}
    with contextlib.ExitStack() as stack:
        for name, ram in tenants.items():
            flavor = _FLAVOR.format(ram=ram).encode()
            stack.enter_context(guest(host, name, flavor=flavor))
        free = host.shell(
            'cat /sys/devices/system/node/node*/hugepages/'
            'hugepages-1048576kB/free_hugepages'
        )
        assert free.stdout.split() == ['0', '0']
        for name in tenants:
            rtvirt(host, f'domain verify {name}')
        _is_refused(host)

        host.reboot(tuned_files(host.topology))

        states = rtvirt(host, 'domain list')['domains']
        assert {one['name'] for one in states} == set(tenants)
        assert host.shell('virsh list --name').stdout.strip() == ''
        _is_refused(host)
        rtvirt(host, 'domain start red-1 --paused')
        rtvirt(host, 'domain verify red-1')


def _is_refused(host: EmulatedHost) -> None:
    """One more has neither pCPUs nor pages."""
    host.write('more.yaml', _FLAVOR.format(ram=1024).encode())
    found = rtvirt(host, f'plan --flavor more.yaml {_SETS}', code=4)
    reasons = {reason['code'] for reason in found['reasons']}
    assert 'dedicated-cpus' in reasons
