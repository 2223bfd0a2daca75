# SPDX-License-Identifier: Apache-2.0
"""Where the parser does not do what nova 34 does, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One deliberate difference.

    :ivar code: a slug.
    :ivar names: the extra specs and image properties it is about, as the
        catalogue has them; empty for all.
    :ivar nova: what nova does.
    :ivar rtvirt: what rtvirt does.
    :ivar reason: why.
    """

    code: str
    names: tuple[str, ...]
    nova: str
    rtvirt: str
    reason: str


_PAGE_SIZES: Final = ('hw:mem_page_size', 'hw_mem_page_size')
_MEM: Final = ('hw:numa_mem.{cell}', 'hw_numa_mem.{cell}')
_CPUS: Final = ('hw:numa_cpus.{cell}', 'hw_numa_cpus.{cell}')

DEVIATIONS: Final = (
    Deviation(
        code='page-size-units',
        names=_PAGE_SIZES,
        nova=(
            'The flavor API takes 2M, 1G and 2048kB; the boot then fails: '
            'the unit must end in B, b or bit, and kilo must be a K.'
        ),
        rtvirt='Takes them: a unit without its B is bytes.',
        reason='They leave no doubt, and the flavor API lets them in.',
    ),
    Deviation(
        code='page-size-whole',
        names=_PAGE_SIZES,
        nova=(
            'Takes a size that is negative, no whole number of KiB or beyond '
            '2^63 KiB, and finds no host with it; -1KB means small.'
        ),
        rtvirt='Refuses it.',
        reason='No host has such pages.',
    ),
    Deviation(
        code='cell-memory',
        names=_MEM,
        nova=(
            "Fails on the flavor's hw:numa_mem.N=abc with a bare ValueError; "
            'takes cells of zero and of negative memory.'
        ),
        rtvirt='Takes whole numbers from 1 on and names the key otherwise.',
        reason='QEMU starts no cell without memory.',
    ),
    Deviation(
        code='realtime-mask-range',
        names=('hw:cpu_realtime_mask', 'hw_cpu_realtime_mask'),
        nova=(
            'Lets a mask exclude vCPUs that the flavor lacks, and never '
            "reads the flavor's mask where hw:cpu_realtime is off or the "
            'image has a mask.'
        ),
        rtvirt=(
            "Refuses a vCPU that the flavor lacks, and checks the flavor's "
            'mask always.'
        ),
        reason='Such a mask was written for another flavor.',
    ),
    Deviation(
        code='empty-thread-policy',
        names=('hw:cpu_thread_policy',),
        nova=(
            'Takes an empty one as not given where the guest has no cells or '
            'a trait decides; else it fails with a bare ValueError.'
        ),
        rtvirt='Refuses it.',
        reason='One answer, whatever else the flavor says.',
    ),
    Deviation(
        code='unread-lists',
        names=('hw:numa_cpus.{cell}', 'hw:numa_mem.{cell}'),
        nova='Does not read them where the guest has no cells.',
        rtvirt='Checks their form, and warns that they have no effect.',
        reason='A list that nobody reads is a mistake.',
    ),
    Deviation(
        code='digits',
        names=(),
        nova=(
            'Takes the digits of every script, numbers of any length, and '
            'in a list of CPUs also signs and underscores.'
        ),
        rtvirt=(
            'Takes the digits 0 to 9, at most 40 of them, and CPU ids up to '
            '16383.'
        ),
        reason='Bounded time and memory; libvirt knows no higher id.',
    ),
    Deviation(
        code='quota-range',
        names=('quota:cpu_shares', 'quota:cpu_period', 'quota:cpu_quota'),
        nova='Passes any whole number on; libvirt then refuses the guest.',
        rtvirt='Refuses what libvirt refuses.',
        reason='The flavor is wrong, not the host.',
    ),
    Deviation(
        code='image-values',
        names=(),
        nova=(
            'Refuses an image with a wrong value of any property it knows, '
            'hw_disk_bus as much as hw_cpu_policy.'
        ),
        rtvirt='Warns where only nova acts upon the property.',
        reason='They are no concern of a plan.',
    ),
    Deviation(
        code='address-bits',
        names=('hw:maxphysaddr_mode', 'hw:maxphysaddr_bits'),
        nova='Reads them on the compute host; the flavor API refuses them.',
        rtvirt='Lets them pass.',
        reason='A flavor made before microversion 2.86 may have them.',
    ),
)
"""All deliberate differences. Everything else is a defect."""
