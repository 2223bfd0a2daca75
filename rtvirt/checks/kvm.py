# SPDX-License-Identifier: Apache-2.0
"""G: parameters of the kvm modules."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import unreadable
from rtvirt.checks.power import deep_states
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-G01',
    'The host polls for idle vCPUs only where that gains something',
    Severity.INFO,
    reads=('/sys/module/kvm/parameters/halt_poll_ns',),
    expected='0 where pCPUs enter no deep idle state',
    why='When a vCPU idles, KVM polls for a while before it lets the pCPU '
    'go, to save a switch and the exit from an idle state. On a pCPU that '
    'idles lightly the gain is small, and the poll keeps a sibling and the '
    'threads below the vCPU\'s priority waiting.',
    source='kernel: Documentation/virt/kvm/halt-polling.rst; SEAPATH tuned '
    'profile (halt_poll_ns=0)',
    mend='echo 0 > the file, or rtvirt:halt_poll=guest in flavors',
    safety=Safety.LIVE,
)
def halt_polling(facts: HostFacts) -> Iterator[Answer]:
    """Tell of it where idle states are shallow."""
    if isinstance(facts.power.idle_states, Missing):
        return
    if not any(deep_states(facts)):
        yield from judge(facts.kvm.halt_poll_ns, lambda ns: ns == 0)


@check(
    'RT-G02',
    'KVM does not synchronize clocks on its own',
    Severity.WARNING,
    reads=('/sys/module/kvm/parameters/kvmclock_periodic_sync',),
    expected='N',
    why='Every five minutes KVM updates the clock page of each vCPU of all '
    'guests and for that makes them leave guest mode. A guest whose clock '
    'is the TSC has no use for it.',
    source='kernel: arch/x86/kvm/x86.c (KVMCLOCK_SYNC_PERIOD); tuned: '
    'realtime-virtual-host',
    mend='options kvm kvmclock_periodic_sync=0 in /etc/modprobe.d, and '
    'load the module again',
    safety=Safety.DISRUPTIVE,
)
def clock_sync(facts: HostFacts) -> Iterator[Answer]:
    """Compare."""
    yield from judge(facts.kvm.kvmclock_periodic_sync, lambda on: not on)


@check(
    'RT-G03',
    'Spinning vCPUs are left alone',
    Severity.WARNING,
    reads=(
        '/sys/module/kvm_intel/parameters/ple_gap',
        '/sys/module/kvm_amd/parameters/pause_filter_count',
    ),
    expected='0',
    why='KVM makes a vCPU exit that executes many PAUSE instructions in a '
    'row, so that another vCPU may have the pCPU. Where each vCPU has its '
    'own there is nobody to yield to, and the exit is lost time.',
    source='kernel: admin-guide/kernel-parameters (kvm-intel.ple_gap); '
    'tuned: realtime-virtual-host',
    mend='options kvm_intel ple_gap=0 (kvm_amd pause_filter_count=0) in '
    '/etc/modprobe.d, and load the module again',
    safety=Safety.DISRUPTIVE,
)
def pause_loop_exits(facts: HostFacts) -> Iterator[Answer]:
    """Compare the one of the module that is loaded."""
    yield from judge(facts.kvm.ple_gap, lambda gap: gap == 0)
    yield from judge(
        facts.kvm.pause_filter_count,
        lambda count: count == 0,
        subject='/sys/module/kvm_amd/parameters/pause_filter_count',
    )


@check(
    'RT-G04',
    'Huge pages of guests stay executable',
    Severity.WARNING,
    reads=('/sys/module/kvm/parameters/nx_huge_pages',),
    expected='N, where guests are trusted',
    why='Against one weakness (iTLB multihit) KVM breaks up huge pages as '
    'soon as the guest executes from them, and a thread puts them together '
    'again: both stop vCPUs. Off, a malicious guest can halt the machine; '
    'processors without the weakness are not affected either way.',
    source='kernel: Documentation/admin-guide/hw-vuln/multihit.rst; tuned: '
    'realtime-virtual-host',
    mend='options kvm nx_huge_pages=0 in /etc/modprobe.d, if guests are '
    'trusted',
    safety=Safety.DISRUPTIVE,
)
def executable_pages(facts: HostFacts) -> Iterator[Answer]:
    """Compare; "auto" reads back as what it came to."""
    yield from judge(
        facts.kvm.nx_huge_pages,
        lambda word: word in ('N', '0', 'off', 'never'),
    )


@check(
    'RT-G05',
    'Timers and interrupts of guests take the short way',
    Severity.INFO,
    reads=(
        '/sys/module/kvm/parameters/lapic_timer_advance',
        '/sys/module/kvm/parameters/lapic_timer_advance_ns',
        '/sys/module/kvm_intel/parameters/enable_apicv',
        '/sys/module/kvm_intel/parameters/preemption_timer',
        '/sys/module/kvm_amd/parameters/avic',
    ),
    expected='timer advance on, a virtual APIC in hardware, the preemption '
    'timer on',
    why='KVM can fire a guest\'s timer early by the time that delivery '
    'takes, and processors can deliver interrupts without an exit. Each of '
    'them off costs some microseconds per timer or interrupt.',
    source='kernel: admin-guide/kernel-parameters (kvm-intel.*), '
    'arch/x86/kvm/lapic.c',
    mend='take the option out of /etc/modprobe.d and load the module again',
    safety=Safety.DISRUPTIVE,
)
def timer_path(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each that is off."""
    kvm = facts.kvm
    path = '/sys/module/kvm/parameters'
    yield from judge(kvm.timer_advance, bool)
    yield from judge(
        kvm.timer_advance_ns,
        lambda ns: ns != 0,
        subject=f'{path}/lapic_timer_advance_ns',
        expected='-1 (automatic)',
    )
    for value, module, name in (
        (kvm.apicv, 'kvm_intel', 'enable_apicv'),
        (kvm.preemption_timer, 'kvm_intel', 'preemption_timer'),
        (kvm.avic, 'kvm_amd', 'avic'),
    ):
        yield from judge(
            value,
            bool,
            subject=f'/sys/module/{module}/parameters/{name}',
            expected='Y',
        )


@check(
    'RT-G06',
    'Real-time guests have no performance counters',
    Severity.WARNING,
    reads=(
        '/sys/module/kvm/parameters/enable_pmu',
        '/run/libvirt/qemu/*.xml',
    ),
    expected='<pmu state="off"/> in each real-time guest',
    why='With a virtual PMU, KVM saves and restores counters when a vCPU '
    'enters and leaves guest mode. A guest that counts on them makes the '
    'host handle non-maskable interrupts besides.',
    source='libvirt: kbase/kvm-realtime; nova: hw:pmu',
    mend='hw:pmu=false in the flavor, or <pmu state="off"/> in the XML',
    safety=Safety.DISRUPTIVE,
)
def performance_counters(facts: HostFacts) -> Iterator[Answer]:
    """Look for running real-time guests that have them."""
    if facts.kvm.enable_pmu is False:
        return
    yield from unreadable(facts.libvirt.domains)
    found = [
        domain.name
        for domain in value_or(facts.libvirt.domains, ())
        if domain.priorities and domain.pmu is not False
    ]
    if found:
        yield Answer(
            subject='/run/libvirt/qemu/*.xml', actual=f'on in {some(found)}'
        )


CHECKS = CheckGroup(
    (
        halt_polling,
        clock_sync,
        pause_loop_exits,
        executable_pages,
        timer_path,
        performance_counters,
    )
)
