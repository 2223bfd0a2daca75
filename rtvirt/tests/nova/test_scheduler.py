# SPDX-License-Identifier: Apache-2.0
"""RTVirtFilter and RTVirtWeigher on nova's host states and requests."""

import dataclasses
import logging
import random
from collections.abc import Iterator
from typing import Any

import pytest
from nova import conf
from nova import objects
from nova.pci import stats
from nova.scheduler import host_manager
from nova.scheduler.filters import numa_topology_filter
from nova.virt import hardware

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.nova import asked
from rtvirt.nova import fit
from rtvirt.nova.filter import RTVirtFilter
from rtvirt.nova.proven import publish
from rtvirt.nova.weigher import RTVirtWeigher
from rtvirt.tests.nova.test_bridge import is_deviation
from rtvirt.tests.nova.test_bridge import random_requests
from rtvirt.tests.nova.test_bridge import random_stats
from rtvirt.tests.nova.test_fit_differential import nova_case
from rtvirt.tests.nova.topology import guest_topology
from rtvirt.tests.nova.topology import host_topology
from rtvirt.tests.oracle.seeds import seeds

CONF = conf.CONF
GROUP = '11111111-1111-4111-8111-111111111111'
FULL = 'too few free dedicated pCPUs on every host cell'
FAR = 'no room near the devices or networks asked for'
READY = 'CUSTOM_RTVIRT_REALTIME_READY'


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    yield
    fit.uninstall()


def make_state(host: Any, name: str = 'host', **fields: Any) -> Any:
    state = host_manager.HostState(name, name, None)
    state.numa_topology = (
        host_topology(host) if isinstance(host, HostTopology) else host
    )
    state.cpu_allocation_ratio = 16.0
    state.ram_allocation_ratio = 1.5
    state.stats = {}
    state.allocation_candidates = [{'mappings': {}}]
    for field, value in fields.items():
        setattr(state, field, value)
    return state


def make_spec(guest: Any, requests: Any = (), **specs: str) -> Any:
    return objects.RequestSpec(
        numa_topology=guest,
        pci_requests=objects.InstancePCIRequests(requests=list(requests)),
        flavor=objects.Flavor(vcpus=1, memory_mb=64, extra_specs=specs),
        image=objects.ImageMeta(properties=objects.ImageMetaProps()),
        instance_uuid=GROUP,
        scheduler_hints={},
    )


def pinned(vcpus: int, page_size: int | None = None, **fields: Any) -> Any:
    """A guest of one cell."""
    return objects.InstanceNUMATopology(
        cells=[
            objects.InstanceNUMACell(
                id=0,
                cpuset=set(),
                pcpuset=set(range(vcpus)),
                memory=1024,
                pagesize=page_size,
                cpu_policy='dedicated',
                **fields,
            )
        ],
        emulator_threads_policy=None,
    )


def uniform(cores: int, taken: str = '', **fields: Any) -> HostTopology:
    fields.setdefault('dedicated', CPUSet(range(64)))
    host = HostTopology.uniform(cores=cores, **fields)
    used = CPUSet.parse(taken)
    return dataclasses.replace(
        host,
        cells=tuple(
            dataclasses.replace(cell, pinned=cell.dedicated & used)
            for cell in host.cells
        ),
    )


def request(policy: str = 'required', count: int = 1) -> Any:
    return objects.InstancePCIRequest(
        count=count,
        alias_name='a',
        request_id=GROUP,
        numa_policy=policy,
        spec=[{'vendor_id': '8086'}],
    )


class TestFilter:
    """Against NUMATopologyFilter, where that is right, and beyond it."""

    def test_random_hosts(self) -> None:
        """With one guest cell nova's filter is right."""
        ours = RTVirtFilter()
        fit.uninstall()
        theirs = numa_topology_filter.NUMATopologyFilter()
        passed = refused = 0
        for seed in seeds(600, 6000):
            case = nova_case(seed)
            guest = case.guest
            crowds = (
                guest.thread_policy is ThreadPolicy.ISOLATE
                and guest.emulator_policy is EmulatorPolicy.ISOLATE
            )
            if len(guest.cells) > 1 or is_deviation(case) or crowds:
                continue
            if isinstance(guest.cells[0].page_size, str):
                # Deviation page-size-sticks.
                continue
            draw = random.Random(seed)
            requests = random_requests(draw) if draw.random() < 0.5 else []
            states = []
            for _ in range(2):
                host = host_topology(case.host)
                pools = random_stats(
                    random.Random(seed), host, [c.id for c in host.cells]
                )
                states.append(make_state(host, pci_stats=pools))
            spec = make_spec(guest_topology(guest), requests)
            before = str(spec.numa_topology.obj_to_primitive())
            wanted = theirs.host_passes(states[0], spec)
            assert ours.host_passes(states[1], spec) == wanted, seed
            assert str(spec.numa_topology.obj_to_primitive()) == before
            assert states[0].limits.keys() == states[1].limits.keys()
            passed += wanted
            refused += not wanted
        assert passed > 40
        assert refused > 40

    def test_what_nova_misses(self) -> None:
        """Deviation several-cells, as the scheduler meets it."""
        cells = [(0, '0-1', 64), (1, '2-7', 64), (2, '8-11', 32)]
        host = objects.NUMATopology(
            cells=[
                objects.NUMACell(
                    id=id,
                    cpuset=set(),
                    pcpuset=set(CPUSet.parse(cpus)),
                    memory=mib,
                    cpu_usage=0,
                    memory_usage=0,
                    pinned_cpus=set(),
                    siblings=[{cpu} for cpu in CPUSet.parse(cpus)],
                    mempages=[],
                    socket=0,
                )
                for id, cpus, mib in cells
            ]
        )
        guest = pinned(2)
        guest.cells[0].memory = 64
        guest.cells.append(
            objects.InstanceNUMACell(
                id=1,
                cpuset=set(),
                pcpuset={2, 3, 4, 5},
                memory=64,
                cpu_policy='dedicated',
            )
        )
        spec = make_spec(guest)
        ours = RTVirtFilter()
        assert list(ours.filter_all([make_state(host)], spec))
        CONF.set_override('fit', 'nova', 'rtvirt')
        try:
            theirs = RTVirtFilter()
        finally:
            CONF.clear_override('fit', 'rtvirt')
        assert not list(theirs.filter_all([make_state(host)], spec))

    def test_candidates(self) -> None:
        """Those whose device is not near the guest are left out."""
        host = host_topology(uniform(4, taken='0-3'))
        found = stats.PciDeviceStats(host)
        found.pools = [
            {
                'vendor_id': '8086',
                'product_id': '1',
                'numa_node': node,
                'dev_type': 'type-PCI',
                'count': 1,
                'rp_uuid': f'near-{node}',
            }
            for node in (0, 1)
        ]
        state = make_state(
            host,
            pci_stats=found,
            allocation_candidates=[
                {'mappings': {f'{GROUP}-0': [f'near-{node}']}}
                for node in (0, 1)
            ],
        )
        spec = make_spec(pinned(2), [request()])
        assert RTVirtFilter().host_passes(state, spec)
        assert state.allocation_candidates == [
            {'mappings': {f'{GROUP}-0': ['near-1']}}
        ]

    def test_no_candidate_is_left(self) -> None:
        spec = make_spec(pinned(2))
        state = make_state(uniform(4), allocation_candidates=[])
        assert not RTVirtFilter().host_passes(state, spec)

    def test_a_guest_without_topology_goes_anywhere(self) -> None:
        spec = make_spec(None)
        states = [make_state(uniform(1)), make_state(None)]
        assert list(RTVirtFilter().filter_all(states, spec)) == states

    def test_a_host_without_topology_takes_no_other(self) -> None:
        spec = make_spec(pinned(1))
        assert not RTVirtFilter().host_passes(make_state(None), spec)

    def test_limits_and_networks_go_on_to_the_claim(self) -> None:
        spec = make_spec(pinned(1))
        spec.network_metadata = objects.NetworkMetadata(
            physnets={'blue'}, tunneled=False
        )
        state = make_state(uniform(2))
        assert RTVirtFilter().host_passes(state, spec)
        limits = state.limits['numa_topology']
        assert limits.cpu_allocation_ratio == 16.0
        assert limits.network_metadata.physnets == {'blue'}

    def test_a_rebuild_passes(self) -> None:
        spec = make_spec(pinned(9))
        spec.scheduler_hints = {'_nova_check_type': ['rebuild']}
        states = [make_state(uniform(1))]
        assert list(RTVirtFilter().filter_all(states, spec)) == states

    def test_a_host_is_read_once(self) -> None:
        state = make_state(uniform(4))
        spec = make_spec(pinned(2))
        assert RTVirtFilter().host_passes(state, spec)
        host = asked.read_state(state)
        assert asked.read_state(state) is host
        # A guest of the same request went there.
        placed = hardware.numa_fit_instance_to_host(
            state.numa_topology, pinned(2), None
        )
        state.numa_topology = hardware.numa_usage_from_instance_numa(
            state.numa_topology, placed
        )
        taken = [len(cell.pinned) for cell in asked.read_state(state).cells]
        assert sorted(taken) == [0, 2]


class TestRefusals:
    """What the log says where no host is left."""

    def lines(
        self, states: list[Any], spec: Any, caplog: pytest.LogCaptureFixture
    ) -> list[str]:
        ours = RTVirtFilter()
        logging.disable(logging.NOTSET)
        caplog.set_level(logging.INFO, 'rtvirt.nova.filter')
        caplog.clear()
        try:
            assert not list(ours.filter_all(states, spec))
        finally:
            logging.disable(logging.CRITICAL)
        return [record.getMessage() for record in caplog.records]

    def test_one_line_for_each_reason(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        smt = uniform(4, threads=2, pages={})
        flat = uniform(4, pages={1048576: 8})
        full = uniform(4, threads=2, taken='0-15', pages={1048576: 8})
        states = [make_state(smt) for _ in range(3)]
        states += [make_state(flat) for _ in range(2)]
        states += [make_state(full), make_state(None)]
        spec = make_spec(pinned(2, 1048576, cpu_thread_policy='require'))
        assert self.lines(states, spec, caplog) == [
            'No host is left: 3 hosts: no 1 GiB pages on every host cell',
            'No host is left: 2 hosts: no SMT',
            f'No host is left: 1 host: {FULL}',
            'No host is left: 1 host: no NUMA topology is reported',
        ]

    def test_devices(self, caplog: pytest.LogCaptureFixture) -> None:
        host = host_topology(uniform(4))
        state = make_state(host, pci_stats=stats.PciDeviceStats(host))
        spec = make_spec(pinned(2), [request()])
        assert self.lines([state], spec, caplog) == [
            f'No host is left: 1 host: {FAR}',
        ]

    def test_nothing_where_a_host_is_left(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        states = [make_state(uniform(1)), make_state(uniform(4))]
        with pytest.raises(AssertionError):
            self.lines(states, make_spec(pinned(2)), caplog)
        assert not caplog.records


class TestWeigher:
    """The best host weighs most."""

    def order(self, states: dict[str, Any], spec: Any) -> list[str]:
        handler = host_manager.weights.HostWeightHandler()
        for name, state in states.items():
            state.host = name
        found = handler.get_weighed_objects(
            [RTVirtWeigher()], list(states.values()), spec
        )
        return [weighed.obj.host for weighed in found]

    def test_best_fit(self) -> None:
        states = {
            'roomy': make_state(uniform(8, taken='0')),
            'tight': make_state(uniform(4, taken='0')),
            'middle': make_state(uniform(6, taken='0')),
        }
        assert self.order(states, make_spec(pinned(2))) == [
            'tight', 'middle', 'roomy',
        ]  # fmt: skip

    def test_whole_cells_stay_free(self) -> None:
        states = {
            'empty': make_state(uniform(4)),
            'begun': make_state(uniform(8, taken='0')),
        }
        packing = 'packing_host_numa_cells_allocation_strategy'
        CONF.set_override(packing, True, 'compute')
        try:
            found = self.order(states, make_spec(pinned(2)))
        finally:
            CONF.clear_override(packing, 'compute')
        assert found == ['begun', 'empty']
        # Each host would put the guest on an empty cell.
        found = self.order(states, make_spec(pinned(2)))
        assert found == ['empty', 'begun']

    def test_proven_hosts_first_for_real_time(self) -> None:
        resources = {'stats': {'uptime': None}}
        publish(resources, [READY, 'CUSTOM_RTVIRT_PREEMPT_RT'])
        states = {
            'tight': make_state(uniform(4, taken='0')),
            'proven': make_state(uniform(8), stats=resources['stats']),
        }
        realtime = make_spec(pinned(2), **{'hw:cpu_realtime': 'yes'})
        assert self.order(states, realtime) == ['proven', 'tight']
        assert self.order(states, make_spec(pinned(2))) == ['tight', 'proven']
        publish(resources, ['CUSTOM_RTVIRT_PREEMPT_RT'])
        assert self.order(states, realtime) == ['tight', 'proven']

    def test_no_opinion_on_guests_without_topology(self) -> None:
        states = [make_state(uniform(n)) for n in (8, 4)]
        weighed = [host_manager.weights.WeighedHost(s, 0.0) for s in states]
        found = RTVirtWeigher().weigh_objects(weighed, make_spec(None))
        assert found == [0.0, 0.0]

    def test_weights_are_evenly_spread(self) -> None:
        sizes = (64, 4, 5, 4)
        states = [make_state(uniform(n, cells=1)) for n in sizes]
        weighed = [host_manager.weights.WeighedHost(s, 0.0) for s in states]
        found = RTVirtWeigher().weigh_objects(weighed, make_spec(pinned(2)))
        assert found == [0.0, 1.0, 0.5, 1.0]

    def test_the_multiplier_of_an_aggregate(self) -> None:
        state = make_state(uniform(4))
        assert RTVirtWeigher().weight_multiplier(state) == 1.0
        state.aggregates = [
            objects.Aggregate(metadata={'rtvirt_weight_multiplier': '3'})
        ]
        assert RTVirtWeigher().weight_multiplier(state) == 3.0


def test_nova_loads_both() -> None:
    """By the class paths that nova.conf has."""
    filters = host_manager.filters.HostFilterHandler()
    assert filters.get_matching_classes(
        ['rtvirt.nova.filter.RTVirtFilter']
    ) == [RTVirtFilter]
    weighers = host_manager.weights.HostWeightHandler()
    assert weighers.get_matching_classes(
        ['rtvirt.nova.weigher.RTVirtWeigher']
    ) == [RTVirtWeigher]
