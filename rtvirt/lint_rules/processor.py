# SPDX-License-Identifier: Apache-2.0
"""C: the CPU that the guest sees, its features and its clock."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rtvirt.libvirtxml.clock import Timer
from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import MAX_VCPUS
from rtvirt.lint_rules.view import is_realtime
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.lint_rules.view import vcpu_range
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity


@rule(
    'RL-C01',
    'A real-time guest runs on KVM',
    Severity.ERROR,
    subject='domain/@type',
    expected='type kvm',
    why='Software emulation translates the guest\'s code as it goes: there '
    'is no bound on how long an instruction takes.',
    mend='set type="kvm" on a host that has /dev/kvm',
)
def runs_on_kvm(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for software emulation."""
    if is_realtime(domain) and domain.virt_type == 'qemu':
        yield Flaw(actual='type qemu: software emulation')


@rule(
    'RL-C02',
    'A real-time guest has no PMU',
    Severity.WARNING,
    subject='features/pmu',
    expected='<pmu state="off"/>',
    why='KVM switches the counters at every entry and exit of a guest that '
    'has them (libvirt: kbase/kvm-realtime).',
    mend='add <pmu state="off"/> to <features>, unless the guest counts',
)
def has_no_pmu(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for a PMU, said or unsaid."""
    pmu = domain.features.pmu
    if is_realtime(domain) and pmu is not False:
        yield Flaw(
            actual='no element: the guest has one' if pmu is None else 'on'
        )


@has_no_pmu.fixed_by
def _take_pmu(domain: Domain) -> None:
    # One that is asked for is somebody's wish.
    if is_realtime(domain) and domain.features.pmu is None:
        domain.features = replace(domain.features, pmu=False)


@rule(
    'RL-C03',
    'The guest sees the host\'s CPU',
    Severity.WARNING,
    subject='cpu/@mode',
    expected='host-passthrough or host-model',
    why='A CPU that is named, or left to QEMU, lacks the TSC deadline timer '
    'and other features that a real-time kernel counts on.',
    mend='set mode="host-passthrough" (or host-model, to migrate)',
)
def sees_host_cpu(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for other CPUs."""
    mode = domain.cpu.mode
    if (
        is_realtime(domain)
        and domain.virt_type == 'kvm'
        and mode not in {'host-passthrough', 'host-model'}
    ):
        yield Flaw(actual=f'mode {mode or "custom"}')


@rule(
    'RL-C04',
    'The topology has as many threads as vCPUs',
    Severity.FATAL,
    subject='cpu/topology',
    expected='sockets x dies x cores x threads vCPUs',
    why='libvirt refuses to start it: "Maximum CPUs greater than topology '
    'limit", or QEMU does.',
    mend='change <topology> or <vcpu>',
)
def topology_matches(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Multiply."""
    shape = domain.cpu.topology
    if shape is None:
        return
    threads = shape.sockets * shape.dies * shape.cores * shape.threads
    if threads != vcpu_count(domain):
        yield Flaw(
            actual=f'{shape.sockets} x {shape.dies} x {shape.cores} x '
            f'{shape.threads} = {threads}, for {vcpu_count(domain)} vCPUs'
        )


@rule(
    'RL-C05',
    'Guest cells deal out the vCPUs',
    Severity.FATAL,
    subject='cpu/numa/cell',
    expected='each vCPU in one cell',
    why='libvirt refuses a vCPU in two cells or beyond the last; one in no '
    'cell is put into the first by QEMU, with a warning in its log.',
    mend='change the lists of the cells',
)
def cells_hold_vcpus(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for vCPUs in two cells or none."""
    seen = CPUSet()
    for number, cell in domain.cpu.cells.items():
        cpus = cell.cpus or CPUSet()
        if twice := seen & cpus:
            yield Flaw(
                actual=f'vCPUs {twice} of guest cell {number} are in another '
                'cell too'
            )
        seen |= cpus
    count = vcpu_count(domain)
    if not domain.cpu.cells or count > MAX_VCPUS:
        return
    every = CPUSet(range(count))
    if beyond := seen - every:
        yield Flaw(actual=f'vCPUs {beyond} of {count} do not exist')
    if missing := every - seen:
        yield Flaw(
            actual=f'vCPUs {missing} are in no cell', severity=Severity.WARNING
        )


@rule(
    'RL-C06',
    'Only dedicated vCPUs are hinted at as such',
    Severity.ERROR,
    subject='features/kvm/hint-dedicated',
    expected='no hint, or a pCPU of its own for each vCPU',
    why='The guest then spins where it would yield; a vCPU that is preempted '
    'meanwhile makes the others spin for as long (kernel: '
    'virt/kvm/x86/cpuid, KVM_HINTS_REALTIME).',
    mend='pin each vCPU to a pCPU of its own, or take the hint out',
)
def hint_is_true(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for vCPUs that float or share."""
    if not domain.features.kvm.hint_dedicated:
        return
    floating = []
    owned: set[CPUSet] = set()
    for vcpu in vcpu_range(domain):
        pin = pin_of(domain, vcpu)
        if pin is None or len(pin) != 1 or pin in owned:
            floating.append(vcpu)
        else:
            owned.add(pin)
    if floating:
        yield Flaw(actual=f'vCPUs {CPUSet(floating)} have no pCPU alone')


@rule(
    'RL-C07',
    'A real-time guest has no HPET',
    Severity.WARNING,
    subject='clock/timer',
    expected='<timer name="hpet" present="no"/>',
    why='The HPET is emulated in QEMU: a guest that picks it as its clock '
    'leaves the vCPU for the main loop at every read.',
    mend='add the timer with present="no"',
)
def has_no_hpet(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for the timer, said or unsaid."""
    timers = domain.clock.timers if domain.clock else {}
    hpet = timers.get('hpet')
    if is_realtime(domain) and (hpet is None or hpet.present is not False):
        yield Flaw(
            actual='no element: the guest has one'
            if hpet is None
            else 'present'
        )


@has_no_hpet.fixed_by
def _take_hpet(domain: Domain) -> None:
    clock = domain.clock
    if is_realtime(domain) and clock and 'hpet' not in clock.timers:
        timers = {**clock.timers, 'hpet': Timer(present=False)}
        domain.clock = replace(clock, timers=timers)


@rule(
    'RL-C08',
    'The guest may have its paravirtual clock',
    Severity.WARNING,
    subject='clock/timer',
    expected='kvmclock, or a TSC that the guest can trust',
    why='Without kvmclock and without an invariant TSC the guest falls back '
    'to the ACPI timer, which leaves the vCPU at every read.',
    mend='take <timer name="kvmclock" present="no"/> out, or require the '
    'CPU feature invtsc',
)
def has_clock(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for a guest that has neither."""
    timers = domain.clock.timers if domain.clock else {}
    kvmclock = timers.get('kvmclock')
    invariant = domain.cpu.features.get('invtsc') == 'require'
    passed = domain.cpu.mode == 'host-passthrough'
    if (
        is_realtime(domain)
        and kvmclock is not None
        and kvmclock.present is False
        and not invariant
        and not passed
    ):
        yield Flaw(actual='kvmclock is off and invtsc not required')


RULES = RuleGroup(
    (
        runs_on_kvm,
        has_no_pmu,
        sees_host_cpu,
        topology_matches,
        cells_hold_vcpus,
        hint_is_true,
        has_no_hpet,
        has_clock,
    )
)
