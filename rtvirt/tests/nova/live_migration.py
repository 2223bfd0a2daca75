# SPDX-License-Identifier: Apache-2.0
"""A real-time guest migrates there and back between two nova-computes.

nova's own functional fixtures: API, conductor, scheduler, placement and two
computes in one process, each with a fake libvirt. It hands the document that
it was given back as it is, as libvirt does but for what it adds. Run by
``test_live_migration`` in a process of its own.
"""

import sys
import warnings
from pathlib import Path
from typing import Any

import fixtures
import nova.conf
import pytest
from lxml import etree
from nova import context
from nova import objects
from nova.tests.fixtures import libvirt as fakelibvirt
from nova.tests.functional import integrated_helpers
from nova.tests.functional.api import client
from nova.tests.functional.libvirt import base
from nova.virt import hardware

from rtvirt.nova import fit
from rtvirt.nova import opts
from rtvirt.nova.plugin import open_path

CONF = nova.conf.CONF
VCPUS = 3
MASK = '^0'
PRIORITIES = {'1': '50', '2': '10'}
SPECS = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:cpu_realtime_mask': MASK,
    'rtvirt:scheduler': 'rr',
    'rtvirt:priority': '1=50,2=10',
    'rtvirt:emulator_priority': '2',
    'rtvirt:halt_poll': 'guest',
}
ABI = ('cpu', 'features', 'clock', 'devices', 'memory', 'vcpu', 'iothreads')


class Case(
    base.LibvirtMigrationMixin,  # type: ignore[misc]
    base.ServersTestBase,  # type: ignore[misc]
    integrated_helpers.InstanceHelperMixin,  # type: ignore[misc]
):
    """Two computes with rtvirt's driver, filter, weigher and validators."""

    microversion = 'latest'
    ADMIN_API = True
    driver = 'rtvirt.RTLibvirtDriver'

    def setUp(self) -> None:
        open_path()
        self.addCleanup(fit.uninstall)
        opts.register(CONF)
        # There is no QEMU whose threads could be looked at.
        self.override('verify', 'off', 'rtvirt')
        self.override('preflight', 'off', 'rtvirt')
        # Where a wheel puts it; nova's fixtures look for it in a checkout.
        paste = Path(sys.prefix, 'etc', 'nova', 'api-paste.ini')
        self.override('api_paste_config', str(paste), 'wsgi')
        super().setUp()
        # nova's fixture makes errors of what newer libraries warn of.
        warnings.simplefilter('ignore')
        self._keep_documents()
        # Nor is this process allowed to look at the host.
        self.useFixture(
            fixtures.MonkeyPatch(
                'rtvirt.nova.readiness.Readiness.traits',
                lambda readiness: frozenset(['CUSTOM_RTVIRT_REALTIME_READY']),
            )
        )
        self.sent: list[str] = []

    def override(self, name: str, value: str, group: str) -> None:
        """Set an option before nova's own set-up."""
        CONF.set_override(name, value, group)
        self.addCleanup(CONF.clear_override, name, group)

    def _keep_documents(self) -> None:
        made = fakelibvirt.Domain.__init__

        def keep(domain: Any, connection: Any, xml: Any, **kw: Any) -> None:
            domain.document = xml if isinstance(xml, str) else xml.decode()
            made(domain, connection, xml, **kw)

        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Domain.__init__', keep
            )
        )
        self.useFixture(
            fixtures.MonkeyPatch(
                'nova.tests.fixtures.libvirt.Domain.XMLDesc',
                lambda domain, flags: domain.document,
            )
        )

    def _setup_compute_service(self) -> None:
        self.flags(compute_driver=self.driver)

    def _setup_scheduler_service(self) -> Any:
        options = CONF.filter_scheduler
        self.flags(
            available_filters=[
                'nova.scheduler.filters.all_filters',
                'rtvirt.nova.filter.RTVirtFilter',
            ],
            enabled_filters=[*options.enabled_filters, 'RTVirtFilter'],
            weight_classes=[
                'nova.scheduler.weights.all_weighers',
                'rtvirt.nova.weigher.RTVirtWeigher',
            ],
            group='filter_scheduler',
        )
        return self.start_service('scheduler')

    def _migrate_stub(
        self, domain: Any, destination: str, params: Any, flags: int
    ) -> None:
        """Stand in for libvirt: note the document, and start it there."""
        self.sent.append(params['destination_xml'])
        super()._migrate_stub(domain, destination, params, flags)

    def start_both(self) -> None:
        for name in ('host_a', 'host_b'):
            self.start_compute(
                hostname=name,
                host_info=fakelibvirt.HostInfo(
                    cpu_nodes=1, cpu_sockets=1, cpu_cores=8, cpu_threads=1
                ),
            )

    def boot(self, flavor: str, host: str) -> Any:
        server = self._create_server(
            flavor_id=flavor, host=host, networks='none'
        )
        assert server['OS-EXT-SRV-ATTR:host'] == host
        return server

    def document(self, host: str) -> Any:
        connection = self.computes[host].driver._host.get_connection()
        domain = connection.lookupByUUIDString(self.server['id'])
        return etree.fromstring(domain.XMLDesc(0))

    def migrate(self, source: str, target: str) -> Any:
        """Migrate the server; return the document that was sent."""
        self.src = self.computes[source]
        self.dest = self.computes[target]
        self._live_migrate(self.server, 'completed')
        there = self.api.get_server(self.server['id'])
        assert there['OS-EXT-SRV-ATTR:host'] == target
        return etree.fromstring(self.sent[-1])

    def pinned(self) -> dict[str, str]:
        """Return what nova has of the server's pins."""
        topology = objects.InstanceNUMATopology.get_by_instance_uuid(
            context.get_admin_context(), self.server['id']
        )
        (cell,) = topology.cells
        return {str(v): str(p) for v, p in cell.cpu_pinning.items()}


def pins_of(document: Any) -> dict[str, str]:
    return {
        pin.get('vcpu'): pin.get('cpuset')
        for pin in document.iterfind('cputune/vcpupin')
    }


def schedulers_of(document: Any) -> dict[str, tuple[str, str]]:
    """Return scheduler and priority of each vCPU that has one."""
    found = {}
    for element in document.iterfind('cputune/vcpusched'):
        for vcpu in hardware.parse_cpu_spec(element.get('vcpus')):
            assert str(vcpu) not in found
            found[str(vcpu)] = (
                element.get('scheduler'),
                element.get('priority'),
            )
    return found


def abi_of(document: Any) -> dict[str, list[bytes]]:
    """Return what the guest sees, which must not change under way."""
    return {
        name: [etree.tostring(e, method='c14n') for e in document.iter(name)]
        for name in ABI
    }


class ThereAndBack(Case):
    """The document that is sent, in both directions."""

    def test_document(self) -> None:
        self.flags(cpu_dedicated_set='0-2', group='compute')
        self.start_both()
        flavor = self._create_flavor(vcpu=VCPUS, extra_spec=SPECS)
        # One guest on each: the next one there gets other pCPUs.
        self.server = self.boot(flavor, 'host_a')
        self.boot(flavor, 'host_b')
        self.flags(cpu_dedicated_set='0-5', group='compute')
        for host in ('host_a', 'host_b'):
            self.restart_compute_service(host)
        first = self.document('host_a')
        self.check(first, {'0': '0', '1': '1', '2': '2'})
        for source, target, cpus in (
            ('host_a', 'host_b', {'0': '3', '1': '4', '2': '5'}),
            ('host_b', 'host_a', {'0': '0', '1': '1', '2': '2'}),
        ):
            sent = self.migrate(source, target)
            self.check(sent, cpus)
            assert self.pinned() == cpus
            assert abi_of(sent) == abi_of(first)
        assert len(self.sent) == 2

    def check(self, document: Any, cpus: dict[str, str]) -> None:
        assert pins_of(document) == cpus
        wanted = {vcpu: ('rr', level) for vcpu, level in PRIORITIES.items()}
        assert schedulers_of(document) == wanted
        tune = document.find('cputune')
        (emulator,) = tune.iterfind('emulatorpin')
        assert emulator.get('cpuset') == cpus['0']
        (iothread,) = tune.iterfind('iothreadpin')
        assert iothread.get('cpuset') == cpus['0']
        (policy,) = tune.iterfind('emulatorsched')
        assert policy.get('priority') == '2'
        assert len(list(document.iterfind('.//poll-control'))) == 1


class WithoutTheDriver(Case):
    """The same, to see that it is rtvirt that does it."""

    driver = 'libvirt.LibvirtDriver'

    def test_priorities_are_lost(self) -> None:
        self.flags(cpu_dedicated_set='0-2', group='compute')
        self.start_both()
        flavor = self._create_flavor(vcpu=VCPUS, extra_spec=SPECS)
        self.server = self.boot(flavor, 'host_a')
        sent = self.migrate('host_a', 'host_b')
        lost = dict.fromkeys(PRIORITIES, ('fifo', '1'))
        assert schedulers_of(sent) == lost


class API(Case):
    """What a user of the API is told."""

    def test_wrong_extra_spec(self) -> None:
        flavor = self._create_flavor(vcpu=VCPUS)
        for key, value, words in (
            ('rtvirt:priority', '500', 'expected a priority from 1 to 99'),
            ('rtvirt:priorty', '5', 'did you mean rtvirt:priority?'),
        ):
            with pytest.raises(client.OpenStackApiException) as caught:
                self.admin_api.post_extra_spec(
                    flavor, {'extra_specs': {key: value}}
                )
            error = caught.value
            assert error.response.status_code == 400
            assert words in error.response.text

    def test_no_host_is_left(self) -> None:
        self.flags(cpu_dedicated_set='0-2', group='compute')
        self.start_both()
        specs = {**SPECS, 'hw:mem_page_size': '1GB'}
        flavor = self._create_flavor(vcpu=VCPUS, extra_spec=specs)
        server = self._create_server(
            flavor_id=flavor, networks='none', expected_state='ERROR'
        )
        assert 'fault' in server
        line = 'No host is left: 2 hosts: no 1 GiB pages'
        assert line in self.stdlog.logger.output
