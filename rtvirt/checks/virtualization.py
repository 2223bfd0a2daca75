# SPDX-License-Identifier: Apache-2.0
"""A: what a host needs to run guests at all, of the processor and KVM."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


@check(
    'RT-A01',
    'The kernel offers /dev/kvm',
    Severity.FATAL,
    reads=('/proc/misc',),
    expected='a line "kvm"',
    why='Without the kvm device QEMU emulates every instruction, and no '
    'deadline can be kept. The device appears when the module of the '
    'processor (kvm_intel, kvm_amd) is loaded and the firmware has not '
    'locked virtualization.',
    source='kernel: virt/kvm/kvm_main.c; libvirt: virt-host-validate qemu',
    mend='modprobe kvm_intel or kvm_amd; if that fails, switch VT-x or SVM '
    'on in the firmware, whatever low-latency firmware guides say of it',
    safety=Safety.LIVE,
)
def kvm_device(facts: HostFacts) -> Iterator[Answer]:
    """Find the misc device."""
    yield from judge(
        facts.kvm.device, lambda there: there, expected='"kvm" in the list'
    )


@check(
    'RT-A02',
    'The processor can run guests',
    Severity.FATAL,
    reads=('/proc/cpuinfo',),
    expected='vmx or svm among the flags',
    why='KVM on x86 needs Intel VT-x (vmx) or AMD-V (svm). The kernel hides '
    'the flag when the firmware has switched the feature off.',
    source='libvirt: virt-host-validate qemu; kernel: arch/x86/kvm',
    mend='switch VT-x or SVM on in the firmware; in a guest, give it a CPU '
    'model with the feature',
    safety=Safety.REBOOT,
)
def virtualization_extensions(facts: HostFacts) -> Iterator[Answer]:
    """Look for the features of x86; other processors have none such."""
    if facts.cpu.is_x86:
        found = facts.cpu.has_flag('vmx', 'svm')
        if found is False:
            yield Answer(actual='neither vmx nor svm')
        yield from unreadable(found)


_TIMER_FLAGS = ('constant_tsc', 'nonstop_tsc', 'tsc_deadline_timer')


@check(
    'RT-A04',
    'The processor has the timers that guests rely on',
    Severity.ERROR,
    reads=('/proc/cpuinfo',),
    expected=', '.join(_TIMER_FLAGS),
    why='A guest arms its timers cheapest through the TSC deadline mode of '
    'the APIC and reads time from a TSC that neither changes its rate nor '
    'stops. Without them each timer costs more exits, and the guest falls '
    'back to clocks that cost a microsecond to read.',
    source='libvirt: kbase/kvm-realtime (tsc-deadline); QEMU: '
    'docs/system/i386/cpu (invtsc)',
    mend='use another processor for real-time guests; if this is a guest, '
    'give it host-passthrough with invtsc',
    safety=Safety.REBOOT,
)
def timer_features(facts: HostFacts) -> Iterator[Answer]:
    """Look for the features of x86 that make its TSC a good clock."""
    flags = facts.cpu.flags
    if isinstance(flags, Missing):
        yield from unreadable(flags)
    elif facts.cpu.is_x86:
        lacking = [flag for flag in _TIMER_FLAGS if flag not in flags]
        # AMD's processors come without the deadline mode.
        if facts.cpu.vendor == 'AuthenticAMD':
            lacking = [f for f in lacking if f != 'tsc_deadline_timer']
        if lacking:
            yield Answer(actual=f'lacks {", ".join(lacking)}')


@check(
    'RT-A06',
    'The host is no guest itself',
    Severity.WARNING,
    reads=('/proc/cpuinfo',),
    expected='no flag "hypervisor"',
    why='Under another hypervisor a pCPU is a vCPU: it can be taken away at '
    'any moment, and no setting in here prevents it. A latency measured in '
    'such a place says nothing about this host.',
    source='kernel: Documentation/virt/kvm/x86/running-nested-guests.rst',
    mend='run real-time guests on bare metal; nested hosts serve tests',
    safety=None,
)
def not_nested(facts: HostFacts) -> Iterator[Answer]:
    """Look for the bit that hypervisors set."""
    found = facts.cpu.has_flag('hypervisor')
    if found is True:
        yield Answer(actual='the flag "hypervisor" is set')
    yield from unreadable(found)


@check(
    'RT-A07',
    'Virtual functions have an IOMMU in pass-through mode',
    Severity.WARNING,
    reads=('/sys/class/iommu', '/proc/cmdline'),
    expected='an IOMMU, and iommu=pt',
    why='A device is assigned to a guest only where an IOMMU confines it. '
    'Without iommu=pt the host\'s own devices are translated as well, and '
    'each mapping costs flushes that other pCPUs wait for.',
    source='kernel: admin-guide/kernel-parameters (iommu=pt); OpenShift: '
    'openshift-node-performance profile',
    mend='boot with iommu=pt, on Intel with intel_iommu=on as well',
    safety=Safety.REBOOT,
)
def iommu(facts: HostFacts) -> Iterator[Answer]:
    """Ask for it where a network device has given out functions."""
    users = [nic.name for nic in value_or(facts.network.nics, ()) if nic.vfs]
    if not users:
        return
    if isinstance(facts.network.iommus, Missing):
        yield Answer(actual=f'no IOMMU, but {some(users)} has functions')
    cmdline = facts.kernel.cmdline
    if isinstance(cmdline, Missing):
        yield from unreadable(cmdline)
    elif not cmdline.has('iommu=pt'):
        yield Answer(
            subject='/proc/cmdline',
            actual=f'no iommu=pt, but {some(users)} has functions',
            expected='iommu=pt',
        )


CHECKS = CheckGroup(
    (
        kvm_device,
        virtualization_extensions,
        timer_features,
        not_nested,
        iommu,
    )
)
