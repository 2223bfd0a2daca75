# SPDX-License-Identifier: Apache-2.0
"""rtvirt's answer in the place of nova's, against every permutation.

nova's own search cannot be the measure (deviation ``several-cells``). Here
all permutations of host cells are tried, in nova's order, with its function
for one cell, its word on devices and its word on networks: the first that
they all agree to is the right answer.
"""

import dataclasses
import functools
import itertools
import logging
import random
from collections import Counter
from typing import Any

import pytest
from nova import conf
from nova import exception
from nova import objects
from nova.pci import stats
from nova.virt import hardware

from rtvirt.exception import ConfigError
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostCell
from rtvirt.model.limits import Limits
from rtvirt.nova import fit
from rtvirt.nova import opts
from rtvirt.tests.nova.test_fit_differential import is_nothing_pinned
from rtvirt.tests.nova.test_fit_differential import is_without_sets
from rtvirt.tests.nova.test_fit_differential import nova_case
from rtvirt.tests.nova.test_fit_differential import nova_fits
from rtvirt.tests.nova.topology import guest_topology
from rtvirt.tests.nova.topology import host_topology
from rtvirt.tests.nova.topology import limits_of
from rtvirt.tests.oracle.brute import ordered_cells
from rtvirt.tests.oracle.case import Case
from rtvirt.tests.oracle.seeds import seeds

CONF = conf.CONF
PACKING = 'packing_host_numa_cells_allocation_strategy'
NETWORKS = ('blue', 'green')


@dataclasses.dataclass
class Question:
    """One call of the function."""

    case: Case
    host: Any
    guest: Any
    limits: Any = None
    requests: Any = None
    stats: Any = None

    def ask(self) -> Any:
        CONF.set_override(PACKING, self.case.strategy == 'pack', 'compute')
        try:
            return fit.numa_fit_instance_to_host(
                self.host,
                self.guest,
                None,
                limits=self.limits,
                pci_requests=self.requests,
                pci_stats=self.stats,
            )
        finally:
            CONF.clear_override(PACKING, 'compute')

    def search(self) -> list[int] | None:
        """Return the host cells of the first permutation that will do."""
        case = self.case

        @functools.cache
        def fits(position: int, id: int) -> bool:
            want = case.guest.cells[position]
            return nova_fits(case, want, case.host.cell(id))

        near: dict[int, int] = {}
        for pool in self.stats.pools if self.stats else ():
            node = pool['numa_node']
            near[node] = near.get(node, 0) + pool['count']
        order = [cell.id for cell in ordered_cells(case)]
        if self.stats and len(order) > len(case.guest.cells):
            order.sort(
                key=lambda id: near.get(id, 0), reverse=bool(self.requests)
            )
        for ids in itertools.permutations(order, len(case.guest.cells)):
            if all(itertools.starmap(fits, enumerate(ids))) and self.agree(
                ids
            ):
                return list(ids)
        return None

    @functools.cache  # noqa: B019 - as long as the question
    def agree_on_set(self, ids: frozenset[int]) -> bool:
        cells = [objects.InstanceNUMACell(id=id) for id in ids]
        return not self.requests or self.stats.support_requests(
            self.requests, None, cells
        )

    def agree(self, ids: tuple[int, ...]) -> bool:
        by_id = {cell.id: cell for cell in self.host.cells}
        metadata = None
        if self.limits and 'network_metadata' in self.limits:
            metadata = self.limits.network_metadata
        return self.agree_on_set(
            frozenset(ids)
        ) and hardware._numa_cells_support_network_metadata(
            self.host, [by_id[id] for id in ids], metadata
        )

    def __hash__(self) -> int:
        return id(self)


def is_deviation(case: Case) -> bool:
    """Whether nova's function for one cell deviates somewhere here."""
    return any(
        is_nothing_pinned(case, want, cell)
        or is_without_sets(case, want, cell)
        for want in case.guest.cells
        for cell in case.host.cells
    )


def may_crowd(case: Case) -> bool:
    return (
        case.guest.thread_policy is ThreadPolicy.ISOLATE
        and case.guest.emulator_policy is EmulatorPolicy.ISOLATE
    )


def make_question(case: Case) -> Question:
    return Question(
        case=case,
        host=host_topology(case.host),
        guest=guest_topology(case.guest),
        limits=limits_of(case.limits),
    )


def check(question: Question, found: Any) -> None:
    """Refuse an answer that is not what it should be, whoever gave it."""
    case = question.case
    ids = [cell.id for cell in found.cells]
    assert len(set(ids)) == len(ids) == len(case.guest.cells)
    for number, cell in enumerate(found.cells):
        want: GuestCell = case.guest.cells[number]
        host: HostCell = case.host.cell(cell.id)
        assert cell.cpuset == set(want.shared)
        assert cell.pcpuset == set(want.dedicated)
        assert cell.memory == want.memory_mib
        pins = cell.cpu_pinning or {}
        assert set(pins) == set(want.dedicated)
        assert len(set(pins.values())) == len(pins)
        taken = set(pins.values()) | (cell.cpuset_reserved or set())
        assert len(taken) == len(pins) + len(cell.cpuset_reserved or ())
        assert taken <= set(host.free)
        isolated = case.guest.emulator_policy is EmulatorPolicy.ISOLATE
        assert bool(cell.cpuset_reserved) == (isolated and number == 0)
        if isinstance(want.page_size, int):
            assert cell.pagesize == want.page_size
    if not all(cell.mempages for cell in question.host.cells):
        return
    # nova's own books take it, and give it back.
    full = hardware.numa_usage_from_instance_numa(question.host, found)
    empty = hardware.numa_usage_from_instance_numa(full, found, free=True)
    for before, after in zip(question.host.cells, empty.cells, strict=True):
        assert before.pinned_cpus == after.pinned_cpus


def frozen(question: Question) -> str:
    parts = [question.host, question.guest, question.limits]
    parts += question.requests or []
    return str([part and part.obj_to_primitive() for part in parts])


def test_answers() -> None:
    """Feasible exactly where it is, on nova's first choice of host cells."""
    tally: Counter[str] = Counter()
    for seed in seeds(10_000, 100_000):
        case = nova_case(seed)
        if is_deviation(case):
            tally['deviation'] += 1
            continue
        question = make_question(case)
        before = frozen(question) if seed % 8 == 0 else ''
        found = question.ask()
        if before:
            assert frozen(question) == before, seed
        wanted = question.search()
        if found is not None:
            check(question, found)
        ours = None if found is None else [cell.id for cell in found.cells]
        if ours != wanted:
            assert may_crowd(case), (seed, ours, wanted)
            tally['crowded-emulator'] += 1
        tally['fits' if wanted else 'refused'] += 1
        tally[f'{len(case.guest.cells)} cells'] += wanted is not None
    assert tally['fits'] > 0.2 * tally.total()
    assert tally['refused'] > 0.2 * tally.total()
    assert tally['3 cells'] + tally['4 cells'] > 100
    assert tally['crowded-emulator']


def with_surroundings(draw: random.Random, case: Case) -> Question:
    """Return a question with devices and networks, some of them scarce."""
    has_networks = draw.random() < 0.6
    if has_networks and case.limits is None:
        loose = Limits(cpu_allocation_ratio=16.0, ram_allocation_ratio=16.0)
        case = dataclasses.replace(case, limits=loose)
    question = make_question(case)
    ids = [cell.id for cell in question.host.cells]
    # A whole socket, or not, or not known.
    sockets: list[int | None] = draw.choice([[None], [0], [0, 1]])
    for cell in question.host.cells:
        cell.socket = draw.choice(sockets)
        if draw.random() < 0.7:
            cell.network_metadata = objects.NetworkMetadata(
                physnets={n for n in NETWORKS if draw.random() < 0.4},
                tunneled=draw.random() < 0.3,
            )
    if has_networks:
        question.limits.network_metadata = objects.NetworkMetadata(
            physnets={n for n in NETWORKS if draw.random() < 0.3},
            tunneled=draw.random() < 0.3,
        )
    if draw.random() < 0.8:
        question.stats = random_stats(draw, question.host, ids)
        question.requests = random_requests(draw)
    return question


def random_stats(draw: random.Random, host: Any, ids: list[int]) -> Any:
    found = stats.PciDeviceStats(host)
    found.pools = [
        {
            'vendor_id': '8086',
            'product_id': draw.choice(['1', '2']),
            'numa_node': draw.choice([*ids, *ids, None]),
            'dev_type': draw.choice(['type-PCI', 'type-VF', 'type-PF']),
            'count': draw.choice([0, 1, 1, 2, 2]),
        }
        for _ in range(draw.randint(0, 8))
    ]
    return found


def random_requests(draw: random.Random) -> list[Any]:
    return [
        objects.InstancePCIRequest(
            count=draw.choice([1, 1, 1, 1, 2, 3]),
            alias_name='a',
            request_id=None,
            numa_policy=draw.choice(
                [None, 'required', 'required', 'legacy', 'preferred', 'socket']
            ),
            spec=[
                draw.choice(
                    [
                        {'vendor_id': '8086'},
                        {'product_id': '1'},
                        {'product_id': '2', 'dev_type': 'type-PF'},
                    ]
                )
            ],
        )
        for _ in range(draw.choice([0, 1, 1, 1, 2, 2]))
    ]


def test_answers_with_devices_and_networks() -> None:
    tally: Counter[str] = Counter()
    for seed in seeds(1500, 40_000):
        case = nova_case(seed)
        if is_deviation(case) or may_crowd(case):
            continue
        question = with_surroundings(random.Random(seed), case)
        before = frozen(question)
        pools = question.stats and str(question.stats.pools)
        found = question.ask()
        assert frozen(question) == before, seed
        assert (question.stats and str(question.stats.pools)) == pools
        wanted = question.search()
        ours = None if found is None else [cell.id for cell in found.cells]
        assert ours == wanted, seed
        if found is not None:
            check(question, found)
        plain = dataclasses.replace(
            question,
            requests=None,
            stats=None,
            limits=limits_of(question.case.limits),
        ).search()
        tally['other cells'] += bool(wanted) and plain != wanted
        tally['refused for them'] += bool(plain) and not wanted
        tally['fits'] += bool(wanted)
    assert tally['fits'] > 150, tally
    assert tally['other cells'] > 25, tally
    assert tally['refused for them'] > 40, tally


def test_crowded_emulator(caplog: pytest.LogCaptureFixture) -> None:
    """Deviation: nova fits what its books then cannot take."""
    host = objects.NUMATopology(
        cells=[
            objects.NUMACell(
                id=0,
                cpuset=set(range(6)),
                pcpuset=set(range(6)),
                memory=2048,
                cpu_usage=0,
                memory_usage=0,
                pinned_cpus={0},
                siblings=[{0, 1}, {2, 3}, {4, 5}],
                mempages=[
                    objects.NUMAPagesTopology(
                        size_kb=4, total=524288, used=0, reserved=0
                    )
                ],
                socket=0,
            )
        ]
    )
    guest = objects.InstanceNUMATopology(
        emulator_threads_policy='isolate',
        cells=[
            objects.InstanceNUMACell(
                id=0,
                cpuset=set(),
                pcpuset={0, 1},
                memory=2048,
                cpu_policy='dedicated',
                cpu_thread_policy='isolate',
            )
        ],
    )
    logging.disable(logging.NOTSET)
    caplog.set_level(logging.INFO, 'rtvirt.nova.fit')
    try:
        assert fit.numa_fit_instance_to_host(host, guest, None) is None
    finally:
        logging.disable(logging.CRITICAL)
    assert 'no empty core for the emulator threads' in caplog.text
    theirs = fit.NOVAS(host, guest, None)
    with pytest.raises(exception.CPUPinningInvalid):
        hardware.numa_usage_from_instance_numa(host, theirs)


class TestPatch:
    """install() and uninstall()."""

    @pytest.fixture(autouse=True)
    def _put_back(self) -> Any:
        yield
        fit.uninstall()

    def test_there_and_back(self) -> None:
        nova_own = hardware.numa_fit_instance_to_host
        fit.install()
        fit.install()
        assert hardware.numa_fit_instance_to_host is (
            fit.numa_fit_instance_to_host
        )
        fit.uninstall()
        fit.uninstall()
        assert hardware.numa_fit_instance_to_host is nova_own

    def test_another_signature_is_refused(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def newer(host_topology: Any, instance_topology: Any) -> None:
            """Take other arguments."""

        monkeypatch.setattr(hardware, 'numa_fit_instance_to_host', newer)
        with pytest.raises(ConfigError, match='provider_mapping') as caught:
            fit.install()
        assert 'fit = nova' in caught.value.hint
        assert hardware.numa_fit_instance_to_host is newer

    @pytest.mark.parametrize('word', ['rtvirt', 'nova'])
    def test_the_option(self, word: str) -> None:
        opts.register(CONF)
        CONF.set_override('fit', word, 'rtvirt')
        try:
            assert fit.configure(CONF) == (word == 'rtvirt')
        finally:
            CONF.clear_override('fit', 'rtvirt')
        ours = hardware.numa_fit_instance_to_host.__module__
        assert ours.startswith(word)


def contradiction() -> tuple[Any, Any]:
    """A host some of whose pCPUs are shared and dedicated."""
    cell = objects.NUMACell(
        id=0,
        cpuset={1, 2},
        pcpuset={2, 3},
        memory=64,
        cpu_usage=0,
        memory_usage=0,
        pinned_cpus=set(),
        siblings=[{1}, {2}, {3}],
        mempages=[],
        socket=0,
    )
    guest = objects.InstanceNUMATopology(
        cells=[
            objects.InstanceNUMACell(
                id=0,
                cpuset=set(),
                pcpuset={0},
                memory=64,
                cpu_policy='dedicated',
            )
        ]
    )
    return objects.NUMATopology(cells=[cell]), guest


def test_nova_is_asked_where_its_objects_contradict_themselves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    host, guest = contradiction()
    before = str(guest.obj_to_primitive())
    logging.disable(logging.NOTSET)
    try:
        found = fit.numa_fit_instance_to_host(host, guest, None)
    finally:
        logging.disable(logging.CRITICAL)
    assert found.cells[0].cpu_pinning == {0: 2}
    assert str(guest.obj_to_primitive()) == before
    assert 'both dedicated and shared' in caplog.text


def test_nothing_to_fit() -> None:
    host, guest = contradiction()
    assert fit.numa_fit_instance_to_host(None, guest, None) is None
    assert fit.numa_fit_instance_to_host(host, None, None) is None
