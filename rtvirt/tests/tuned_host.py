# SPDX-License-Identifier: Apache-2.0
"""A host that is tuned well and does not exist, for tests and samples."""

from __future__ import annotations

import dataclasses
from typing import Final

from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.host_files import CPU
from rtvirt.tests.host_files import NODE
from rtvirt.tests.host_files import HostFiles


@dataclasses.dataclass(frozen=True, kw_only=True)
class Layout:
    """The shape of a host.

    CPUs are numbered as Linux does: all first threads of all cores, then
    all second ones.
    """

    nodes: int = 2
    cores: int = 5
    threads: int = 1
    l3_per_node: int = 1
    sockets: int = 2
    isolated: CPUSet = CPUSet.parse('1-4,6-9')
    gib_per_node: int = 32
    gib_pages: int = 8
    vendor: str = 'GenuineIntel'

    @property
    def cpus(self) -> CPUSet:
        """All CPUs."""
        return CPUSet(range(self.nodes * self.cores * self.threads))

    @property
    def housekeeping(self) -> CPUSet:
        """The CPUs that are not isolated."""
        return self.cpus - self.isolated

    def core(self, cpu: int) -> CPUSet:
        """Return the siblings of a CPU, itself among them."""
        count = self.nodes * self.cores
        return CPUSet(
            cpu % count + thread * count for thread in range(self.threads)
        )

    def node(self, cpu: int) -> int:
        """Return the node of a CPU."""
        return cpu % (self.nodes * self.cores) // self.cores

    def node_cpus(self, node: int) -> CPUSet:
        """Return the CPUs of a node."""
        return CPUSet(cpu for cpu in self.cpus if self.node(cpu) == node)

    def l3(self, cpu: int) -> CPUSet:
        """Return the CPUs that share a CPU's L3 cache."""
        per_cache = self.cores // self.l3_per_node
        first = cpu % (self.nodes * self.cores) // per_cache * per_cache
        return CPUSet(
            member
            for core in range(first, first + per_cache)
            for member in self.core(core)
        )


TUNED: Final = Layout()
RELEASE: Final = '6.1.0-rt-amd64'

_COMMON: Final = 'fpu tsc msr apic pdpe1gb lm constant_tsc nonstop_tsc'
_FLAGS: Final = {
    'GenuineIntel': f'{_COMMON} vmx tsc_deadline_timer cat_l3 invpcid',
    'AuthenticAMD': f'{_COMMON} svm cat_l3 invpcid',
}
_MODULES: Final = {
    'GenuineIntel': (
        ('kvm_intel', 'ple_gap', '0'),
        ('kvm_intel', 'preemption_timer', 'Y'),
        ('kvm_intel', 'enable_apicv', 'Y'),
    ),
    'AuthenticAMD': (
        ('kvm_amd', 'pause_filter_count', '0'),
        ('kvm_amd', 'avic', 'Y'),
    ),
}
_CONFIG: Final = """\
CONFIG_PREEMPT_RT=y
CONFIG_CPU_ISOLATION=y
CONFIG_NO_HZ_FULL=y
CONFIG_RCU_NOCB_CPU=y
# CONFIG_RT_GROUP_SCHED is not set
CONFIG_HZ=250
"""
_SYSCTL: Final = {
    'kernel/hostname': 'compute1',
    'kernel/osrelease': RELEASE,
    'kernel/arch': 'x86_64',
    'kernel/printk': '3\t4\t1\t7',
    'kernel/sched_rt_runtime_us': '-1',
    'kernel/sched_rt_period_us': '1000000',
    'kernel/sched_autogroup_enabled': '0',
    'kernel/timer_migration': '0',
    'kernel/numa_balancing': '0',
    'kernel/nmi_watchdog': '0',
    'kernel/soft_watchdog': '0',
    'kernel/hung_task_timeout_secs': '600',
    'vm/stat_interval': '10',
    'vm/swappiness': '10',
    'vm/compaction_proactiveness': '0',
    'vm/zone_reclaim_mode': '0',
    'net/core/busy_read': '0',
    'net/core/busy_poll': '0',
}


def tuned_host(layout: Layout = TUNED) -> HostFiles:
    """Make a host that is tuned well, one real-time guest running."""
    host = HostFiles()
    _add_kernel(host, layout)
    _add_processors(host, layout)
    _add_memory(host, layout)
    _add_interrupts(host, layout)
    _add_configuration(host, layout)
    _add_threads(host, layout)
    add_guest(host, layout)
    return host


def _mask(cpus: CPUSet) -> str:
    return f'{cpus.mask:x}'


def _add_kernel(host: HostFiles, layout: Layout) -> None:
    isolated, rest = layout.isolated, layout.housekeeping
    pages = layout.gib_pages * layout.nodes
    host.write(
        '/proc/cmdline',
        'BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet skew_tick=1 '
        f'isolcpus=managed_irq,domain,{isolated} nosoftlockup tsc=reliable '
        f'nohz=on nohz_full={isolated} rcu_nocbs={isolated} '
        f'irqaffinity={rest} mitigations=auto intel_iommu=on iommu=pt '
        f'default_hugepagesz=1G hugepagesz=1G hugepages={pages}',
    )
    host.write('/proc/version', f'Linux version {RELEASE} #1 SMP PREEMPT_RT')
    host.write(f'/boot/config-{RELEASE}', _CONFIG)
    host.write('/proc/misc', '232 kvm\n228 hpet\n144 nvram\n')
    host.write('/sys/kernel/realtime', '1')
    for name, value in _SYSCTL.items():
        host.write(f'/proc/sys/{name}', value)
    host.write('/proc/sys/kernel/watchdog_cpumask', str(rest))
    host.write('/proc/sys/net/core/rps_default_mask', _mask(rest))
    host.write(
        '/sys/devices/system/clocksource/clocksource0/current_clocksource',
        'tsc',
    )
    host.write(f'{CPU}/vulnerabilities/meltdown', 'Mitigation: PTI')
    host.write(f'{CPU}/vulnerabilities/tsx_async_abort', 'Not affected')
    host.write(
        '/dev/kmsg',
        '5,1,0,-;Linux version 6.1.0\n6,2,10,-;clocksource: Switched to '
        'clocksource tsc\n',
    )
    machine_check = '/sys/devices/system/machinecheck/machinecheck0'
    host.write(f'{machine_check}/ignore_ce', '1')
    host.write(f'{machine_check}/check_interval', '300')
    host.write('/sys/kernel/mm/ksm/run', '2')
    pages_file = '/sys/kernel/mm/transparent_hugepage'
    host.write(f'{pages_file}/enabled', 'always madvise [never]')
    host.write(f'{pages_file}/khugepaged/defrag', '0')
    for name in ('sys_vendor', 'product_name', 'bios_version', 'bios_date'):
        host.write(f'/sys/class/dmi/id/{name}', f'Sample {name}')
    for module, name, value in (
        ('kvm', 'halt_poll_ns', '0'),
        ('kvm', 'kvmclock_periodic_sync', 'N'),
        ('kvm', 'nx_huge_pages', 'N'),
        ('kvm', 'enable_pmu', 'Y'),
        ('kvm', 'lapic_timer_advance_ns', '-1'),
        *_MODULES[layout.vendor],
    ):
        host.write(f'/sys/module/{module}/parameters/{name}', value)


def _add_processors(host: HostFiles, layout: Layout) -> None:
    host.write(
        '/proc/cpuinfo',
        f'processor\t: 0\nvendor_id\t: {layout.vendor}\n'
        f'model name\t: Sample CPU\nflags\t\t: {_FLAGS[layout.vendor]}\n\n'
        'processor\t: 1\n',
    )
    for name in ('online', 'present', 'possible'):
        host.write(f'{CPU}/{name}', str(layout.cpus))
    host.write(f'{CPU}/isolated', str(layout.isolated))
    host.write(f'{CPU}/nohz_full', str(layout.isolated))
    host.write(f'{CPU}/smt/active', str(int(layout.threads > 1)))
    host.write(
        f'{CPU}/smt/control', 'on' if layout.threads > 1 else 'notsupported'
    )
    host.write(f'{CPU}/cpuidle/current_driver', 'intel_idle')
    host.write(f'{CPU}/intel_pstate/no_turbo', '1')
    host.write('/dev/cpu_dma_latency', (2000000000).to_bytes(4, 'little'))
    host.write(f'{CPU}/cpu0/power/energy_perf_bias', '0')
    caches = sorted({min(layout.l3(cpu)) for cpu in layout.cpus})
    for cpu in layout.cpus:
        _add_processor(host, layout, cpu, caches.index(min(layout.l3(cpu))))
    resctrl = '/sys/fs/resctrl/info/L3'
    host.write(f'{resctrl}/cbm_mask', 'fff')
    host.write(f'{resctrl}/min_cbm_bits', '1')
    host.write(f'{resctrl}/num_closids', '16')


def _add_processor(
    host: HostFiles, layout: Layout, cpu: int, cache: int
) -> None:
    path = f'{CPU}/cpu{cpu}'
    per_socket = layout.nodes // layout.sockets
    host.write(f'{path}/topology/thread_siblings_list', str(layout.core(cpu)))
    host.write(
        f'{path}/topology/physical_package_id',
        str(layout.node(cpu) // per_socket),
    )
    l3 = f'{path}/cache/index3'
    host.write(f'{l3}/level', '3')
    host.write(f'{l3}/id', str(cache))
    host.write(f'{l3}/size', '24576K')
    host.write(f'{l3}/shared_cpu_list', str(layout.l3(cpu)))
    host.write(f'{path}/cpufreq/scaling_governor', 'performance')
    host.write(f'{path}/power/pm_qos_resume_latency_us', '0')
    host.write(f'{path}/thermal_throttle/core_throttle_count', '0')
    for number, (name, latency) in enumerate(
        (('POLL', 0), ('C1', 2), ('C6', 133))
    ):
        state = f'{path}/cpuidle/state{number}'
        off = latency > 10 and cpu in layout.isolated
        host.write(f'{state}/name', name)
        host.write(f'{state}/latency', str(latency))
        host.write(f'{state}/disable', str(int(off)))


def _add_memory(host: HostFiles, layout: Layout) -> None:
    node_kib = layout.gib_per_node << 20
    size = 1 << 20
    for node in range(layout.nodes):
        path = f'{NODE}/node{node}'
        host.write(f'{path}/cpulist', str(layout.node_cpus(node)))
        host.write(
            f'{path}/distance',
            ' '.join(
                '10' if other == node else '21'
                for other in range(layout.nodes)
            ),
        )
        host.write(
            f'{path}/meminfo',
            f'Node {node} MemTotal:       {node_kib} kB\n'
            f'Node {node} MemFree:        {node_kib // 2} kB\n',
        )
        _add_pool(host, f'{path}/hugepages', size, layout.gib_pages)
        _add_pool(host, f'{path}/hugepages', 2048, 0)
    pools = '/sys/kernel/mm/hugepages'
    _add_pool(host, pools, size, layout.gib_pages * layout.nodes)
    _add_pool(host, pools, 2048, 0)
    for path in (f'{pools}/hugepages-{size}kB', f'{pools}/hugepages-2048kB'):
        host.write(f'{path}/resv_hugepages', '0')
        host.write(f'{path}/nr_overcommit_hugepages', '0')
    host.write(
        '/proc/meminfo',
        f'MemTotal:       {node_kib * layout.nodes} kB\n'
        f'Hugepagesize:    {size} kB\n',
    )
    host.write('/proc/swaps', 'Filename\tType\tSize\tUsed\tPriority\n')
    host.write(
        '/proc/mounts',
        'sysfs /sys sysfs rw,nosuid 0 0\n'
        'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\n'
        'hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=1024M 0 0\n',
    )
    host.write('/sys/fs/cgroup/cgroup.controllers', 'cpuset cpu io memory')
    host.write('/sys/fs/cgroup/cpuset.cpus.isolated', '')
    host.write('/sys/fs/cgroup/cgroup.procs', '')
    group = '/sys/fs/cgroup/machine.slice'
    host.write(f'{group}/cpuset.cpus.effective', str(layout.cpus))
    host.write(f'{group}/cpuset.cpus.partition', 'member')


def _add_pool(host: HostFiles, path: str, size: int, count: int) -> None:
    pool = f'{path}/hugepages-{size}kB'
    host.write(f'{pool}/nr_hugepages', str(count))
    host.write(f'{pool}/free_hugepages', str(count))
    host.write(f'{pool}/surplus_hugepages', '0')


def _add_interrupts(host: HostFiles, layout: Layout) -> None:
    rest = layout.housekeeping
    host.write('/proc/irq/default_smp_affinity', _mask(rest))
    head = '     ' + ''.join(f'       CPU{cpu:<1}' for cpu in layout.cpus)
    lines = [head]
    for irq, name in ((24, 'eth0-rx-0'), (25, 'eth0-rx-1'), (26, 'nvme0q1')):
        target = sorted(rest)[irq % len(rest)]
        counts = ''.join(
            f' {1234 if cpu == target else 0:>10}' for cpu in layout.cpus
        )
        lines.append(f' {irq}:{counts}  PCI-MSI 524288-edge      {name}')
        host.write(f'/proc/irq/{irq}/effective_affinity_list', str(target))
        host.write(f'/proc/irq/{irq}/smp_affinity_list', str(rest))
    counts = ''.join(f' {99:>10}' for _ in layout.cpus)
    lines.append(f'LOC:{counts}   Local timer interrupts')
    host.write('/proc/interrupts', '\n'.join(lines))
    host.write('/sys/devices/virtual/workqueue/cpumask', _mask(rest))
    host.write('/sys/bus/workqueue/devices/writeback/cpumask', _mask(rest))
    net = '/sys/class/net/eth0'
    host.write(f'{net}/operstate', 'up')
    host.write(f'{net}/device/numa_node', '0')
    host.write(f'{net}/device/sriov_numvfs', '4')
    for queue in range(min(2, len(rest))):
        host.write(f'{net}/queues/rx-{queue}/rps_cpus', '0')
    host.write('/sys/class/net/lo/operstate', 'unknown')
    host.write('/sys/class/iommu/dmar0/device', '')


def _add_configuration(host: HostFiles, layout: Layout) -> None:
    host.write(
        '/etc/nova/nova.conf',
        '[DEFAULT]\n'
        'transport_url = rabbit://nova:s3cret@controller:5672/\n'
        'reserved_huge_pages = node:0,size:1GB,count:1\n'
        '[compute]\n'
        f'cpu_dedicated_set = {layout.isolated}\n'
        f'cpu_shared_set = {layout.housekeeping}\n'
        '[keystone_authtoken]\npassword = s3cret\n'
        '[libvirt]\nvirt_type = kvm\nrbd_secret_uuid = s3cret\n',
    )
    tuned = '/etc/tuned'
    host.write(f'{tuned}/active_profile', 'realtime-virtual-host')
    host.write(
        f'{tuned}/realtime-virtual-host-variables.conf',
        f'# isolated_cores=2-4\nisolated_cores={layout.isolated}\n',
    )
    host.write(
        f'{tuned}/bootcmdline',
        'TUNED_BOOT_CMDLINE="skew_tick=1 '
        f'isolcpus=managed_irq,domain,{layout.isolated} nosoftlockup"\n',
    )
    host.write('/etc/libvirt/qemu.conf', '#user = "root"\nvnc_password = "x"')
    host.write(
        '/etc/systemd/system.conf', '[Manager]\n#CPUAffinity=\nLogLevel=info\n'
    )
    host.write('/etc/systemd/system/timers.target.wants/fstrim.timer', '')
    host.write('/run/libvirt/virtqemud-sock', '')


def _add_threads(host: HostFiles, layout: Layout) -> None:
    rest = layout.housekeeping
    host.add_task(1, 'systemd', rest)
    host.add_task(2, 'kthreadd', rest, kernel=True)
    pid = 10
    for cpu in layout.cpus:
        for name, fifo in (
            ('migration', 99),
            ('ksoftirqd', 2),
            ('ktimers', 2),
            ('rcuc', 4),
            ('kworker', 0),
        ):
            pid += 1
            host.add_task(
                pid,
                f'{name}/{cpu}',
                CPUSet([cpu]),
                fifo=fifo,
                kernel=True,
                bound=True,
            )
    pid = 10000
    for name in ('kswapd0', 'kcompactd0', 'rcu_preempt'):
        pid += 1
        host.add_task(pid, name, rest, kernel=True)
    for name in ('virtqemud', 'stalld', 'tuned', 'sshd'):
        pid += 1
        host.add_task(pid, name, rest, status='CapEff:\t000001ffffffffff\n')
        host.write(
            f'/proc/{pid}/limits',
            'Limit                     Soft Limit           Hard Limit\n'
            'Max locked memory         unlimited            unlimited  bytes',
        )


def add_guest(
    host: HostFiles,
    layout: Layout,
    *,
    name: str = 'rt1',
    pid: int = 20000,
    first: int = 0,
) -> None:
    """Start a guest of four vCPUs, two of them real-time.

    :param first: which of the isolated pCPUs of node 0 its first vCPU has.
    """
    local = sorted(layout.isolated & layout.node_cpus(0))[first:][:4]
    home = min(layout.housekeeping)
    pins = ''.join(
        f"<vcpupin vcpu='{vcpu}' cpuset='{cpu}'/>"
        for vcpu, cpu in enumerate(local)
    )
    host.write(
        f'/run/libvirt/qemu/{name}.xml',
        f"<domstatus state='running' pid='{pid}'><domain type='kvm' id='1'>"
        f'<name>{name}</name><memory unit="KiB">4194304</memory>'
        f"<vcpu placement='static'>{len(local)}</vcpu>"
        '<iothreads>1</iothreads>'
        f"<cputune>{pins}<emulatorpin cpuset='{home}'/>"
        f"<iothreadpin iothread='1' cpuset='{home}'/>"
        "<vcpusched vcpus='2-3' scheduler='fifo' priority='1'/></cputune>"
        "<features><pmu state='off'/></features>"
        "<devices><graphics type='vnc' passwd='s3cret'/></devices>"
        '</domain></domstatus>',
    )
    host.add_task(pid, 'qemu-system-x86', CPUSet([home]))
    host.add_task(pid, 'IO iothread1', CPUSet([home]), tid=pid + 1)
    for vcpu, cpu in enumerate(local):
        host.add_task(
            pid,
            f'CPU {vcpu}/KVM',
            CPUSet([cpu]),
            tid=pid + 2 + vcpu,
            fifo=int(vcpu > 1),
        )
    host.add_task(pid + 20, f'vhost-{pid}', CPUSet([home]), kernel=True)
