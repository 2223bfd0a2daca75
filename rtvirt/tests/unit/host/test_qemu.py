# SPDX-License-Identifier: Apache-2.0
"""QEMU's processes are found, and their threads told apart."""

import pytest

from rtvirt.exception import HostError
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.qemu import Guest
from rtvirt.host.qemu import Identity
from rtvirt.host.qemu import classify
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.model.observed import ThreadSource

UUID = '9d0b28ac-55b2-4a2e-9c0a-0f0e5d2f7f10'

Files = dict[str, bytes | Missing]


def thread(
    pid: int,
    tid: int,
    name: str,
    cpus: str,
    *,
    policy: int = 0,
    priority: int = 0,
    kernel: bool = False,
) -> Files:
    """Write the files of a thread as proc_pid_stat(5) has them."""
    fields = ['S', *['0'] * 49]
    fields[6] = str(0x00200000 if kernel else 0)
    fields[36], fields[37], fields[38] = '3', str(priority), str(policy)
    stat = f'{tid} ({name}) {" ".join(fields)}\n'.encode()
    status = (
        f'Name:\t{name}\nVmLck:\t  1024 kB\nVmRSS:\t  4096 kB\n'
        'HugetlbPages:\t  532480 kB\n'
        f'Cpus_allowed:\tff\nCpus_allowed_list:\t{cpus}\n'
        f'nonvoluntary_ctxt_switches:\t{tid}\n'
    ).encode()
    files: Files = {}
    own = [f'/proc/{pid}'] if pid == tid else []
    for path in (*own, f'/proc/{pid}/task/{tid}'):
        files |= {f'{path}/stat': stat, f'{path}/status': status}
    if own:
        files[f'/proc/{pid}/comm'] = f'{name}\n'.encode()
    return files


def guest_files() -> Files:
    return {
        **thread(70, 70, 'qemu-system-x86', '0'),
        **thread(70, 71, 'qemu-system-x86', '0'),
        **thread(70, 75, 'CPU 1/KVM', '3', policy=1, priority=5),
        **thread(70, 74, 'CPU 0/KVM', '2'),
        **thread(70, 73, 'IO mon_iothread', '0'),
        **thread(70, 72, 'IO iothread1', '0'),
        '/proc/70/cmdline': b'/usr/bin/qemu-system-x86_64\0-name\0'
        b'guest=rt1\0-uuid\0' + UUID.encode() + b'\0-no-user-config\0',
        '/proc/70/numa_maps': (
            b'7f00 bind:0 file=/dev/hugepages/libvirt/qemu/1-rt1/pc.ram '
            b'huge dirty=256 N0=200 N1=56 kernelpagesize_kB=2048\n'
            b'7f10 bind:1 file=/x huge dirty=4 N1=4 kernelpagesize_kB=2048\n'
            b'7f20 default anon=9 dirty=9 N0=9 kernelpagesize_kB=4\n'
            b'7f30 default stack anon=2 dirty=2 N0=2 kernelpagesize_kB=4\n'
        ),
    }


def test_guests_are_found_by_their_uuid() -> None:
    tree = MappingTree(
        guest_files()
        | thread(5, 5, 'bash', '0-3')
        | {'/proc/5/cmdline': b'bash\0-c\0qemu -uuid me\0'}
        | thread(9, 9, 'vhost-70', '0', kernel=True)
        | {'/proc/9/cmdline': b''}
        | thread(10, 10, 'vhost-71', '0', kernel=True)
        | {'/proc/10/cmdline': b''}
    )

    assert find_guests(tree) == {
        UUID: Guest(uuid=UUID, pid=70, name='rt1', vhost=(9,))
    }


def test_a_machine_without_guests() -> None:
    assert find_guests(MappingTree({})) == {}


def test_threads_are_told_apart() -> None:
    observed = observe(MappingTree(guest_files()), Guest(uuid=UUID, pid=70))

    assert (observed.uuid, observed.pid) == (UUID, 70)
    assert [(t.tid, t.role, t.number) for t in observed.threads] == [
        (74, ThreadRole.VCPU, 0),
        (75, ThreadRole.VCPU, 1),
        (72, ThreadRole.IOTHREAD, 1),
        (70, ThreadRole.EMULATOR, None),
        (71, ThreadRole.EMULATOR, None),
        (73, ThreadRole.MONITOR, None),
    ]
    realtime = observed.threads[1]
    assert realtime.name == 'CPU 1/KVM'
    assert realtime.last_cpu == 3
    assert realtime.scheduling == Scheduling(
        cpus=CPUSet([3]), policy='fifo', priority=5
    )


def test_memory_is_added_up() -> None:
    observed = observe(MappingTree(guest_files()), Guest(uuid=UUID, pid=70))

    assert observed.memory == ObservedMemory(
        huge=(
            ObservedPages(node=0, size_kib=2048, count=200, policy='bind:0'),
            ObservedPages(node=1, size_kib=2048, count=56, policy='bind:0'),
            ObservedPages(node=1, size_kib=2048, count=4, policy='bind:1'),
        ),
        ordinary=(ObservedPages(node=0, size_kib=4, count=11),),
        hugetlb_kib=520 << 10,
        locked_kib=1024,
        resident_kib=4096,
    )


def test_what_may_not_be_read_is_not_guessed() -> None:
    path = '/proc/70/numa_maps'
    files = guest_files()
    files[path] = Missing(missing=Why.UNREADABLE, path=path)

    observed = observe(MappingTree(files), Guest(uuid=UUID, pid=70))

    assert isinstance(observed.memory, ObservedMemory)
    assert observed.memory.huge == observed.memory.ordinary == files[path]
    assert observed.memory.hugetlb_kib == 520 << 10


@pytest.mark.parametrize(
    'content',
    [
        Missing(missing=Why.UNREADABLE, path='/proc/70/status'),
        b'Name:\tqemu\nState:\tZ (zombie)\nCpus_allowed_list:\t0\n',
    ],
)
def test_memory_that_is_not_told_is_missing(content: bytes | Missing) -> None:
    files = guest_files() | {'/proc/70/status': content}

    observed = observe(MappingTree(files), Guest(uuid=UUID, pid=70))

    assert isinstance(observed.memory, Missing)
    assert observed.memory.path == '/proc/70/status'


def test_what_qemu_says_wins_over_names() -> None:
    known = {71: (ThreadRole.VCPU, 7), 74: (ThreadRole.IOTHREAD, 2)}

    observed = observe(
        MappingTree(guest_files()),
        Guest(uuid=UUID, pid=70),
        identity=Identity(source=ThreadSource.QMP, known=known),
    )

    assert observed.source is ThreadSource.QMP
    assert [(t.tid, t.role, t.number) for t in observed.threads[:4]] == [
        (75, ThreadRole.VCPU, 1),
        (71, ThreadRole.VCPU, 7),
        (72, ThreadRole.IOTHREAD, 1),
        (74, ThreadRole.IOTHREAD, 2),
    ]


def test_groups_and_switches_are_read_of_each_thread() -> None:
    files = guest_files() | {
        '/proc/mounts': b'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n',
        '/sys/fs/cgroup/cpuset.cpus.effective': b'0-7\n',
        '/sys/fs/cgroup/rt/vcpu0/cpuset.cpus.effective': b'2\n',
        '/proc/70/task/74/cgroup': b'0::/rt/vcpu0\n',
        '/proc/70/task/75/cgroup': b'0::/rt/vcpu1\n',
    }
    del files['/proc/70/task/72/status']

    observed = observe(MappingTree(files), Guest(uuid=UUID, pid=70))

    vcpu0, vcpu1, *others = observed.threads
    assert vcpu0.involuntary_switches == 74
    assert (vcpu0.cgroup, vcpu0.cgroup_cpus) == ('/rt/vcpu0', CPUSet([2]))
    assert (vcpu1.cgroup, vcpu1.cgroup_cpus) == ('/', CPUSet(range(8)))
    assert all(isinstance(t.cgroup, Missing) for t in others)
    assert isinstance(vcpu0.resctrl, Missing)
    assert observed.resctrl == vcpu0.resctrl


def test_a_thread_that_vanishes_is_left_out() -> None:
    files = guest_files()
    del files['/proc/70/task/74/stat']
    del files['/proc/70/task/73/status']

    observed = observe(MappingTree(files), Guest(uuid=UUID, pid=70))

    assert {t.tid for t in observed.threads} == {70, 71, 72, 75}


def test_vhost_processes_belong_to_their_guest() -> None:
    files = guest_files() | thread(9, 9, 'vhost-70', '0-7', kernel=True)

    observed = observe(
        MappingTree(files), Guest(uuid=UUID, pid=70, vhost=(9,))
    )

    assert (observed.threads[-1].tid, observed.threads[-1].role) == (
        9,
        ThreadRole.VHOST,
    )


class CountingTree(MappingTree):
    """One that counts how often it is read."""

    reads = 0

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        self.reads += 1
        return super().read(path, limit)


def test_four_files_are_read_of_a_thread() -> None:
    """A pass over 64 threads has to take less than 50 ms."""
    threads = {
        path: content
        for tid in range(71, 134)
        for path, content in thread(70, tid, f'CPU {tid}/KVM', '2').items()
    }
    tree = CountingTree(threads | thread(70, 70, 'qemu-system-x86', '0'))

    observed = observe(tree, Guest(uuid=UUID, pid=70))

    assert len(observed.threads) == 64
    assert tree.reads <= 4 * 64 + 8


def test_a_policy_yet_unknown_has_a_name() -> None:
    files = guest_files() | thread(70, 74, 'CPU 0/KVM', '2', policy=42)

    observed = observe(MappingTree(files), Guest(uuid=UUID, pid=70))

    assert observed.threads[0].scheduling.policy == 'policy-42'


def test_a_process_that_has_ended_is_an_error() -> None:
    with pytest.raises(HostError, match=f'process 70 of domain {UUID}'):
        observe(MappingTree({}), Guest(uuid=UUID, pid=70))


@pytest.mark.parametrize(
    ('name', 'role', 'number'),
    [
        ('CPU 12/KVM', ThreadRole.VCPU, 12),
        ('CPU 0/TCG', ThreadRole.VCPU, 0),
        ('ALL CPUs/TCG', ThreadRole.EMULATOR, None),
        ('IO iothread12', ThreadRole.IOTHREAD, 12),
        ('IO mon_iothread', ThreadRole.MONITOR, None),
        ('worker', ThreadRole.WORKER, None),
        ('vhost-4711', ThreadRole.VHOST, None),
        ('TC tc-ram-node0', ThreadRole.PREALLOC, None),
        ('call_rcu', ThreadRole.EMULATOR, None),
        ('vnc_worker', ThreadRole.EMULATOR, None),
        ('CPU x/KVM', ThreadRole.EMULATOR, None),
        ('', ThreadRole.EMULATOR, None),
    ],
)
def test_names_tell_roles(
    name: str, role: ThreadRole, number: int | None
) -> None:
    assert classify(name) == (role, number)
