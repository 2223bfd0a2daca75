# SPDX-License-Identifier: Apache-2.0
"""B: parameters of the kernel command line beside those that isolate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import judge
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_X86_WANTED: Final = (
    ('tsc=reliable', 'tsc=nowatchdog'),
    ('skew_tick=1',),
)
_WANTED: Final = (('nosoftlockup', 'nowatchdog', 'softlockup_panic=0'),)


@check(
    'RT-B10',
    'The kernel was booted with the parameters for low latency',
    Severity.WARNING,
    reads=('/proc/cmdline',),
    expected='nosoftlockup, tsc=reliable, skew_tick=1',
    why='nosoftlockup keeps the soft lockup detector from starting, '
    'tsc=reliable spares the timer that compares the TSC with a slower '
    'clock, and skew_tick=1 keeps the ticks of all CPUs from contending '
    'for the same locks at the same moment. tuned adds all three for its '
    'real-time profiles.',
    source='kernel: admin-guide/kernel-parameters; tuned: realtime, '
    'network-latency',
    mend='add the parameter to the kernel command line',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def parameters(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each that is not given in any form."""
    cmdline = facts.kernel.cmdline
    if isinstance(cmdline, Missing):
        yield undecided(cmdline)
        return
    wanted = _WANTED + (_X86_WANTED if facts.cpu.is_x86 else ())
    for forms in wanted:
        if not cmdline.has(*forms):
            yield Answer(
                actual=f'no {forms[0]}',
                expected=forms[0],
                mend=f'add {forms[0]} to the kernel command line',
            )


@check(
    'RT-B13',
    'What mitigations cost is known',
    Severity.INFO,
    reads=('/sys/devices/system/cpu/vulnerabilities',),
    expected='a decision: mitigations= on the command line',
    why='Mitigations of hardware weaknesses lengthen every entry into the '
    'kernel and every exit of a guest, by amounts that depend on the '
    'processor. Whether a host whose guests trust each other needs them is '
    'for its operator to say; SEAPATH keeps them.',
    source='kernel: Documentation/admin-guide/hw-vuln; seapath/ansible',
    mend='decide, and write mitigations=auto or mitigations=off on the '
    'kernel command line',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def mitigations(facts: HostFacts) -> Iterator[Answer]:
    """Name the mitigations at work, unless somebody has decided."""
    found, cmdline = facts.kernel.vulnerabilities, facts.kernel.cmdline
    if isinstance(found, Missing) or isinstance(cmdline, Missing):
        yield from unreadable(found, cmdline)
    elif cmdline.value('mitigations') is None:
        active = [
            name
            for name, words in found.items()
            if words.startswith('Mitigation')
        ]
        if active:
            yield Answer(actual=f'at work against {some(active)}')


@check(
    'RT-B16',
    'The kernel is quiet',
    Severity.INFO,
    reads=('/proc/cmdline', '/proc/sys/kernel/printk'),
    expected='no psi=1, no audit=1, a console log level of at most 4 where '
    'a serial port is the console',
    why='A line on a serial console takes the CPU that prints it about 10 '
    'ms at 9600 baud and 1 ms at 115200. Pressure stall information and '
    'auditing add work to each switch and each system call.',
    source='kernel: Documentation/core-api/printk-basics.rst; '
    'Documentation/accounting/psi.rst; SEAPATH tuned profile',
    mend='sysctl kernel.printk="4 4 1 7"; boot with psi=0 and audit=0',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def noise(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each source of work."""
    cmdline = facts.kernel.cmdline
    if isinstance(cmdline, Missing):
        yield undecided(cmdline)
        return
    for parameter in ('psi=1', 'audit=1'):
        if cmdline.has(parameter):
            yield Answer(actual=parameter, expected=f'no {parameter}')
    if any(
        c.startswith('tty') and not c[3:4].isdigit()
        for c in cmdline.values('console')
    ):
        yield from judge(
            facts.kernel.console_loglevel,
            lambda level: level <= 4,
            subject='/proc/sys/kernel/printk',
            expected='at most 4, with a serial console',
        )


CHECKS = CheckGroup((parameters, mitigations, noise))
