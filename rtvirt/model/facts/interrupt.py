# SPDX-License-Identifier: Apache-2.0
"""Interrupts and the network devices that raise most of them."""

from __future__ import annotations

from dataclasses import dataclass

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import fact
from rtvirt.model.facts.parse import parse_flag
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.facts.parse import parse_mask


@dataclass(frozen=True, slots=True, kw_only=True)
class IRQ:
    """One device interrupt.

    :ivar name: chip, kind and handlers, as ``/proc/interrupts`` ends.
    :ivar effective: the CPUs where it is delivered now.
    :ivar counted: the CPUs that have seen it since boot.
    """

    number: int
    name: str
    effective: CPUSet
    counted: CPUSet


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptFacts:
    """Where interrupts and deferred kernel work go.

    :ivar workqueue_cpus: CPUs of the unbound workqueues.
    :ivar banned: CPUs that irqbalance is told to leave alone; absent where
        its configuration names none.
    """

    default_affinity: CPUSet | Missing = fact(
        '/proc/irq/default_smp_affinity', parse_mask
    )
    irqs: tuple[IRQ, ...] | Missing = fact('/proc/irq')
    workqueue_cpus: CPUSet | Missing = fact(
        '/sys/devices/virtual/workqueue/cpumask', parse_mask
    )
    writeback_cpus: CPUSet | Missing = fact(
        '/sys/bus/workqueue/devices/writeback/cpumask', parse_mask
    )
    banned: CPUSet | Missing = fact('/etc/sysconfig/irqbalance')


@dataclass(frozen=True, slots=True, kw_only=True)
class NIC:
    """One network device with hardware below it.

    :ivar node: its NUMA node, -1 where it has none.
    :ivar is_up: whether the link is up.
    :ivar rx_queues: how many queues receive.
    :ivar rps: the CPUs that receive packet steering may use.
    :ivar vfs: how many virtual functions it has given out.
    """

    name: str
    node: int = -1
    is_up: bool = False
    rx_queues: int = 0
    rps: CPUSet = CPUSet()
    vfs: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """Network devices and the polling of their sockets."""

    nics: tuple[NIC, ...] | Missing = fact('/sys/class/net')
    busy_read_us: int | Missing = fact(
        '/proc/sys/net/core/busy_read', parse_int
    )
    busy_poll_us: int | Missing = fact(
        '/proc/sys/net/core/busy_poll', parse_int
    )
    rps_default: CPUSet | Missing = fact(
        '/proc/sys/net/core/rps_default_mask', parse_mask
    )
    iommus: tuple[str, ...] | Missing = fact('/sys/class/iommu')
    vfio_unsafe: bool | Missing = fact(
        '/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts',
        parse_flag,
    )
