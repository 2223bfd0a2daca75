# SPDX-License-Identifier: Apache-2.0
"""Sample snapshots: hosts that do not exist, and what checks find there.

``python3 -m rtvirt.tests.samples DIRECTORY`` writes those that are shipped.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtvirt.checks.base import Profile
from rtvirt.host.snapshot import Snapshot
from rtvirt.host.snapshot import take_snapshot
from rtvirt.host.snapshot import write_snapshot
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.guest_files import tuned_guest
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import RELEASE
from rtvirt.tests.tuned_host import Layout
from rtvirt.tests.tuned_host import tuned_host

NPS4: Final = Layout(
    nodes=4,
    cores=16,
    threads=2,
    l3_per_node=2,
    sockets=1,
    isolated=CPUSet(range(128)) - CPUSet.parse('0,16,32,48,64,80,96,112'),
    gib_per_node=96,
    gib_pages=64,
    vendor='AuthenticAMD',
)
"""One socket as four nodes, each with two L3 caches; the first core of each
node keeps house."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A host, and the codes of what checks find on it."""

    make: Callable[[], HostFiles]
    codes: frozenset[str] = frozenset()
    profile: Profile = Profile.HOST

    def snapshot(self) -> Snapshot:
        """Take the snapshot."""
        return take_snapshot(self.make().tree())


def nps4_host() -> HostFiles:
    """Make a well-tuned server with many caches, SMT on."""
    host = tuned_host(NPS4)
    host.write('/proc/sys/kernel/hostname', 'epyc1')
    return host


def group_scheduling_host() -> HostFiles:
    """Make a host that starts no real-time guest.

    Its kernel is an ordinary one that schedules real-time tasks by control
    group, under cgroup v1; the group of the guests has no runtime.
    """
    host = tuned_host()
    host.write('/proc/sys/kernel/hostname', 'cgroup1')
    host.write('/sys/kernel/realtime', '0')
    config = f'/boot/config-{RELEASE}'
    host.replace(config, 'CONFIG_PREEMPT_RT=y', 'CONFIG_PREEMPT_DYNAMIC=y')
    host.replace(
        config,
        '# CONFIG_RT_GROUP_SCHED is not set',
        'CONFIG_RT_GROUP_SCHED=y',
    )
    host.replace('/proc/version', 'PREEMPT_RT', 'PREEMPT_DYNAMIC')
    host.write('/proc/sys/kernel/sched_rt_runtime_us', '950000')
    host.remove('/sys/fs/cgroup')
    host.write(
        '/proc/mounts',
        'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n'
        'cgroup /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n'
        'hugetlbfs /dev/hugepages hugetlbfs rw,pagesize=1024M 0 0\n',
    )
    host.write(
        '/proc/cgroups',
        '#subsys_name\thierarchy\tnum_cgroups\tenabled\n'
        'cpuset\t2\t2\t1\ncpu\t3\t9\t1\ncpuacct\t3\t9\t1\nmemory\t4\t9\t1\n',
    )
    cpu = '/sys/fs/cgroup/cpu,cpuacct'
    host.write(f'{cpu}/cpu.rt_runtime_us', '950000')
    host.write(f'{cpu}/machine.slice/cpu.rt_runtime_us', '0')
    cpuset = '/sys/fs/cgroup/cpuset/machine.slice'
    host.write(f'{cpuset}/cpuset.effective_cpus', '0-9')
    return host


SAMPLES: Final = {
    'rt-10': Sample(make=tuned_host),
    'nps4-128': Sample(make=nps4_host, codes=frozenset({'RT-C08'})),
    'cgroup-v1': Sample(
        make=group_scheduling_host,
        codes=frozenset({'RT-B01', 'RT-B02', 'RT-B03', 'RT-B04'}),
    ),
    'guest': Sample(make=tuned_guest, profile=Profile.GUEST),
}
"""The snapshots that are shipped, by name."""


def write_samples(directory: Path) -> None:
    """Write the snapshots that are shipped."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, sample in SAMPLES.items():
        path = directory / f'{name}.tar.gz'
        write_snapshot(sample.snapshot(), path)
        path.chmod(0o644)


if __name__ == '__main__':
    write_samples(Path(sys.argv[1]))
