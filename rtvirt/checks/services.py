# SPDX-License-Identifier: Apache-2.0
"""H: services, and what the kernel's log tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.cmdline import parameter_meaning
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import last_cpu
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_PROFILES: Final = ('realtime', 'openshift-node-performance', 'seapath')


@check(
    'RT-H01',
    'tuned has a real-time profile, and the host was booted with it',
    Severity.WARNING,
    reads=('/etc/tuned/active_profile', '/etc/tuned/bootcmdline'),
    expected='realtime-virtual-host, and its parameters on the kernel '
    'command line',
    why='A tuned with another profile undoes real-time settings whenever it '
    'starts. The part of a profile that is for the boot loader holds only '
    'after the next boot, and an update of the kernel may lose it.',
    source='tuned: realtime-virtual-host; redhat-performance/tuned#514',
    mend='tuned-adm profile realtime-virtual-host while no guest runs (it '
    'stalls CPUs and resets network devices), then reboot',
    safety=Safety.DISRUPTIVE,
)
def tuned(facts: HostFacts) -> Iterator[Answer]:
    """Look at the profile, then at what was booted; none is fine, too."""
    profile = facts.tuned.profile
    if isinstance(profile, Missing):
        yield from unreadable(profile)
        return
    if not any(word in profile for word in _PROFILES):
        yield Answer(actual=profile or 'no profile')
        return
    wanted, cmdline = facts.tuned.cmdline, facts.kernel.cmdline
    if isinstance(wanted, Missing) or isinstance(cmdline, Missing):
        yield from unreadable(wanted, cmdline)
        return
    last = last_cpu(facts)
    booted = {
        (name, parameter_meaning(name, value, last))
        for name, value in cmdline.parameters()
    }
    pending = [
        f'{name}={value}' if value else name
        for name, value in wanted.parameters()
        if (name, parameter_meaning(name, value, last)) not in booted
    ]
    if pending:
        yield Answer(
            subject='/proc/cmdline',
            actual=f'without {some(pending)}',
            expected='the parameters of /etc/tuned/bootcmdline',
            mend='reboot',
        )


_MOVERS: Final = {
    'ksmtuned': 'starts the merging of pages',
    'numad': 'moves guests and their memory between nodes',
    'auto-cpufreq': 'changes governors',
    'power-profiles-daemon': 'changes governors',
    'powertop': 'switches power saving on',
    'thermald': 'limits frequencies',
}


@check(
    'RT-H02',
    'No daemon tunes against real time',
    Severity.WARNING,
    reads=('/proc/*/comm',),
    expected='none of ' + ', '.join(sorted(_MOVERS)),
    why='These daemons set at run time what a real-time host has set for '
    'good: governors, merging of pages, placement of guests. They do so '
    'when the load changes, which is when it hurts most.',
    source='RHEL 10: configuring real-time virtualization; tuned: realtime',
    mend='systemctl disable --now NAME',
    safety=Safety.LIVE,
    profiles=BOTH,
)
def movers(facts: HostFacts) -> Iterator[Answer]:
    """Yield one answer for each that runs."""
    running = facts.service.running
    if isinstance(running, Missing):
        yield undecided(running)
        return
    for name, deed in _MOVERS.items():
        if name in running:
            yield Answer(
                actual=f'{name} runs: it {deed}',
                mend=f'systemctl disable --now {name}',
            )


@check(
    'RT-H03',
    'The kernel\'s log tells of no lost time',
    Severity.ERROR,
    reads=('/dev/kmsg',),
    expected='no throttling, no stall, no lockup, no unstable clock',
    why='The kernel itself notices the worst: that it throttled real-time '
    'threads, lost trust in the TSC, or waited seconds for a CPU. Each of '
    'these lines is a deadline missed since boot.',
    source='kernel: kernel/sched/rt.c, kernel/time/clocksource.c, '
    'Documentation/RCU/stallwarn.rst',
    mend='look into the cause the line names; it stays in the log until '
    'the next boot',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def kernel_log(facts: HostFacts) -> Iterator[Answer]:
    """Show the lines that the reader picked."""
    lines = facts.kernel.log
    if isinstance(lines, Missing):
        yield undecided(lines)
    elif lines:
        yield Answer(actual=some(dict.fromkeys(lines), most=2))


CHECKS = CheckGroup((tuned, movers, kernel_log))
