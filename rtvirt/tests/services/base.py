# SPDX-License-Identifier: Apache-2.0
"""nova's own fixtures, with the real libvirt instead of a fake one.

In the process: nova-api, conductor, scheduler, compute, and placement, with
databases in memory. Real: libvirtd, QEMU, and privsep's daemon for what
rtvirt reads. Stood in for: keystone, glance, neutron, the message queue.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import ClassVar

import fixtures
import libvirt
import nova.conf
import pytest
from nova.tests import fixtures as nova_fixtures
from nova.tests.functional import integrated_helpers

from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.observed import ObservedDomain
from rtvirt.nova import opts
from rtvirt.nova import privileged
from rtvirt.tests.services.case import NovaCase

_HOST = 'nova.virt.libvirt.host'


class _LibvirtThreads(fixtures.Fixture):
    """Ends the threads that nova-compute has until its process ends."""

    def _setUp(self) -> None:  # noqa: N802 - its name in fixtures
        self.hosts: list[Any] = []

        def dispatch(host: Any) -> None:
            self.hosts.append(host)
            while (
                handler := host._conn_event_handler_queue.get()
            ) is not None:
                handler()

        # rtvirt.host.connection runs the one event loop of the process.
        handler = f'{_HOST}._ThreadingLibvirtEventHandler'
        self.useFixture(
            fixtures.MonkeyPatch(
                f'{handler}._native_thread', lambda _self: None
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(f'{_HOST}.Host._conn_event_thread', dispatch)
        )
        self.addCleanup(self._end)

    def _end(self) -> None:
        for host in self.hosts:
            host._conn_event_handler_queue.put(None)
            # Else its events go to a nova that has ended.
            host.get_connection().close()


@pytest.mark.usefixtures('services')
class ServicesTestCase(NovaCase, integrated_helpers._IntegratedTestBase):  # type: ignore[misc]
    """nova, started anew for each test."""

    # They keep nova's own tests off the machine that they run on.
    guards = (
        *NovaCase.guards,
        'GenericPoisonFixture',
        'ImportModulePoisonFixture',
        'PoisonFunctions',
        'PrivsepNoHelperFixture',
        'SysFsPoisonFixture',
    )

    ADMIN_API = True
    CAST_AS_CALL = False
    microversion = 'latest'

    uri: ClassVar[str]
    compute_driver: ClassVar[str] = 'rtvirt.RTLibvirtDriver'
    dedicated: ClassVar[str | None] = '0-1'
    shared: ClassVar[str | None] = None
    options: ClassVar[Mapping[str, Any]] = {}

    def _setup_services(self) -> None:
        # nova's own privileged code in the process, rtvirt's in a daemon.
        self.useFixture(nova_fixtures.PrivsepFixture())
        helper = Path(sys.executable).with_name('privsep-helper')
        self.flags(helper_command=str(helper), group='rtvirt_privileged')
        self.addCleanup(privileged.context.stop)
        self._configure()
        self.libvirt = libvirt.open(self.uri)
        self.addCleanup(self.libvirt.close)
        self.addCleanup(self._end_domains)
        self.useFixture(_LibvirtThreads())
        super()._setup_services()

    def _configure(self) -> None:
        state = self.useFixture(fixtures.TempDir()).path
        self.flags(
            compute_driver=self.compute_driver,
            instances_path=state,
            state_path=state,
            force_raw_images=False,
            use_cow_images=False,
            reserved_host_memory_mb=0,
            reserved_host_disk_mb=0,
            allow_resize_to_same_host=True,
            # A guest without a system hears no power button.
            shutdown_timeout=0,
        )
        self.flags(
            cpu_dedicated_set=self.dedicated,
            cpu_shared_set=self.shared,
            group='compute',
        )
        self.flags(
            virt_type='qemu',
            cpu_mode='none',
            connection_uri=self.uri,
            hw_machine_type=['x86_64=pc'],
            images_type='raw',
            # Software emulation would lock 1 GiB of translated code.
            tb_cache_size=32,
            sysinfo_serial='none',
            group='libvirt',
        )
        self.flags(enabled=False, group='vnc')
        self.flags(
            available_filters=[
                'nova.scheduler.filters.all_filters',
                'rtvirt.nova.filter.RTVirtFilter',
            ],
            enabled_filters=[
                'ComputeFilter',
                'ComputeCapabilitiesFilter',
                'ImagePropertiesFilter',
                'RTVirtFilter',
            ],
            group='filter_scheduler',
        )
        opts.register(nova.conf.CONF)
        self.flags(**self.options, group='rtvirt')

    def add_image(self, **properties: str) -> str:
        """Return the id of an image without a system."""
        data = bytes(1 << 20)
        image = {
            'name': 'empty',
            'min_ram': 0,
            'min_disk': 0,
            'container_format': 'bare',
            'disk_format': 'raw',
            'size': len(data),
            'status': 'active',
            'protected': False,
            'visibility': 'public',
            'tags': [],
            'properties': properties,
        }
        made: str = self.glance.create(None, image, io.BytesIO(data))['id']
        return made

    def add_flavor(
        self, vcpus: int, memory_mib: int, **extra_specs: str
    ) -> str:
        """Return the id of a flavor; ``__`` stands for a colon."""
        made: str = self._create_flavor(
            vcpu=vcpus,
            memory_mb=memory_mib,
            disk=1,
            ephemeral=0,
            swap=0,
            extra_spec={
                key.replace('__', ':'): value
                for key, value in extra_specs.items()
            },
        )
        return made

    def boot(self, flavor: str, state: str = 'ACTIVE') -> Any:
        """Create a server by the API and return it in this state."""
        return self._create_server(
            flavor_id=flavor,
            image_uuid=self.add_image(),
            networks='none',
            expected_state=state,
        )

    def domain(self, server: Any) -> Domain:
        """Return what libvirt has of a server now."""
        domain = self.libvirt.lookupByUUIDString(server['id'])
        return parse_domain(domain.XMLDesc())

    def observe(self, server: Any) -> ObservedDomain:
        """Return what the kernel shows of a server."""
        tree = DirectoryTree()
        return observe(tree, find_guests(tree)[server['id']])

    def _wait_for_server_parameter(
        self, server: Any, expected: Any, max_retries: int = 10, **kwargs: Any
    ) -> Any:
        # Ten halves of a second are enough for fakes.
        return super()._wait_for_server_parameter(
            server, expected, max_retries=max(max_retries, 120), **kwargs
        )

    def _end_domains(self) -> None:
        """Leave nothing, whatever failed: nova starts on no strange guest."""
        for domain in self.libvirt.listAllDomains():
            if domain.isActive():
                domain.destroy()
            if domain.isPersistent():
                domain.undefine()
