# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import HostError
from rtvirt.host.facts import read_facts
from rtvirt.host.facts import read_tree
from rtvirt.host.facts.tree import MappingTree
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.cpu import IdleState
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.task import Policy
from rtvirt.model.partition import ReservedPages
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import TUNED
from rtvirt.tests.tuned_host import tuned_host

FILES = tuned_host().files
ONE_OF_EACH = sorted(
    {re.sub(r'\d+', 'N', path): path for path in reversed(FILES)}.values()
)


def test_facts_of_files_in_memory_are_those_on_disk(tmp_path: Path) -> None:
    host = tuned_host()
    host.unpack(tmp_path)
    assert read_facts(tmp_path) == host.facts()


def test_facts_survive_json() -> None:
    facts = tuned_host().facts()
    text = json.dumps(facts.to_dict())
    assert HostFacts.from_dict(json.loads(text)) == facts
    assert json.loads(text)['schema_version'] == 1


def test_an_empty_directory_tells_nothing(tmp_path: Path) -> None:
    facts = read_facts(tmp_path)
    assert isinstance(facts.topology, Missing)
    assert isinstance(facts.kernel.release, Missing)
    assert facts.kernel.release.missing is Why.ABSENT
    assert HostFacts.from_dict(facts.to_dict()) == facts


def test_a_root_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HostError):
        read_facts(tmp_path / 'none')


def test_the_local_machine_is_read() -> None:
    facts = read_facts()
    assert isinstance(facts.cpu.online, CPUSet)
    assert not isinstance(facts.tasks, Missing)
    assert {task.pid for task in facts.tasks} >= {1}


@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
    deadline=None,
)
@given(
    st.dictionaries(
        st.sampled_from(ONE_OF_EACH),
        st.binary(max_size=40)
        | st.sampled_from(
            [
                b'0-99999999999999999999\n',
                b'9' * 400,
                b'-1\n',
                b'0-3,^1\n',
                b'<domain><name>x</name><vcpu>' + b'9' * 30 + b'</vcpu>',
            ]
        ),
        max_size=8,
    )
)
def test_no_content_makes_the_reader_fail(changes: dict[str, bytes]) -> None:
    facts = read_tree(MappingTree({**FILES, **changes}))
    assert HostFacts.from_dict(facts.to_dict()) == facts


def test_tasks() -> None:
    facts = tuned_host().facts()
    assert not isinstance(facts.tasks, Missing)
    by_name = {task.name: task for task in facts.tasks}
    vcpu = by_name['CPU 2/KVM']
    assert vcpu.policy is not None
    assert (vcpu.policy, vcpu.priority) == (Policy.FIFO, 1)
    assert (vcpu.pid, vcpu.tid) == (20000, 20004)
    assert vcpu.process == 'qemu-system-x86'
    assert vcpu.is_guest
    assert vcpu.is_realtime
    assert vcpu.allowed == CPUSet([3])
    rcuc = by_name['rcuc/4']
    assert rcuc.kernel
    assert rcuc.bound
    assert rcuc.allowed == CPUSet([4])
    assert not by_name['sshd'].is_guest


def test_a_bound_thread_far_from_its_number_is_looked_up() -> None:
    """Only the kernel's own thread of a CPU is known by its name."""
    host = tuned_host()
    host.add_task(70, 'odd/3', CPUSet.parse('7-8'), kernel=True, bound=True)
    facts = host.facts()
    assert not isinstance(facts.tasks, Missing)
    odd = next(task for task in facts.tasks if task.name == 'odd/3')
    assert odd.allowed == CPUSet.parse('7-8')


def test_a_thread_with_brackets_in_its_name() -> None:
    host = tuned_host()
    host.add_task(70, 'a) S (b', CPUSet([0]))
    facts = host.facts()
    assert not isinstance(facts.tasks, Missing)
    assert 'a) S (b' in {task.name for task in facts.tasks}


def test_hidden_processes_are_not_taken_for_none() -> None:
    host = tuned_host()
    host.remove('/proc/1')
    facts = host.facts()
    assert isinstance(facts.tasks, Missing)
    assert facts.tasks.missing is Why.UNREADABLE


def test_interrupts_by_column() -> None:
    facts = tuned_host().facts()
    assert not isinstance(facts.interrupt.irqs, Missing)
    irq = facts.interrupt.irqs[0]
    assert (irq.number, irq.name) == (24, 'PCI-MSI 524288-edge eth0-rx-0')
    assert irq.effective == CPUSet([0])
    assert irq.counted == CPUSet([0])


@pytest.mark.parametrize(
    ('counts', 'seen'),
    [
        ((0, 0, 0), ''),
        ((10, 100, 0), '0-1'),
        ((0, 0, 4294967295), '7'),
        ((9, 20, 1), '0-1,7'),
    ],
)
def test_counts_that_are_not_zero(counts: tuple[int, ...], seen: str) -> None:
    """Offline CPUs have no column: the third one is CPU 7."""
    host = tuned_host()
    columns = ''.join(f' {count:>10}' for count in counts)
    host.write(
        '/proc/interrupts',
        f'           CPU0       CPU1       CPU7\n  24:{columns}  MSI x',
    )
    facts = host.facts()
    assert not isinstance(facts.interrupt.irqs, Missing)
    assert facts.interrupt.irqs[0].counted == CPUSet.parse(seen)
    assert facts.interrupt.irqs[0].name == 'MSI x'


def test_power() -> None:
    facts = tuned_host().facts()
    assert facts.power.governors == {'performance': TUNED.cpus}
    assert facts.power.idle_states == (
        IdleState(name='POLL', latency_us=0, enabled=TUNED.cpus),
        IdleState(name='C1', latency_us=2, enabled=TUNED.cpus),
        IdleState(name='C6', latency_us=133, enabled=TUNED.housekeeping),
    )
    assert facts.power.dma_latency_us == 2000000000


def test_small_cores_have_idle_states_of_their_own() -> None:
    host = tuned_host()
    host.write('/sys/devices/cpu_atom/cpus', '8-9')
    for cpu in (8, 9):
        host.write(f'{CPU}/cpu{cpu}/cpuidle/state2/latency', '300')
    states = host.facts().power.idle_states
    assert not isinstance(states, Missing)
    assert {(s.name, s.latency_us) for s in states} >= {
        ('C6', 133),
        ('C6', 300),
    }


def test_nova_of_several_files() -> None:
    host = tuned_host()
    host.write(
        '/etc/nova/nova.conf.d/rt.conf',
        '[compute]\ncpu_dedicated_set = 2-3\ncpu_shared_set =\n'
        '[DEFAULT]\nreserved_huge_pages = node:0,size:2048,count:3\n'
        'reserved_huge_pages = node:1,size:1GB,count:1\n'
        '[libvirt]\ncpu_power_management = True\n',
    )
    nova = host.facts().nova
    assert nova.files == (
        '/etc/nova/nova.conf',
        '/etc/nova/nova.conf.d/rt.conf',
    )
    assert nova.dedicated == CPUSet.parse('2-3')
    assert isinstance(nova.shared, Missing)
    assert nova.shared.is_absent
    assert nova.reserved_pages == (
        ReservedPages(cell=0, size_kib=2048, count=3),
        ReservedPages(cell=1, size_kib=1048576, count=1),
    )
    assert nova.takes_cpus_offline


@pytest.mark.parametrize(
    ('option', 'field'),
    [
        ('[compute]\ncpu_dedicated_set = 3-1', 'dedicated'),
        ('[DEFAULT]\nreserved_huge_pages = node:0', 'reserved_pages'),
        ('[libvirt]\nrealtime_scheduler_priority = x', 'realtime_priority'),
        ('[libvirt]\ncpu_power_management = 2', 'power_management'),
    ],
)
def test_nonsense_in_nova_is_malformed(option: str, field: str) -> None:
    host = tuned_host()
    host.write('/etc/nova/nova.conf', option)
    value = getattr(host.facts().nova, field)
    assert isinstance(value, Missing)
    assert value.missing is Why.MALFORMED
    assert '/etc/nova/nova.conf [' in value.path


def test_a_file_of_nova_that_cannot_be_read_hides_all_options() -> None:
    host = tuned_host()
    host.forbid('/etc/nova/nova-compute.conf')
    value = host.facts().nova.dedicated
    assert isinstance(value, Missing)
    assert value.path == '/etc/nova/nova-compute.conf'


def test_domains() -> None:
    facts = tuned_host().facts()
    assert not isinstance(facts.libvirt.domains, Missing)
    (domain,) = facts.libvirt.domains
    assert domain.name == 'rt1'
    assert domain.pins == {n: CPUSet([n + 1]) for n in range(4)}
    assert domain.pinned == CPUSet.parse('1-4')
    assert domain.realtime == CPUSet.parse('3-4')
    assert domain.priorities == {2: 1, 3: 1}
    assert domain.emulator == CPUSet([0])
    assert domain.iothread_pins == {1: CPUSet([0])}
    assert domain.pmu is False


@pytest.mark.parametrize(
    'xml', [b'', b'<domain>', b'<network/>', b'<domstatus/>', b'\xff']
)
def test_what_is_no_domain_is_passed_over(xml: bytes) -> None:
    host = tuned_host()
    host.files['/run/libvirt/qemu/other.xml'] = xml
    assert host.facts().libvirt.domains == tuned_host().facts().libvirt.domains


@pytest.mark.parametrize(
    'xml',
    [
        b'<vcpu>many</vcpu>',
        b"<cputune><vcpupin cpuset='1'/></cputune>",
        b'<vcpu>' + b'9' * 30 + b'</vcpu>',
    ],
)
def test_a_domain_that_makes_no_sense_hides_them_all(xml: bytes) -> None:
    host = tuned_host()
    host.files['/run/libvirt/qemu/other.xml'] = (
        b"<domain type='kvm'><name>x</name>" + xml + b'</domain>'
    )
    domains = host.facts().libvirt.domains
    assert isinstance(domains, Missing)
    assert domains.missing is Why.MALFORMED


def test_entities_of_a_domain_are_not_expanded() -> None:
    host = tuned_host()
    host.files['/run/libvirt/qemu/other.xml'] = (
        b'<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
        b"<domain type='kvm'><name>&a;</name></domain>"
    )
    assert 'root:' not in json.dumps(host.facts().to_dict())


def test_cgroups_of_the_first_version() -> None:
    host = tuned_host()
    host.write(
        '/proc/mounts',
        'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n'
        'cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n'
        'none /sys/fs/cgroup/unified cgroup2 rw 0 0\n',
    )
    host.write('/proc/cgroups', '#name\ncpu\t1\t1\t1\nnet_cls\t0\t1\t0\n')
    cpu = '/sys/fs/cgroup/cpu,cpuacct'
    host.write(f'{cpu}/cpu.rt_runtime_us', '950000')
    host.write(f'{cpu}/machine/cpu.rt_runtime_us', '0')
    host.write('/sys/fs/cgroup/cpuset/machine/cpuset.effective_cpus', '0-3')
    cgroup = host.facts().cgroup
    assert cgroup.version == 1
    assert cgroup.controllers == ('cpu',)
    assert cgroup.rt_runtime_us == {'/': 950000, '/machine': 0}
    assert cgroup.machine_cpus == {'/machine': CPUSet.parse('0-3')}


def test_partitions() -> None:
    host = tuned_host()
    group = '/sys/fs/cgroup/rt.slice'
    host.write(f'{group}/cpuset.cpus.partition', 'isolated')
    host.write(f'{group}/cpuset.cpus.effective', '2-3')
    host.write(
        f'{group}/vm.slice/cpuset.cpus.partition',
        'root invalid (Cpu list in cpuset.cpus not exclusive)',
    )
    found = host.facts().cgroup.partitions
    assert not isinstance(found, Missing)
    assert [(p.path, p.is_isolated, p.is_invalid) for p in found] == [
        ('/rt.slice', True, False),
        ('/rt.slice/vm.slice', False, True),
    ]


@pytest.mark.parametrize(
    ('files', 'expected'),
    [
        ({'': 'CPUAffinity=0-1 4'}, '0-1,4'),
        ({'': 'CPUAffinity=0', '.d/a.conf': 'CPUAffinity=2'}, '0,2'),
        ({'': 'CPUAffinity=0', '.d/a.conf': 'CPUAffinity='}, None),
        ({'.d/a.conf': 'LogLevel=info'}, None),
        ({'.d/a.txt': 'CPUAffinity=2'}, None),
    ],
)
def test_systemd_affinity(files: dict[str, str], expected: str | None) -> None:
    host = HostFiles()
    for name, line in files.items():
        host.write(f'/etc/systemd/system.conf{name}', f'[Manager]\n{line}')
    found = host.facts().service.cpu_affinity
    if expected is None:
        assert isinstance(found, Missing)
        assert found.is_absent
    else:
        assert found == CPUSet.parse(expected)


def test_the_kernel_log_keeps_what_matters() -> None:
    host = tuned_host()
    host.write(
        '/dev/kmsg',
        '4,1,1,-;sched: RT throttling activated\n'
        '6,2,2,-;usb 1-1: new device; fast\n'
        '4,3,3,-;hrtimer: interrupt took 12345 ns; slow\n',
    )
    assert host.facts().kernel.log == (
        'sched: RT throttling activated',
        'hrtimer: interrupt took 12345 ns; slow',
    )
