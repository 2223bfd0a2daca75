# SPDX-License-Identifier: Apache-2.0
"""Every way on which nova starts a guest carries the tuning and the proof.

Two computes with nova's fake of libvirt: what is handed to libvirt counts.
"""

from __future__ import annotations

from typing import Any
from typing import Final

import fixtures
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional.libvirt import base
from nova.virt.libvirt import guest as libvirt_guest

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.model.facts.host import HostFacts
from rtvirt.nova import driver
from rtvirt.nova import privileged
from rtvirt.tests.services.case import NovaCase

_HOSTS: Final = ('host1', 'host2')
_FLAVOR: Final = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:cpu_realtime_mask': '^0',
    'rtvirt:priority': '1=7,2=9',
    'rtvirt:emulator_priority': '3',
}


class TestPaths(NovaCase, base.LibvirtMigrationMixin, base.ServersTestBase):  # type: ignore[misc]
    """A server of three vCPUs, two of them real-time."""

    ADMIN_API = True
    microversion = 'latest'

    def _setup_compute_service(self) -> None:
        self.flags(compute_driver='rtvirt.RTLibvirtDriver')
        self.flags(preflight='off', trait_interval=3600, group='rtvirt')
        self.flags(cpu_dedicated_set='0-3', group='compute')

    def setUp(self) -> None:
        super().setUp()
        self.documents: list[str] = []
        self.proofs: list[str] = []
        create = libvirt_guest.Guest.create

        def keep_and_create(xml: str, host: Any) -> Any:
            self.documents.append(xml)
            return create(xml, host)

        self.useFixture(
            fixtures.MockPatchObject(
                libvirt_guest.Guest, 'create', keep_and_create
            )
        )
        self.useFixture(fixtures.MockPatchObject(driver, 'prove', self.prove))
        self.useFixture(
            fixtures.MockPatchObject(privileged, 'read_host', HostFacts)
        )
        for name in _HOSTS:
            host = fakelibvirt.HostInfo(
                cpu_nodes=1, cpu_sockets=1, cpu_cores=4, cpu_threads=1
            )
            self.start_compute(hostname=name, host_info=host)
        self.server = self._create_server(
            flavor_id=self._create_flavor(
                vcpu=3, memory_mb=512, extra_spec=_FLAVOR
            ),
            host='host1',
            networks='none',
        )
        self.assert_started()

    def prove(self, instance: Any, guest: Any, *_: Any, **__: Any) -> None:
        """Stand in for the proof: a fake has no process."""
        assert guest.uuid == instance.uuid
        self.proofs.append(guest.uuid)

    def assert_started(self) -> Domain:
        """Look at what was started, and forget it."""
        domain = parse_domain(self.documents[-1])
        scheds = domain.cputune.vcpuscheds
        assert {(str(s.cpus), s.priority) for s in scheds} == {
            ('1', 7),
            ('2', 9),
        }
        assert domain.cputune.emulatorsched is not None
        plan = plan_of(domain)
        assert plan is not None
        assert plan.pins == domain.cputune.vcpupins
        assert self.server['id'] in self.proofs
        self.documents.clear()
        self.proofs.clear()
        return domain

    def test_starts(self) -> None:
        self._reboot_server(self.server, hard=True)
        self.assert_started()

        self._reboot_server(self.server)
        assert not self.documents
        assert self.proofs == [self.server['id']]

        self._stop_server(self.server)
        self._start_server(self.server)
        self.assert_started()

        self._suspend_server(self.server)
        self._resume_server(self.server)
        # libvirt's own document, which the fake keeps in part only.
        assert len(self.documents) == 1
        assert self.server['id'] in self.proofs

    def test_moves(self) -> None:
        self.flags(shelved_offload_time=0)
        self._shelve_server(self.server)
        self._unshelve_server(self.server)
        self.assert_started()

        with self.moving():
            self._migrate_server(self.server)
            self.assert_started()
            self._revert_resize(self.server)
            self.assert_started()

        self.evacuate()
        self.assert_started()

    def evacuate(self) -> None:
        """Take the server off a host that is down."""
        server = self.api.get_server(self.server['id'])
        host = server['OS-EXT-SRV-ATTR:host']
        self.computes[host].stop()
        (service,) = self.admin_api.get_services(
            host=host, binary='nova-compute'
        )
        self.admin_api.put_service_force_down(service['id'], True)
        (other,) = set(_HOSTS) - {host}
        self._evacuate_server(server, expected_host=other)

    def moving(self) -> Any:
        """Leave the disks where they are."""
        return fixtures.MockPatch(
            'nova.virt.libvirt.driver.LibvirtDriver'
            '.migrate_disk_and_power_off',
            return_value='{}',
        )
