# SPDX-License-Identifier: Apache-2.0
"""How a tuned host is broken while it is up, check by check.

What is in somebody's configuration is written there, what the kernel knows
is told the kernel, and a daemon that the emulated host does not have is a
program of its name, which sleeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rtvirt.model.cpuset import CPUSet
from tools.lab.topology import Topology


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """One that comes and goes.

    :ivar codes: of what is found then, separated by blanks.
    :ivar breaks: a script of a shell.
    :ivar mends: takes all of it back.
    :ivar settles: codes of what a tuned host has, and this takes away.
    """

    codes: str
    breaks: str
    mends: str
    settles: str = ''


def _sysctl(codes: str, name: str, wrong: str, right: str) -> Defect:
    return Defect(
        codes=codes,
        breaks=f'sysctl -q -w {name}="{wrong}"',
        mends=f'sysctl -q -w {name}="{right}"',
    )


def _file(codes: str, path: str, wrong: str, right: str) -> Defect:
    """Return what another line in a file of the kernel's does."""
    return Defect(
        codes=codes,
        breaks=f'echo {wrong} >{path}',
        mends=f'echo {right} >{path}',
    )


def _text(codes: str, path: str, text: str) -> Defect:
    """Return what a file with this text does, whether there was one or not."""
    return Defect(
        codes=codes,
        breaks=f'[ ! -e {path} ] || mv {path} {path}.kept; '
        f'mkdir -p $(dirname {path}); printf "{text}\\n" >{path}',
        mends=f'rm {path}; [ ! -e {path}.kept ] || mv {path}.kept {path}',
    )


def _nova(code: str, text: str) -> Defect:
    return _text(code, f'/etc/nova/nova.conf.d/60-{code}.conf', text)


def _daemon(
    codes: str, name: str, before: str = '', settles: str = ''
) -> Defect:
    """Return what a program of that name does by being there."""
    return Defect(
        codes=codes,
        breaks=f'cp /bin/sleep /tmp/{name}; '
        f'{before} /tmp/{name} 3600 >/dev/null 2>&1 </dev/null & '
        f'echo $! >/tmp/{name}.pid; '
        f'until grep -q {name} /proc/$!/comm; do sleep 0.1; done',
        mends=f'kill $(cat /tmp/{name}.pid); rm /tmp/{name} /tmp/{name}.pid',
        settles=settles,
    )


# The lab holds a machine of KVM itself.
_UNLOAD: Final = """
kill "$(cat /run/keep_kvm.pid)"
until modprobe -r kvm-amd; do sleep 0.1; done
"""
_LOAD: Final = """
modprobe kvm-amd
python3 /lab/keep_kvm.py >/run/keep_kvm.log 2>&1 </dev/null
"""
_STOP: Final = """
kill $(cat /run/libvirtd.pid)
while [ -e /run/libvirtd.pid ]; do sleep 0.1; done
rm -f /run/libvirt/libvirt-sock*
"""
_START: Final = """
{} libvirtd --listen >/run/libvirtd.log 2>&1 </dev/null &
until [ -S /run/libvirt/libvirt-sock ]; do sleep 0.1; done
"""
_CLOCK: Final = '/sys/devices/system/clocksource/clocksource0'
_PAGES: Final = (
    '/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages'
)
# The network's interrupt, which the next command on the host raises.
_IRQ: Final = (
    '/proc/irq/$(sed -n "s/^ *\\([0-9]*\\):.*input[.]0$/\\1/p" '
    '/proc/interrupts)/smp_affinity_list'
)

KERNEL: Final = (
    Defect(
        codes='RT-B04',
        breaks='sysctl -q -w kernel.sched_rt_runtime_us=950000',
        mends='sysctl -q -w kernel.sched_rt_runtime_us=-1',
        settles='RT-B06',
    ),
    Defect(
        codes='RT-B09',
        breaks='sysctl -q -w kernel.watchdog_cpumask=0-7; '
        'sysctl -q -w kernel.soft_watchdog=1',
        mends='sysctl -q -w kernel.soft_watchdog=0; '
        'sysctl -q -w kernel.watchdog_cpumask=0-1',
    ),
    _file(
        'RT-B11',
        '/sys/devices/system/machinecheck/machinecheck0/ignore_ce',
        *('0', '1'),
    ),
    _file('RT-B12', f'{_CLOCK}/current_clocksource', 'hpet', 'tsc'),
    _sysctl('RT-B14', 'kernel.timer_migration', '1', '0'),
    _sysctl('RT-B15', 'vm.stat_interval', '1', '10'),
    _sysctl('RT-B16', 'kernel.printk', '7 4 1 7', '4 4 1 7'),
    Defect(
        codes='RT-C14',
        breaks='chrt -o -p 0 $(pgrep -x ksoftirqd/2)',
        mends='chrt -f -p 2 $(pgrep -x ksoftirqd/2)',
    ),
    _file('RT-C15', '/sys/devices/virtual/workqueue/cpumask', 'ff', '03'),
    Defect(
        codes='RT-C17',
        breaks='cd /sys/fs/cgroup; echo +cpuset >cgroup.subtree_control; '
        'mkdir machine.slice; echo 0-3 >machine.slice/cpuset.cpus',
        mends='rmdir /sys/fs/cgroup/machine.slice',
    ),
    _file('RT-D01', '/proc/irq/default_smp_affinity', 'ff', '03'),
    _file('RT-D02', _IRQ, '5', '0-1'),
    _file('RT-F01 RT-F02', _PAGES, '0', '2'),
    _file('RT-F04', '/sys/kernel/mm/ksm/run', '1', '2'),
    _sysctl('RT-F05', 'vm.zone_reclaim_mode', '1', '0'),
    Defect(
        codes='RT-F06',
        breaks='umount /dev/hugepages-1048576kB',
        mends='mount -t hugetlbfs -o pagesize=1G hugetlbfs '
        '/dev/hugepages-1048576kB',
    ),
    _file(
        'RT-F07',
        '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_overcommit_hugepages',
        *('1', '0'),
    ),
    _file('RT-G04', '/sys/module/kvm/parameters/nx_huge_pages', '1', '0'),
)

SERVICES: Final = (
    _text(
        'RT-C07',
        '/etc/tuned/realtime-virtual-host-variables.conf',
        'isolated_cores=3-7',
    ),
    _daemon('RT-C12', 'stray', 'taskset -c 1-2'),
    _daemon('RT-C12 RT-C13', 'strayer', 'taskset -c 3-4'),
    Defect(
        codes='RT-C12 RT-C16',
        breaks='taskset -pc 0-2 1',
        mends='taskset -pc 0-1 1',
    ),
    _daemon('RT-D03', 'irqbalance'),
    _text(
        'RT-D03', '/etc/default/irqbalance', 'IRQBALANCE_BANNED_CPULIST=2-6'
    ),
    _daemon('RT-E08', 'smartd'),
    _daemon('RT-H02', 'numad'),
    _nova('RT-H05', '[DEFAULT]\\nvcpu_pin_set = 2-7'),
    _nova('RT-H06', '[DEFAULT]\\ncompute_driver = rtvirt.RTDriver'),
    _nova('RT-H07', '[filter_scheduler]\\nenabled_filters = ComputeFilter'),
    Defect(
        codes='RT-H08',
        breaks='cd /usr/local; '
        'about=lib/python3.11/dist-packages/nova-1.dist-info; mkdir $about; '
        'printf "Name: nova\\nVersion: 12.0.0\\n" >$about/METADATA; '
        'echo "#!/usr/bin/python3" >bin/nova-compute; '
        'chmod +x bin/nova-compute',
        mends='cd /usr/local; rm bin/nova-compute; '
        'rm -r lib/python3.11/dist-packages/nova-1.dist-info',
    ),
    _nova('RT-X02', '[libvirt]\\nrealtime_scheduler_priority = 2'),
    _daemon('RT-X07', 'stalld', 'chrt -f 10', settles='RT-B06'),
)

DAEMON: Final = (
    Defect(
        codes='RT-A01',
        breaks=_UNLOAD,
        mends=_LOAD,
        settles='RT-G05',
    ),
    Defect(codes='RT-A03', breaks=_STOP, mends=_START.format('')),
    _file('RT-C10', '/sys/devices/system/cpu/cpu7/online', '0', '1'),
    _text('RT-H01', '/etc/tuned/active_profile', 'balanced'),
)

CAPABILITIES: Final = (
    Defect(
        codes='RT-A08 RT-A09',
        breaks=_STOP
        + _START.format(
            'prlimit --memlock=65536 '
            'setpriv --bounding-set=-sys_resource,-sys_nice'
        ),
        mends=_STOP + _START.format(''),
    ),
    Defect(
        codes='RT-G02',
        breaks=f'{_UNLOAD}modprobe kvm kvmclock_periodic_sync=1{_LOAD}',
        mends=f'{_UNLOAD}{_LOAD}',
    ),
)

LIVE: Final = (KERNEL, SERVICES, DAEMON, CAPABILITIES)
"""What is broken at once; all codes of one are told apart from the rest."""

STANDING: Final = frozenset(
    {'RT-A04', 'RT-B06', 'RT-C12', 'RT-G05', 'RT-H01', 'RT-H03'}
)
"""What a tuned host of the lab has, once it has throttled a thread.

Its processor lacks an invariant TSC and AVIC; there is no stalld; kswapd and
kcompactd of a node go anywhere in it; and tuned would like to add parameters
to a boot loader that there is not.
"""

THROTTLE: Final = """
sysctl -q -w kernel.sched_rt_runtime_us=950000
timeout 4 taskset -c 5 chrt -f 1 sh -c 'while :; do :; done'
sysctl -q -w kernel.sched_rt_runtime_us=-1
"""

_FLAVOR: Final = """\
name: needy
vcpus: {vcpus}
ram: {ram}
disk: 0
properties:
  hw:cpu_policy: dedicated
  hw:cpu_realtime: yes
  hw:cpu_realtime_mask: ^0
  hw:mem_page_size: 1GB
"""

FLAVORS: Final = {
    'RT-N01': _FLAVOR.format(vcpus=5, ram=1024),
    'RT-N02': _FLAVOR.format(vcpus=2, ram=3072),
    'RT-F08': _FLAVOR.format(vcpus=2, ram=1024) + '  rtvirt:cache_mib: 4\n',
}
"""By code, a flavor for which the host lacks something."""

_DOMAIN: Final = """\
<domain type='kvm'>
  <name>{name}</name>
  <memory unit='MiB'>64</memory>
  {placement}
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
  </devices>
</domain>
"""

INTRUDERS: Final = {
    'sloppy': _DOMAIN.format(
        name='sloppy',
        placement="""<vcpu>1</vcpu>
  <cputune>
    <vcpupin vcpu='0' cpuset='2'/>
    <emulatorpin cpuset='2'/>
    <vcpusched vcpus='0' scheduler='fifo' priority='3'/>
  </cputune>""",
    ),
    'floating': _DOMAIN.format(
        name='floating', placement="<vcpu cpuset='2-3'>2</vcpu>"
    ),
}
"""Domains that somebody wrote by hand, by name."""

DOMAINS: Final = frozenset({'RT-C13', 'RT-H04', 'RT-X02', 'RT-X04', 'RT-X05'})
"""What is wrong while both run."""

INSTALLED: Final = frozenset(
    {
        *('RT-A04', 'RT-B04', 'RT-B09', 'RT-B10', 'RT-B11', 'RT-B14'),
        *('RT-B15', 'RT-C01', 'RT-C03', 'RT-C04', 'RT-C05', 'RT-C12'),
        *('RT-C14', 'RT-C15', 'RT-C16', 'RT-D01', 'RT-D02', 'RT-D07'),
        *('RT-F01', 'RT-G02', 'RT-G05', 'RT-H01', 'RT-X02'),
    }
)
"""What a host has that nobody tuned, and that steers packets anywhere."""

WORST: Final = Topology(
    name='worst',
    description='what no firmware or boot loader should do',
    cells=(CPUSet.parse('0-3'), CPUSet.parse('4-7')),
    sockets=4,
    processor='+hypervisor,l3-cache=on',
    parameters='clearcpuid=rep_good,svm cgroup_disable=memory '
    'clocksource=hpet isolcpus=managed_irq,1,3-7 nohz_full=3-7',
)
"""Nodes across sockets, other hypervisors below, no SVM, wrong flags."""

WORST_CPUS: Final = '1,3-7'
"""What to dedicate there: parts of two caches, and a whole node."""

WORST_CODES: Final = INSTALLED - {'RT-D07', 'RT-G05'} | {
    *('RT-A01', 'RT-A02', 'RT-A05', 'RT-A06', 'RT-B12', 'RT-B13'),
    *('RT-C02', 'RT-C06', 'RT-C09', 'RT-E06'),
}

SIBLINGS: Final = frozenset({'RT-C08', 'RT-X03'})
"""What cores are to blame for: whole ones, or torn ones, for guests."""

TORN: Final = '2,6'
"""The first siblings of the cores that the topology `smt` has for them."""

_KERNEL: Final = 'Debian does not build its PREEMPT_RT kernel, 6.1, like that'
_ELSEWHERE: Final = 'test_cgroup_rt makes it real, on a kernel that has it'
_NETWORK: Final = 'the emulated network device has one queue, and no functions'
_POWER: Final = 'an emulated processor has one frequency and no idle states'

IMPOSSIBLE: Final = {
    **dict.fromkeys(('RT-B07', 'RT-B08', 'RT-D09', 'RT-F03'), _KERNEL),
    **dict.fromkeys(('RT-B01', 'RT-B02', 'RT-B03', 'RT-X01'), _ELSEWHERE),
    'RT-B05': 'its kernel is older than the fair server',
    'RT-X06': 'its kernel is older than the fair server',
    **dict.fromkeys(('RT-A07', 'RT-D06', 'RT-D08'), _NETWORK),
    **dict.fromkeys(('RT-E01', 'RT-E02', 'RT-E03', 'RT-E04'), _POWER),
    **dict.fromkeys(('RT-E07', 'RT-E09', 'RT-G01'), _POWER),
    'RT-C11': 'all emulated processors are of one kind',
    'RT-G03': 'the emulated SVM has no filter of PAUSE',
    'RT-G06': 'an emulated processor has no counters for KVM to hand on',
}
"""What cannot be on these emulated hosts, and why."""


def codes(defects: tuple[Defect, ...]) -> set[str]:
    """Return the codes of these together."""
    return {code for defect in defects for code in defect.codes.split()}
