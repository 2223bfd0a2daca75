# SPDX-License-Identifier: Apache-2.0
"""T: where vCPUs, emulator and I/O threads run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import MAX_VCPUS
from rtvirt.lint_rules.view import emulator_cpus
from rtvirt.lint_rules.view import iothread_ids
from rtvirt.lint_rules.view import is_realtime
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.lint_rules.view import realtime_vcpus
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.lint_rules.view import vcpu_range
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.finding import Severity


@rule(
    'RL-T01',
    'Each real-time vCPU is pinned',
    Severity.ERROR,
    subject='cputune/vcpupin',
    expected='a <vcpupin> for each real-time vCPU',
    why='A real-time thread that may run anywhere preempts whatever it '
    'meets, other real-time vCPUs among it, and is moved at the worst time '
    '(libvirt: kbase/kvm-realtime).',
    mend='add <vcpupin vcpu="N" cpuset="P"/> with an isolated pCPU',
)
def realtime_is_pinned(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for real-time vCPUs that may run anywhere."""
    for vcpu in realtime_vcpus(domain):
        if not pin_of(domain, vcpu):
            yield Flaw(actual=f'vCPU {vcpu} is real-time and not pinned')


@rule(
    'RL-T02',
    'Each real-time vCPU has one pCPU',
    Severity.WARNING,
    subject='cputune/vcpupin',
    expected='a single pCPU',
    why='On isolated pCPUs the kernel does not balance: the thread stays '
    'where it happens to be and the others stand idle; elsewhere it moves '
    'and loses its caches (seapath/ansible#908).',
    mend='pin it to one of them',
)
def realtime_has_one_cpu(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for real-time vCPUs with several pCPUs."""
    for vcpu in realtime_vcpus(domain):
        pin = pin_of(domain, vcpu)
        if pin and len(pin) > 1:
            yield Flaw(actual=f'vCPU {vcpu} is pinned to pCPUs {pin}')


@rule(
    'RL-T03',
    'No two real-time vCPUs share a pCPU',
    Severity.ERROR,
    subject='cputune/vcpupin',
    expected='a pCPU of its own for each real-time vCPU',
    why='Of two FIFO threads on one pCPU the second waits until the first '
    'sleeps, which a busy guest never does. libvirt accepts it.',
    mend='pin one of them to another pCPU',
)
def realtime_does_not_share(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for pCPUs that two real-time vCPUs have alone."""
    owners: dict[CPUSet, int] = {}
    for vcpu in sorted(realtime_vcpus(domain)):
        pin = pin_of(domain, vcpu)
        if pin is None or len(pin) != 1:
            continue
        if pin in owners:
            yield Flaw(
                actual=f'vCPUs {owners[pin]} and {vcpu} are both pinned to '
                f'pCPU {pin}'
            )
        owners.setdefault(pin, vcpu)


@rule(
    'RL-T04',
    'No ordinary vCPU runs on a real-time vCPU\'s pCPU',
    Severity.ERROR,
    subject='cputune/vcpupin',
    expected='other pCPUs for vCPUs that are not real-time',
    why='An ordinary thread behind a busy real-time one never runs; a guest '
    'that waits for that vCPU (an IPI, RCU) hangs.',
    mend='pin the ordinary vCPU elsewhere',
)
def others_keep_off(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for ordinary vCPUs whose pCPUs are all real-time."""
    realtime = realtime_vcpus(domain)
    taken = realtime_cpus(domain)
    for vcpu in vcpu_range(domain):
        pin = None if vcpu in realtime else pin_of(domain, vcpu)
        if pin and pin & taken:
            yield Flaw(
                actual=f'vCPU {vcpu} may run on pCPUs {pin & taken}, which '
                'real-time vCPUs have'
            )


@rule(
    'RL-T05',
    'The emulator threads keep off real-time pCPUs',
    Severity.ERROR,
    subject='cputune/emulatorpin',
    expected='pCPUs that no real-time vCPU has',
    why='The emulator\'s main loop is an ordinary thread: behind a busy '
    'FIFO vCPU it never runs, and the guest hangs at the first device it '
    'waits for. libvirt accepts it (seapath/ansible#438).',
    mend='take the real-time pCPUs out of <emulatorpin>',
)
def emulator_keeps_off(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Compare <emulatorpin> with the real-time pCPUs."""
    pin = domain.cputune.emulatorpin
    both = (pin or CPUSet()) & realtime_cpus(domain)
    if pin and both:
        yield Flaw(
            actual=f'pCPUs {both} are real-time'
            + ('' if pin == both else f', of {pin}'),
            severity=Severity.ERROR if pin == both else Severity.WARNING,
        )


@emulator_keeps_off.fixed_by
def _move_emulator(domain: Domain) -> None:
    pin = domain.cputune.emulatorpin or CPUSet()
    rest = pin - realtime_cpus(domain)
    if rest and rest != pin:
        domain.cputune = replace(domain.cputune, emulatorpin=rest)


@rule(
    'RL-T06',
    'The emulator threads are pinned',
    Severity.ERROR,
    subject='cputune/emulatorpin',
    expected='<emulatorpin> beside real-time vCPUs',
    why='Without it the emulator threads may run on every pCPU of the host, '
    'those of real-time vCPUs too, or all sit on the first isolated one '
    '(libvirt: kbase/kvm-realtime).',
    mend='add <emulatorpin cpuset="P"/> with housekeeping pCPUs, or those '
    'of the vCPUs that are not real-time',
)
def emulator_is_pinned(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a real-time domain whose emulator may run anywhere."""
    if is_realtime(domain) and emulator_cpus(domain) is None:
        yield Flaw(actual='there is no <emulatorpin>')


@rule(
    'RL-T07',
    'Pins are for vCPUs that exist',
    Severity.WARNING,
    subject='cputune/vcpupin',
    expected='vCPUs below the number in <vcpu>',
    why='libvirt drops such a pin without a word to whoever defines the '
    'domain: it is a sign that pins and vCPUs were counted differently.',
    mend='take the pin out, or add the vCPU',
)
def pins_are_for_vcpus(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for pins beyond the last vCPU."""
    count = vcpu_count(domain)
    for vcpu in domain.cputune.vcpupins:
        if vcpu >= count:
            yield Flaw(actual=f'vCPU {vcpu} of {count} does not exist')


@pins_are_for_vcpus.fixed_by
def _drop_pins(domain: Domain) -> None:
    count = vcpu_count(domain)
    pins = domain.cputune.vcpupins
    if any(vcpu >= count for vcpu in pins):
        kept = {vcpu: cpus for vcpu, cpus in pins.items() if vcpu < count}
        domain.cputune = replace(domain.cputune, vcpupins=kept)


@rule(
    'RL-T08',
    'Pins are for I/O threads that exist',
    Severity.FATAL,
    subject='cputune/iothreadpin',
    expected='ids of <iothreads> or <iothreadids>',
    why='libvirt refuses the document: "Cannot find \'iothread\' : N".',
    mend='raise <iothreads>, or take the pin out',
)
def pins_are_for_iothreads(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for pins of I/O threads that are not there."""
    known = iothread_ids(domain)
    for number in domain.cputune.iothreadpins:
        if number not in known:
            yield Flaw(actual=f'I/O thread {number} does not exist')


@rule(
    'RL-T09',
    'I/O threads keep off real-time pCPUs',
    Severity.ERROR,
    subject='cputune/iothreadpin',
    expected='pCPUs that no real-time vCPU has',
    why='An I/O thread behind a busy FIFO vCPU never runs: the guest\'s '
    'disks stand still. libvirt accepts it.',
    mend='take the real-time pCPUs out of <iothreadpin>',
)
def iothreads_keep_off(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Compare each <iothreadpin> with the real-time pCPUs."""
    realtime = realtime_cpus(domain)
    for number, pin in domain.cputune.iothreadpins.items():
        if both := pin & realtime:
            yield Flaw(
                actual=f'I/O thread {number} may run on pCPUs {both}, which '
                'are real-time',
                severity=Severity.ERROR if pin == both else Severity.WARNING,
            )


@iothreads_keep_off.fixed_by
def _move_iothreads(domain: Domain) -> None:
    realtime = realtime_cpus(domain)
    pins = domain.cputune.iothreadpins
    moved = {key: (pin - realtime) or pin for key, pin in pins.items()}
    if moved != pins:
        domain.cputune = replace(domain.cputune, iothreadpins=moved)


@rule(
    'RL-T10',
    'I/O threads are pinned beside real-time vCPUs',
    Severity.WARNING,
    subject='cputune/iothreadpin',
    expected='an <iothreadpin> for each I/O thread',
    why='An I/O thread without a pin of its own may run on every pCPU of '
    'the domain, or of the host, those of real-time vCPUs too.',
    mend='pin it where the emulator threads are',
)
def iothreads_are_pinned(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for I/O threads without a pin in a real-time domain."""
    if is_realtime(domain):
        for number in sorted(iothread_ids(domain)):
            if number not in domain.cputune.iothreadpins:
                yield Flaw(actual=f'I/O thread {number} is not pinned')


@iothreads_are_pinned.fixed_by
def _pin_iothreads(domain: Domain) -> None:
    place = domain.cputune.emulatorpin
    if not place or place & realtime_cpus(domain):
        return
    pins = domain.cputune.iothreadpins
    added = {n: place for n in iothread_ids(domain) if n not in pins}
    if added and is_realtime(domain):
        domain.cputune = replace(
            domain.cputune, iothreadpins={**pins, **added}
        )


@rule(
    'RL-T11',
    'No vCPU is added that has no pin',
    Severity.WARNING,
    subject='vcpu',
    expected='all vCPUs there from the start, in a real-time domain',
    why='A vCPU plugged in later has no pin and no scheduler unless the '
    'document has both for it already.',
    mend='leave "current" out, or pin every vCPU up to the maximum',
)
def plugged_vcpus_are_pinned(
    domain: Domain, _facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for vCPUs to be plugged in that have no pin."""
    vcpu = domain.vcpu
    if vcpu and vcpu.current is not None and is_realtime(domain):
        bare = [
            number
            for number in range(vcpu.current, min(vcpu.count, MAX_VCPUS))
            if number not in domain.cputune.vcpupins
        ]
        if bare:
            yield Flaw(actual=f'vCPUs {CPUSet(bare)} may be added unpinned')


RULES = RuleGroup(
    (
        realtime_is_pinned,
        realtime_has_one_cpu,
        realtime_does_not_share,
        others_keep_off,
        emulator_keeps_off,
        emulator_is_pinned,
        pins_are_for_vcpus,
        pins_are_for_iothreads,
        iothreads_keep_off,
        iothreads_are_pinned,
        plugged_vcpus_are_pinned,
    )
)
