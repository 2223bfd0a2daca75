# SPDX-License-Identifier: Apache-2.0
"""Every thread that is not as planned is told, and no other."""

import dataclasses

import pytest

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import CPUTopology
from rtvirt.model.guest import GuestCell
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import Scheduler
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.model.plan import PlannedCell
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.proof import prove_threads
from rtvirt.verifiers.wanted import WantedMemory
from rtvirt.verifiers.wanted import WantedPages
from rtvirt.verifiers.wanted import memory_of_plan
from rtvirt.verifiers.wanted import threads_of_plan


def plan(*, emulator_priority: int = 0, page_size_kib: int = 2048) -> Plan:
    """vCPU 0 on pCPU 2, real-time vCPU 1 on pCPU 3, the rest on 2."""
    guest = GuestRequirement(
        name='rt',
        vcpus=2,
        memory_mib=512,
        cells=(
            GuestCell(
                id=0,
                dedicated=CPUSet([0, 1]),
                memory_mib=512,
                page_size=page_size_kib,
            ),
        ),
        topology=CPUTopology(sockets=2),
        cpu_policy=CPUPolicy.DEDICATED,
        realtime=CPUSet([1]),
        scheduler=Scheduler.RR,
        priorities={1: 7},
        emulator_priority=emulator_priority,
        locked_memory=True,
    )
    return Plan(
        guest=guest,
        cells=(
            PlannedCell(
                guest_cell=0,
                host_cell=1,
                pins={0: CPUSet([2]), 1: CPUSet([3])},
                page_size_kib=page_size_kib,
                memory_mib=512,
            ),
        ),
        emulator=CPUSet([2]),
        iothreads={1: CPUSet([2])},
    )


def thread(
    tid: int,
    role: ThreadRole,
    number: int | None = None,
    *,
    cpus: str = '2',
    policy: str = 'other',
    priority: int = 0,
) -> ObservedThread:
    return ObservedThread(
        tid=tid,
        name='qemu',
        role=role,
        number=number,
        scheduling=Scheduling(
            cpus=CPUSet.parse(cpus), policy=policy, priority=priority
        ),
        last_cpu=2,
    )


AS_PLANNED = {
    't': thread(70, ThreadRole.EMULATOR),
    'rcu': thread(71, ThreadRole.EMULATOR),
    'vcpu0': thread(72, ThreadRole.VCPU, 0),
    'vcpu1': thread(73, ThreadRole.VCPU, 1, cpus='3', policy='rr', priority=7),
    'io1': thread(74, ThreadRole.IOTHREAD, 1),
    'mon': thread(75, ThreadRole.MONITOR),
    'worker': thread(76, ThreadRole.WORKER),
    'vhost': thread(77, ThreadRole.VHOST),
    'prealloc': thread(78, ThreadRole.PREALLOC, cpus='0-3'),
}


def domain(**changes: ObservedThread | None) -> ObservedDomain:
    threads = AS_PLANNED | changes
    return ObservedDomain(
        uuid='u',
        pid=70,
        threads=tuple(t for t in threads.values() if t is not None),
    )


def failures(plan: Plan, observed: ObservedDomain) -> list[str]:
    proofs = prove_threads(threads_of_plan(plan), observed)
    return [proof.subject for proof in proofs if not proof.ok]


def test_as_planned_nothing_fails() -> None:
    proofs = prove_threads(threads_of_plan(plan()), domain())

    assert all(proof.ok for proof in proofs)
    assert [proof.thread for proof in proofs] == [*AS_PLANNED.values()]
    assert proofs[3].planned == Scheduling(
        cpus=CPUSet([3]), policy='rr', priority=7
    )
    assert proofs[-1].planned is None


@pytest.mark.parametrize(
    ('name', 'changes', 'subject'),
    [
        ('vcpu0', {'cpus': '3'}, 'vCPU 0'),
        ('vcpu0', {'cpus': '2-3'}, 'vCPU 0'),
        ('vcpu0', {'policy': 'rr', 'priority': 7}, 'vCPU 0'),
        ('vcpu1', {'policy': 'fifo', 'priority': 7}, 'vCPU 1'),
        ('vcpu1', {'policy': 'rr', 'priority': 6}, 'vCPU 1'),
        ('vcpu1', {'policy': 'other', 'priority': 0}, 'vCPU 1'),
        ('io1', {'cpus': '3'}, 'I/O thread 1'),
        ('io1', {'policy': 'fifo', 'priority': 1}, 'I/O thread 1'),
        ('rcu', {'cpus': '0-3'}, 'emulator'),
        ('mon', {'cpus': '3'}, 'monitor'),
        ('worker', {'cpus': '0'}, 'worker'),
        ('vhost', {'cpus': '3'}, 'vhost'),
        ('t', {'policy': 'fifo', 'priority': 2}, 'emulator'),
    ],
)
def test_exactly_the_thread_that_was_changed_fails(
    name: str, changes: dict[str, str | int], subject: str
) -> None:
    before = AS_PLANNED[name]
    now = before.scheduling
    scheduling = Scheduling(
        cpus=CPUSet.parse(str(changes.get('cpus', now.cpus))),
        policy=str(changes.get('policy', now.policy)),
        priority=int(changes.get('priority', now.priority)),
    )
    changed = dataclasses.replace(before, scheduling=scheduling)

    assert failures(plan(), domain(**{name: changed})) == [subject]


@pytest.mark.parametrize(
    ('name', 'subject'), [('vcpu1', 'vCPU 1'), ('io1', 'I/O thread 1')]
)
def test_a_thread_that_is_not_there_fails(name: str, subject: str) -> None:
    wanted = threads_of_plan(plan())
    proofs = prove_threads(wanted, domain(**{name: None}))

    (missing,) = [proof for proof in proofs if proof.thread is None]
    assert missing.subject == subject
    assert not missing.ok
    assert all(proof.ok for proof in proofs if proof is not missing)


def test_a_vcpu_that_nobody_planned_fails() -> None:
    extra = thread(80, ThreadRole.VCPU, 2)

    assert failures(plan(), domain(extra=extra)) == ['vCPU 2']


def test_the_emulators_priority_is_for_the_main_loop() -> None:
    main = thread(70, ThreadRole.EMULATOR, policy='fifo', priority=3)

    assert failures(plan(emulator_priority=3), domain(t=main)) == []
    assert failures(plan(emulator_priority=3), domain()) == ['emulator']


def test_what_the_main_loop_starts_inherits_its_priority() -> None:
    main = thread(70, ThreadRole.EMULATOR, policy='fifo', priority=3)

    def worker(priority: int) -> ObservedThread:
        return thread(76, ThreadRole.WORKER, policy='fifo', priority=priority)

    planned = plan(emulator_priority=3)
    assert failures(planned, domain(t=main, worker=worker(3))) == []
    assert failures(planned, domain(t=main, worker=worker(4))) == ['worker']
    assert failures(plan(), domain(worker=worker(3))) == ['worker']


def test_a_guest_that_floats_may_run_where_it_floats() -> None:
    guest = GuestRequirement(
        name='f', vcpus=1, memory_mib=64, topology=CPUTopology(sockets=1)
    )
    observed = ObservedDomain(
        uuid='u',
        pid=70,
        threads=(
            thread(70, ThreadRole.EMULATOR, cpus='0-1'),
            thread(71, ThreadRole.VCPU, 0, cpus='0-1'),
            thread(72, ThreadRole.IOTHREAD, 1, cpus='0-1'),
        ),
    )

    def floating(cpus: str) -> Plan:
        floor = CPUSet.parse(cpus)
        return Plan(guest=guest, cells=(), floating=floor, emulator=floor)

    assert failures(floating('0-1'), observed) == []
    assert failures(floating(''), observed) == []
    assert len(failures(floating('0'), observed)) == 3


def memory(locked_kib: int, *pages: tuple[int, int, int]) -> ObservedMemory:
    return ObservedMemory(
        huge=tuple(
            ObservedPages(node=node, size_kib=size, count=count)
            for node, size, count in pages
        ),
        locked_kib=locked_kib,
        resident_kib=1 << 20,
    )


@pytest.mark.parametrize(
    ('pages', 'ok'),
    [
        ([(1, 2048, 256)], True),
        ([(1, 2048, 255)], False),
        ([(0, 2048, 256)], False),
        ([(0, 2048, 1), (1, 2048, 255)], False),
        ([(1, 1048576, 256)], False),
        ([], False),
    ],
)
def test_pages_are_compared_by_node_size_and_number(
    pages: list[tuple[int, int, int]], ok: bool
) -> None:
    proof = prove_memory(memory_of_plan(plan()), memory(1 << 20, *pages))

    assert proof.pages_ok == ok
    assert proof.locked_ok


@pytest.mark.parametrize(
    ('on_node_0', 'ok'), [(256, True), (300, False), (212, False)]
)
def test_each_of_two_cells_has_its_own_pages(on_node_0: int, ok: bool) -> None:
    wanted = WantedMemory(
        memory_kib=1 << 20,
        huge=tuple(
            WantedPages(nodes=CPUSet([node]), size_kib=2048, count=256)
            for node in (0, 1)
        ),
        locked=False,
    )
    pages = [(0, 2048, on_node_0), (1, 2048, 512 - on_node_0)]
    proof = prove_memory(wanted, memory(0, *pages))

    assert proof.sizes_ok
    assert proof.pages_ok == ok


def test_ordinary_pages_mean_no_huge_ones() -> None:
    small = memory_of_plan(plan(page_size_kib=4))

    assert prove_memory(small, memory(1 << 20)).pages_ok
    assert not prove_memory(small, memory(1 << 20, (1, 2048, 1))).pages_ok


def test_less_than_the_guest_locked_is_not_locked() -> None:
    assert prove_memory(memory_of_plan(plan()), memory(512 * 1024)).locked_ok
    assert not prove_memory(
        memory_of_plan(plan()), memory(512 * 1024 - 1)
    ).locked_ok


def test_huge_pages_are_never_swapped_where_anything_is_locked() -> None:
    """VmLck has none of them, also where mlockall() has succeeded."""
    huge = dataclasses.replace(memory(64 * 1024), hugetlb_kib=512 * 1024)
    proof = prove_memory(memory_of_plan(plan()), huge)

    assert proof.locked_ok
    assert proof.locked_kib == 576 * 1024
    assert not prove_memory(
        memory_of_plan(plan()), dataclasses.replace(huge, locked_kib=0)
    ).locked_ok
    assert not prove_memory(
        memory_of_plan(plan()),
        dataclasses.replace(huge, hugetlb_kib=256 * 1024),
    ).locked_ok


def test_what_cannot_be_read_is_not_proved() -> None:
    why = Missing(missing=Why.UNREADABLE, path='/proc/70/numa_maps')
    hidden = ObservedMemory(huge=why, locked_kib=0, resident_kib=0)

    for proof in (
        prove_memory(memory_of_plan(plan()), why),
        prove_memory(memory_of_plan(plan()), hidden),
    ):
        assert not proof.pages_ok
        assert not proof.locked_ok
        assert proof.actual == why
