# SPDX-License-Identifier: Apache-2.0
"""For each check of a host, a defect that it alone has to find."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import NODE
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.host_files import append
from rtvirt.tests.host_files import set_all
from rtvirt.tests.host_files import without
from rtvirt.tests.tuned_host import RELEASE
from rtvirt.tests.tuned_host import TUNED
from rtvirt.tests.tuned_host import add_guest
from rtvirt.tests.tuned_host import tuned_host

Defect = Callable[[HostFiles], object]

CONFIG: Final = f'/boot/config-{RELEASE}'
ISOLATED: Final = TUNED.isolated
DOMAIN: Final = '/run/libvirt/qemu/rt1.xml'
NOVA: Final = '/etc/nova/nova.conf'
SYS: Final = '/proc/sys'


def _sets(path: str, text: str) -> Defect:
    return lambda host: host.write(path, text)


def _swaps(path: str, old: str, new: str) -> Defect:
    return lambda host: host.replace(path, old, new)


def _lacks(*parameters: str) -> Defect:
    return lambda host: without(host, *parameters)


def _both(*defects: Defect) -> Defect:
    def spoil(host: HostFiles) -> None:
        for defect in defects:
            defect(host)

    return spoil


def _daemon(host: HostFiles) -> int:
    """Return the process of libvirt's daemon."""
    for path in host.files:
        if path.endswith('/limits'):
            pid = int(path.split('/')[2])
            if 'virtqemud' in host.text(f'/proc/{pid}/stat'):
                return pid
    raise AssertionError('no daemon')


def _kill(name: str) -> Defect:
    def spoil(host: HostFiles) -> None:
        processes = [
            path.removesuffix('/stat')
            for path in host.files
            if path.endswith('/stat') and path.count('/') == 3
        ]
        for process in processes:
            if f'({name})' in host.text(f'{process}/stat'):
                host.remove(process)

    return spoil


def _no_daemon(host: HostFiles) -> None:
    host.remove('/run/libvirt/virtqemud-sock')
    _kill('virtqemud')(host)


def _cannot_lock(host: HostFiles) -> None:
    pid = _daemon(host)
    host.replace(f'/proc/{pid}/limits', 'unlimited', '8388608')
    host.replace(f'/proc/{pid}/status', '1ffffffffff', '1fffeffffff')


def _without_nice(host: HostFiles) -> None:
    pid = _daemon(host)
    host.replace(f'/proc/{pid}/status', '1ffffffffff', '1ffff7fffff')


def _cgroup_v1(host: HostFiles) -> None:
    host.write(
        '/proc/mounts',
        'cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n'
        'cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n'
        'hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=1024M 0 0\n',
    )
    host.write(
        '/proc/cgroups',
        '#subsys_name\thierarchy\tnum_cgroups\tenabled\n'
        'cpuset\t1\t2\t1\ncpu\t2\t2\t1\nmemory\t3\t1\t1\n',
    )
    host.write('/sys/fs/cgroup/cpu/cpu.rt_runtime_us', '950000')
    host.write('/sys/fs/cgroup/cpu/machine.slice/cpu.rt_runtime_us', '900000')
    host.write(
        '/sys/fs/cgroup/cpu/machine.slice/machine-qemu\\x2d1/'
        'cpu.rt_runtime_us',
        '0',
    )


def _newer_kernel(host: HostFiles, runtime_ns: int | None) -> None:
    """Give the host a kernel with fair servers, off unless told."""
    host.replace(f'{SYS}/kernel/osrelease', '6.1.0', '6.12.9')
    host.files['/boot/config-6.12.9-rt-amd64'] = host.files[CONFIG]
    if runtime_ns is not None:
        set_all(
            host,
            TUNED.cpus,
            '/sys/kernel/debug/sched/fair_server/cpu{}/runtime',
            str(runtime_ns),
        )


def _serial_console(host: HostFiles) -> None:
    append(host, 'console=ttyS0,115200')
    host.write(f'{SYS}/kernel/printk', '7\t4\t1\t7')


def _offline(host: HostFiles) -> None:
    host.write(f'{CPU}/online', '0-8')
    for name in ('topology', 'cache', 'cpufreq', 'cpuidle'):
        host.remove(f'{CPU}/cpu9/{name}')


def _pairs(host: HostFiles, *pairs: str) -> None:
    """Make two CPUs the threads of one core."""
    for pair in pairs:
        for cpu in CPUSet.parse(pair):
            host.write(f'{CPU}/cpu{cpu}/topology/thread_siblings_list', pair)


def _two_caches(host: HostFiles) -> None:
    """Split node 0's cache so that housekeeping is in both halves."""
    for cpu in range(5):
        half = '0-2' if cpu < 3 else '3-4'
        l3 = f'{CPU}/cpu{cpu}/cache/index3'
        host.write(f'{l3}/shared_cpu_list', half)
        host.write(f'{l3}/id', str(cpu // 3 + 10))
    _isolate(host, '1-3,6-9')


def _isolate(host: HostFiles, cpus: str) -> None:
    """Isolate other CPUs than the host did, in all places."""
    rest = TUNED.cpus - CPUSet.parse(cpus)
    for path in list(host.files):
        if path.startswith(('/proc/cmdline', '/etc/', f'{CPU}/')):
            content = host.files[path]
            if isinstance(content, bytes) and b'1-4,6-9' in content:
                host.replace(path, '1-4,6-9', cpus)
    host.replace('/proc/cmdline', 'irqaffinity=0,5', f'irqaffinity={rest}')
    host.replace(NOVA, 'cpu_shared_set = 0,5', f'cpu_shared_set = {rest}')


def _whole_node(host: HostFiles) -> None:
    isolated = CPUSet.parse('1-9')
    layout = dataclasses.replace(TUNED, isolated=isolated)
    host.files = tuned_host(layout).files


def aim_interrupt(host: HostFiles, *, counted: bool) -> None:
    """Aim interrupt 26 at CPU 3, which has or has not seen it."""
    host.write('/proc/irq/26/effective_affinity_list', '3')
    rows = host.text('/proc/interrupts').splitlines()
    everywhere = f' {5:>10}' * 10
    host.write(
        '/proc/interrupts',
        '\n'.join(
            row[:4] + everywhere + row[114:]
            if counted and row.startswith(' 26:')
            else row
            for row in rows
        ),
    )


def _more_queues(host: HostFiles) -> None:
    for queue in range(8):
        path = f'/sys/class/net/eth0/queues/rx-{queue}/rps_cpus'
        host.write(path, '0')


def _other_node(host: HostFiles) -> None:
    host.write('/sys/class/net/eth0/device/numa_node', '1')
    _isolate(host, '1-4')


def _without_pages(host: HostFiles) -> None:
    pool = f'{NODE}/node1/hugepages/hugepages-1048576kB'
    for name in ('nr', 'free'):
        host.write(f'{pool}/{name}_hugepages', '0')


def _second_guest(host: HostFiles) -> None:
    add_guest(host, TUNED, name='rt2', pid=30000)
    host.replace('/run/libvirt/qemu/rt2.xml', "cpuset='2'", "cpuset='6'")
    host.replace('/run/libvirt/qemu/rt2.xml', "cpuset='3'", "cpuset='7'")
    host.replace('/run/libvirt/qemu/rt2.xml', "cpuset='4'", "cpuset='8'")


def _fair_server_only(host: HostFiles) -> None:
    _newer_kernel(host, None)


_LIMITED: Final = _sets(f'{SYS}/kernel/sched_rt_runtime_us', '950000')

HOST_DEFECTS: Final[dict[str, tuple[Defect, frozenset[str]]]] = {}
"""By code: the defect, and the codes of checks that see it as well."""


def _defect(code: str, spoil: Defect, *also: str) -> None:
    HOST_DEFECTS[code] = (spoil, frozenset(also))


_defect('RT-A01', _sets('/proc/misc', '228 hpet'))
_defect('RT-A02', _swaps('/proc/cpuinfo', ' vmx', ''))
_defect('RT-A03', _no_daemon)
_defect('RT-A04', _swaps('/proc/cpuinfo', ' nonstop_tsc', ''))
_defect('RT-A05', _sets('/sys/fs/cgroup/cgroup.controllers', 'cpu memory'))
_defect('RT-A06', _swaps('/proc/cpuinfo', ' vmx', ' vmx hypervisor'))
_defect('RT-A07', _lacks('iommu'))
_defect('RT-A08', _cannot_lock)
_defect('RT-A09', _without_nice)
_defect(
    'RT-B01',
    _both(
        _sets('/sys/kernel/realtime', '0'),
        _swaps(CONFIG, 'CONFIG_PREEMPT_RT=y', '# no'),
    ),
)
_defect(
    'RT-B02',
    _both(
        _swaps(
            CONFIG,
            '# CONFIG_RT_GROUP_SCHED is not set',
            'CONFIG_RT_GROUP_SCHED=y',
        ),
        _LIMITED,
    ),
    'RT-B04',
)
_defect('RT-B03', _both(_cgroup_v1, _LIMITED), 'RT-B04')
_defect('RT-B04', _LIMITED)
_defect('RT-B05', lambda host: _newer_kernel(host, 50000000))
_defect('RT-B06', _kill('stalld'))
_defect('RT-B07', _swaps(CONFIG, 'CONFIG_NO_HZ_FULL=y', '# no'))
_defect('RT-B08', _swaps(CONFIG, 'CONFIG_HZ=250', 'CONFIG_KASAN=y'))
_defect(
    'RT-B09',
    _both(
        _sets(f'{SYS}/kernel/nmi_watchdog', '1'),
        _sets(f'{SYS}/kernel/watchdog_cpumask', '0-9'),
    ),
)
_defect('RT-B10', _lacks('tsc'))
_defect(
    'RT-B11',
    _sets('/sys/devices/system/machinecheck/machinecheck0/ignore_ce', '0'),
)
_defect(
    'RT-B12',
    _sets(
        '/sys/devices/system/clocksource/clocksource0/current_clocksource',
        'hpet',
    ),
)
_defect('RT-B13', _lacks('mitigations'))
_defect('RT-B14', _sets(f'{SYS}/kernel/numa_balancing', '1'))
_defect('RT-B15', _sets(f'{SYS}/vm/stat_interval', '1'))
_defect('RT-B16', _serial_console)
_defect(
    'RT-C01',
    _both(
        _swaps('/proc/cmdline', 'domain,1-4,6-9', 'domain,1-4,6-8'),
        _sets(f'{CPU}/isolated', '1-4,6-8'),
        _swaps(
            '/etc/tuned/realtime-virtual-host-variables.conf', '6-9', '6-8'
        ),
        _swaps('/etc/tuned/bootcmdline', '6-9', '6-8'),
    ),
)
_defect(
    'RT-C02', _swaps('/proc/cmdline', 'managed_irq,domain', 'domain'), 'RT-H01'
)
_defect('RT-C03', _sets(f'{CPU}/nohz_full', '1-4'))
_defect(
    'RT-C04',
    _both(_lacks('rcu_nocbs'), _sets(f'{CPU}/nohz_full', '')),
    'RT-C03',
)
_defect('RT-C05', _swaps('/proc/cmdline', 'affinity=0,5', 'affinity=0-5'))
_defect('RT-C06', _whole_node)
_defect(
    'RT-C07',
    _swaps('/etc/tuned/realtime-virtual-host-variables.conf', '1-4,', '2-4,'),
)
_defect('RT-C08', lambda host: _pairs(host, '1-2'))
_defect('RT-C09', _two_caches)
_defect('RT-C10', _offline)
_defect(
    'RT-C11',
    _both(
        _sets('/sys/devices/cpu_core/cpus', '0-5'),
        _sets('/sys/devices/cpu_atom/cpus', '6-9'),
    ),
)
_defect(
    'RT-C12',
    lambda host: host.add_task(40000, 'postgres', CPUSet.parse('0,3')),
)
_defect(
    'RT-C13',
    lambda host: host.add_task(40000, 'qemu-system-x86', CPUSet.parse('3-4')),
)
_defect(
    'RT-C14',
    lambda host: host.add_task(
        60, 'ksoftirqd/3', CPUSet([3]), kernel=True, bound=True
    ),
)
_defect('RT-C15', _sets('/sys/devices/virtual/workqueue/cpumask', '3ff'))
_defect(
    'RT-C16',
    _swaps('/etc/systemd/system.conf', '#CPUAffinity=', 'CPUAffinity=0-2'),
)
_defect(
    'RT-C17',
    _sets('/sys/fs/cgroup/machine.slice/cpuset.cpus.effective', '0,5'),
)
_defect('RT-D01', _sets('/proc/irq/default_smp_affinity', '3ff'))
_defect('RT-D02', lambda host: aim_interrupt(host, counted=True))
_defect(
    'RT-D03',
    _both(
        lambda host: host.add_task(40000, 'irqbalance', CPUSet([0])),
        _sets('/etc/sysconfig/irqbalance', 'IRQBALANCE_BANNED_CPULIST=1-4'),
    ),
)
_defect('RT-D06', _more_queues)
_defect('RT-D07', _sets(f'{SYS}/net/core/rps_default_mask', '3ff'))
_defect('RT-D08', _other_node)
_defect('RT-D09', _sets(f'{SYS}/net/core/busy_poll', '50'))
_defect('RT-E01', _sets(f'{CPU}/cpu3/cpufreq/scaling_governor', 'powersave'))
_defect('RT-E02', _sets(f'{CPU}/intel_pstate/no_turbo', '0'))
_defect('RT-E03', _sets(f'{CPU}/cpu3/cpuidle/state2/disable', '0'))
_defect('RT-E04', _sets(f'{CPU}/cpu0/power/energy_perf_bias', '6'))
_defect('RT-E06', _sets(f'{CPU}/cpu3/topology/physical_package_id', '1'))
_defect(
    'RT-E07', _sets(f'{CPU}/cpu3/thermal_throttle/core_throttle_count', '7')
)
_defect('RT-E08', lambda host: host.add_task(40000, 'smartd', CPUSet([0])))
_defect(
    'RT-E09',
    _both(
        _sets(
            f'{CPU}/intel_uncore_frequency/package_00_die_00/min_freq_khz',
            '800000',
        ),
        _sets(
            f'{CPU}/intel_uncore_frequency/package_00_die_00/max_freq_khz',
            '2400000',
        ),
    ),
)
_defect('RT-F01', _without_pages)
_defect('RT-F02', _swaps('/proc/cmdline', 'hugepages=16', 'hugepages=24'))
_defect(
    'RT-F03',
    _sets('/sys/kernel/mm/transparent_hugepage/enabled', '[always] never'),
)
_defect('RT-F04', _sets('/sys/kernel/mm/ksm/run', '1'))
_defect('RT-F05', _sets(f'{SYS}/vm/zone_reclaim_mode', '1'))
_defect(
    'RT-F06', _swaps('/proc/mounts', 'hugetlbfs rw,pagesize=1024M', 'tmpfs rw')
)
_defect(
    'RT-F07',
    _sets(
        '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages',
        '64',
    ),
)
_defect('RT-G01', _sets('/sys/module/kvm/parameters/halt_poll_ns', '200000'))
_defect(
    'RT-G02', _sets('/sys/module/kvm/parameters/kvmclock_periodic_sync', 'Y')
)
_defect('RT-G03', _sets('/sys/module/kvm_intel/parameters/ple_gap', '128'))
_defect('RT-G04', _sets('/sys/module/kvm/parameters/nx_huge_pages', 'Y'))
_defect('RT-G05', _sets('/sys/module/kvm_intel/parameters/enable_apicv', 'N'))
_defect('RT-G06', _swaps(DOMAIN, "<pmu state='off'/>", ''))
_defect('RT-H01', _swaps('/etc/tuned/bootcmdline', 'nosoftlockup', 'nmi=off'))
_defect('RT-H02', lambda host: host.add_task(40000, 'numad', CPUSet([0])))
_defect(
    'RT-H03',
    _sets('/dev/kmsg', '4,1,9,-;sched: RT throttling activated'),
)
_defect('RT-H04', _second_guest)
_defect('RT-H05', _swaps(NOVA, 'size:1GB,count:1', 'size:1GB,count:99'))
_defect(
    'RT-H06',
    _swaps(NOVA, '[DEFAULT]', '[DEFAULT]\ncompute_driver = rtvirt.Driver'),
)
_defect(
    'RT-H07',
    _swaps(
        NOVA,
        '[DEFAULT]',
        '[filter_scheduler]\nenabled_filters = ComputeFilter, '
        'PciPassthroughFilter\n[DEFAULT]',
    ),
)
_defect(
    'RT-X01',
    _both(
        _sets('/sys/kernel/realtime', '0'),
        _swaps(CONFIG, 'CONFIG_PREEMPT_RT=y', '# no'),
        _kill('stalld'),
    ),
    'RT-B01',
    'RT-B06',
)
_defect(
    'RT-X02',
    _swaps(NOVA, '[libvirt]', '[libvirt]\nrealtime_scheduler_priority = 3'),
)
_defect('RT-X03', lambda host: _pairs(host, '0-1'))
_defect(
    'RT-X04',
    _swaps(DOMAIN, "emulatorpin cpuset='0'", "emulatorpin cpuset='3'"),
)
_defect(
    'RT-X05',
    _swaps(NOVA, 'cpu_shared_set = 0,5', 'cpu_shared_set = 0,4,5'),
    'RT-C07',
)
_defect('RT-X06', _fair_server_only)
_defect(
    'RT-X07',
    _both(
        _kill('stalld'),
        lambda host: host.add_task(40000, 'stalld', CPUSet([0]), fifo=10),
    ),
)
