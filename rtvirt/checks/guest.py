# SPDX-License-Identifier: Apache-2.0
"""V: what holds inside a real-time guest."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import GUEST
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-V01',
    'tuned has the profile for real-time guests',
    Severity.WARNING,
    reads=('/etc/tuned/active_profile',),
    expected='realtime-virtual-guest',
    why='The profile isolates the vCPUs of the realtime mask inside the '
    'guest, as realtime-virtual-host does the pCPUs below them. Without it '
    'the guest\'s own services, interrupts and ticks run on real-time '
    'vCPUs.',
    source='tuned: realtime-virtual-guest; nova: admin/real-time',
    mend='isolated_cores= in '
    '/etc/tuned/realtime-virtual-guest-variables.conf; tuned-adm profile '
    'realtime-virtual-guest; reboot',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def tuned(facts: HostFacts) -> Iterator[Answer]:
    """Look at the profile; a guest may do without tuned."""
    profile = facts.tuned.profile
    if isinstance(profile, Missing):
        yield from unreadable(profile)
        if profile.is_absent:
            yield Answer(actual='no tuned', severity=Severity.INFO)
    elif 'realtime-virtual-guest' not in profile:
        yield Answer(actual=profile or 'no profile')


@check(
    'RT-V02',
    'The isolated vCPUs are the real-time ones',
    Severity.ERROR,
    reads=('/sys/devices/system/cpu/isolated',),
    expected='the vCPUs of hw:cpu_realtime_mask',
    why='Only the vCPUs of the realtime mask have SCHED_FIFO threads on the '
    'host. A real-time program on another vCPU, or the guest\'s services on '
    'a real-time one, miss deadlines that the host could keep.',
    source='nova: admin/real-time (hw:cpu_realtime_mask)',
    mend='isolate the vCPUs of the mask, no more and no fewer, and reboot',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def isolated_vcpus(facts: HostFacts) -> Iterator[Answer]:
    """Compare with the mask, where it is given."""
    wanted = facts.intent.realtime
    if wanted is None:
        return
    extra = find_isolation(facts).cpus - wanted
    # Those that lack isolation are RT-C01's.
    if extra:
        yield Answer(
            actual=f'{extra} are isolated and not real-time',
            expected=str(wanted),
        )


@check(
    'RT-V03',
    'The guest reads time from the TSC',
    Severity.WARNING,
    reads=(
        '/sys/devices/system/clocksource/clocksource0/current_clocksource',
    ),
    expected='tsc',
    why='kvm-clock computes time from a page that the host updates, and an '
    'update makes all vCPUs leave guest mode. With an invariant TSC a guest '
    'needs none of it; hpet and acpi_pm cost an exit for each reading.',
    source='kernel: Documentation/virt/kvm/x86/timekeeping.rst; RHEL 10: '
    'configuring real-time virtualization',
    mend='give the guest invtsc and boot it with tsc=reliable; echo tsc > '
    'the file to try',
    safety=Safety.LIVE,
    profiles=GUEST,
)
def clock(facts: HostFacts) -> Iterator[Answer]:
    """Tell the paravirtual clock from those that cost an exit."""
    if facts.cpu.is_x86:
        name = facts.kernel.clocksource
        yield from judge(
            name,
            lambda value: value == 'tsc',
            severity=None if name == 'kvm-clock' else Severity.ERROR,
        )


@check(
    'RT-V04',
    'The guest has the timers it needs',
    Severity.ERROR,
    reads=('/proc/cpuinfo',),
    expected='tsc_deadline_timer and constant_tsc',
    why='In the TSC deadline mode of the APIC a timer is armed by one write '
    'to a register. KVM offers it on every processor; a guest without it '
    'has a CPU model that leaves it out.',
    source='libvirt: kbase/kvm-realtime (tsc-deadline)',
    mend='[libvirt] cpu_mode = host-passthrough in nova.conf, or the '
    'feature tsc-deadline in the guest\'s CPU',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def timers(facts: HostFacts) -> Iterator[Answer]:
    """Look for both features, on x86."""
    flags = facts.cpu.flags
    if isinstance(flags, Missing):
        yield from unreadable(flags)
    elif facts.cpu.is_x86:
        lacking = [
            name
            for name in ('tsc_deadline_timer', 'constant_tsc')
            if name not in flags
        ]
        if lacking:
            yield Answer(actual=f'lacks {some(lacking)}')


@check(
    'RT-V05',
    'An idle vCPU does not leave the pCPU at once',
    Severity.INFO,
    reads=('/sys/devices/system/cpu/cpuidle/current_driver',),
    expected='idle=poll, or the driver haltpoll, or polling by the host',
    why='When a vCPU halts, the host takes over, and to wake the vCPU up '
    'again takes some microseconds. A guest that polls before it halts '
    'avoids that for short pauses, at the price of a busy pCPU.',
    source='kernel: Documentation/virt/guest-halt-polling.rst',
    mend='idle=poll for a vCPU that must answer at once; '
    'rtvirt:halt_poll=guest in the flavor',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def idling(facts: HostFacts) -> Iterator[Answer]:
    """Look for either way of polling."""
    cmdline, driver = facts.kernel.cmdline, facts.power.idle_driver
    if isinstance(cmdline, Missing):
        yield undecided(cmdline)
    elif any(unreadable(driver)):
        yield from unreadable(driver)
    elif not cmdline.has('idle=poll') and (driver != 'haltpoll'):
        yield Answer(actual='the guest does not poll')


@check(
    'RT-V06',
    'Real-time programs find huge pages in the guest',
    Severity.INFO,
    reads=('/sys/kernel/mm/hugepages',),
    expected='some, where a program maps them (DPDK)',
    why='The huge pages that back the guest shorten one half of an address '
    'translation only. Programs that map huge pages inside the guest save '
    'the other half; those that do not need none.',
    source='kernel: Documentation/admin-guide/mm/hugetlbpage.rst; DPDK: '
    'getting started guide for Linux',
    mend='boot with hugepages=N',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def guest_pages(facts: HostFacts) -> Iterator[Answer]:
    """Count the pools."""
    pools = facts.memory.pages
    if isinstance(pools, Missing):
        yield from unreadable(pools)
    elif not any(pool.total for pool in pools):
        yield Answer(actual='none')


@check(
    'RT-V07',
    'This is a guest',
    Severity.WARNING,
    reads=('/proc/cpuinfo',),
    expected='the flag "hypervisor"',
    why='The checks of this profile are for the inside of a guest. On bare '
    'metal they leave out what a host needs.',
    source='kernel: Documentation/virt/kvm/x86/cpuid.rst',
    mend='use the profile host',
    safety=None,
    profiles=GUEST,
)
def is_guest(facts: HostFacts) -> Iterator[Answer]:
    """Look for the bit that hypervisors set, on x86."""
    if facts.cpu.is_x86 and facts.cpu.has_flag('hypervisor') is False:
        yield Answer(actual='no such flag')


@check(
    'RT-V08',
    'The guest has no memory balloon',
    Severity.WARNING,
    reads=('/sys/bus/virtio/drivers/virtio_balloon',),
    expected='no device bound to the driver',
    why='Through a balloon the host takes memory back from the guest, whose '
    'kernel then searches for pages to give. The memory of a real-time '
    'guest is locked and reserved: there is nothing to take.',
    source='libvirt: formatdomain (memballoon model="none"); libvirt: '
    'kbase/kvm-realtime',
    mend='<memballoon model="none"/> in the domain',
    safety=Safety.REBOOT,
    profiles=GUEST,
)
def balloon(facts: HostFacts) -> Iterator[Answer]:
    """Look for devices of the driver."""
    devices = facts.memory.balloons
    if isinstance(devices, Missing):
        yield from unreadable(devices)
    elif devices:
        yield Answer(actual=some(devices))


CHECKS = CheckGroup(
    (
        tuned,
        isolated_vcpus,
        clock,
        timers,
        idling,
        guest_pages,
        is_guest,
        balloon,
    )
)
