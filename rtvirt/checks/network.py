# SPDX-License-Identifier: Apache-2.0
"""D: network devices and the work they make."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import unreadable
from rtvirt.checks.preemption import is_realtime_kernel
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import housekeeping_cpus
from rtvirt.model.facts.isolation import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-D06',
    'Network devices have no more queues than housekeeping pCPUs',
    Severity.WARNING,
    reads=('/sys/class/net/*/queues',),
    expected='as many receive queues as housekeeping pCPUs, or fewer',
    why='A driver makes a queue, with an interrupt, for each CPU it sees '
    'and spreads them over all. With as many as there are housekeeping '
    'pCPUs, none is left to go anywhere else.',
    source='tuned: realtime (netdev_queue_count); RHEL 10: configuring '
    'real-time virtualization',
    mend='ethtool -L DEVICE combined N',
    safety=Safety.DISRUPTIVE,
)
def queues(facts: HostFacts) -> Iterator[Answer]:
    """Count the queues of devices that are up."""
    most = len(housekeeping_cpus(facts))
    if not realtime_cpus(facts) or not most:
        return
    for nic in value_or(facts.network.nics, ()):
        if nic.is_up and nic.rx_queues > most:
            yield Answer(
                subject=nic.name,
                actual=f'{nic.rx_queues} queues',
                expected=f'at most {most}',
                mend=f'ethtool -L {nic.name} combined {most}',
            )


@check(
    'RT-D07',
    'Packet steering uses housekeeping pCPUs',
    Severity.WARNING,
    reads=(
        '/sys/class/net/*/queues/rx-*/rps_cpus',
        '/proc/sys/net/core/rps_default_mask',
    ),
    expected='no pCPU of real-time guests',
    why='Receive packet steering hands packets to the CPUs of its mask by '
    'an interprocessor interrupt, and the protocol stack then runs there in '
    'a softirq. A container network sets it for every pod it starts.',
    source='kernel: Documentation/networking/scaling.rst; OpenShift: '
    'openshift-node-performance (rps_default_mask)',
    mend='write the mask of the housekeeping pCPUs to the file',
    safety=Safety.LIVE,
)
def steering(facts: HostFacts) -> Iterator[Answer]:
    """Compare the masks."""
    wanted = realtime_cpus(facts)
    default = facts.network.rps_default
    taken = value_or(default, CPUSet()) & wanted
    yield from judge(
        default,
        lambda _: not taken,
        subject='/proc/sys/net/core/rps_default_mask',
    )
    for nic in value_or(facts.network.nics, ()):
        if nic.rps & wanted:
            yield Answer(
                subject=nic.name, actual=f'steers to {nic.rps & wanted}'
            )


@check(
    'RT-D08',
    'Devices of guests are on nodes with real-time pCPUs',
    Severity.WARNING,
    reads=('/sys/class/net/*/device/numa_node',),
    expected='virtual functions on a node that has pCPUs for guests',
    why='A guest on another node than its device reaches it over the link '
    'between the sockets, for each register it writes and each packet. The '
    'link is shared with all other traffic between them.',
    source='nova: hw:pci_numa_affinity_policy; libvirt: kbase/kvm-realtime',
    mend='dedicate pCPUs of the device\'s node, or move the card to a slot '
    'of the other socket',
    safety=Safety.REBOOT,
)
def device_nodes(facts: HostFacts) -> Iterator[Answer]:
    """Compare the nodes of devices that have given out functions."""
    if isinstance(facts.topology, Missing):
        yield from unreadable(facts.topology)
        return
    wanted = realtime_cpus(facts)
    nodes = {cell.id for cell in facts.topology.cells if cell.cpus & wanted}
    for nic in value_or(facts.network.nics, ()):
        if nodes and nic.vfs and nic.node >= 0 and nic.node not in nodes:
            yield Answer(
                subject=nic.name,
                actual=f'on node {nic.node}',
                expected=f'on node {some(map(str, sorted(nodes)))}',
            )


@check(
    'RT-D09',
    'Sockets do not poll on a real-time kernel',
    Severity.INFO,
    reads=(
        '/proc/sys/net/core/busy_read',
        '/proc/sys/net/core/busy_poll',
    ),
    expected='0 on PREEMPT_RT',
    why='tuned\'s network-latency sets both to 50 microseconds, for less '
    'latency of a socket; OpenShift\'s profile for real-time kernels drops '
    'them, because a poll holds up other threads of its priority. Advice '
    'conflicts: it only matters on housekeeping pCPUs.',
    source='tuned: network-latency; OpenShift: openshift-node-performance-rt',
    mend='sysctl net.core.busy_read=0 net.core.busy_poll=0',
    safety=Safety.LIVE,
)
def busy_polling(facts: HostFacts) -> Iterator[Answer]:
    """Compare both, on a real-time kernel."""
    if is_realtime_kernel(facts) is not True:
        return
    for name, value in (
        ('busy_read', facts.network.busy_read_us),
        ('busy_poll', facts.network.busy_poll_us),
    ):
        yield from judge(
            value,
            lambda us: us == 0,
            subject=f'/proc/sys/net/core/{name}',
            expected='0',
        )


CHECKS = CheckGroup((queues, steering, device_nodes, busy_polling))
