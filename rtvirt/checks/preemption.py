# SPDX-License-Identifier: Apache-2.0
"""B: how the kernel was built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.checks.base import BOTH
from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import undecided
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity


def is_realtime_kernel(facts: HostFacts) -> bool | Missing:
    """Whether the kernel is PREEMPT_RT, by the first source that tells.

    Kernels with the patch had ``/sys/kernel/realtime`` long before the
    mainline; the version names the model in either spelling.
    """
    kernel = facts.kernel
    if kernel.realtime is True:
        return True
    if not isinstance(kernel.config, Missing):
        return kernel.config.get('CONFIG_PREEMPT_RT') == 'y'
    if not isinstance(kernel.version, Missing):
        return 'PREEMPT_RT' in kernel.version or (
            'PREEMPT RT' in kernel.version
        )
    return kernel.version


def _is_fully_preemptible(facts: HostFacts) -> bool:
    cmdline = facts.kernel.cmdline
    if isinstance(facts.scheduler.preempt_model, str):
        return facts.scheduler.preempt_model == 'full'
    return not isinstance(cmdline, Missing) and cmdline.has('preempt=full')


@check(
    'RT-B01',
    'The kernel is PREEMPT_RT',
    Severity.ERROR,
    reads=('/sys/kernel/realtime', '/proc/version', '/proc/config.gz'),
    expected='PREEMPT_RT',
    why='Only PREEMPT_RT bounds the time for which the kernel holds up a '
    'real-time thread: spin locks sleep and interrupt handlers are threads. '
    'On other kernels a vCPU under SCHED_FIFO waits for whatever section '
    'the host happens to be in.',
    source='kernel: Documentation/core-api/real-time; RHEL for Real Time',
    mend='install and boot the real-time kernel (kernel-rt, '
    'linux-image-rt-amd64); preempt=full is a stopgap',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def preempt_rt(facts: HostFacts) -> Iterator[Answer]:
    """Tell a fully preemptible kernel, which is half of it, from others."""
    found = is_realtime_kernel(facts)
    if isinstance(found, Missing):
        yield undecided(found)
    elif not found and _is_fully_preemptible(facts):
        yield Answer(actual='preempt=full', severity=Severity.WARNING)
    elif not found:
        yield Answer(actual='not PREEMPT_RT')


_NEEDED: Final = (
    'CONFIG_CPU_ISOLATION',
    'CONFIG_NO_HZ_FULL',
    'CONFIG_RCU_NOCB_CPU',
)


@check(
    'RT-B07',
    'The kernel can isolate CPUs',
    Severity.ERROR,
    reads=('/proc/config.gz', '/boot/config-*'),
    expected=', '.join(f'{option}=y' for option in _NEEDED),
    why='isolcpus=, nohz_full= and rcu_nocbs= do nothing in a kernel that '
    'was built without these options. The kernel says so nowhere but in '
    'its log.',
    source='kernel: Documentation/timers/no_hz.rst; kernel/sched/isolation.c',
    mend='boot a kernel that has them; those of distributions for real time '
    'do',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def isolation_options(facts: HostFacts) -> Iterator[Answer]:
    """Look for the options that isolation needs."""
    config = facts.kernel.config
    if isinstance(config, Missing):
        yield undecided(config)
        return
    lacking = [option for option in _NEEDED if config.get(option) != 'y']
    if lacking:
        yield Answer(actual=f'not set: {", ".join(lacking)}')


_COSTLY: Final = (
    'CONFIG_DEBUG_LOCK_ALLOC',
    'CONFIG_DEBUG_PREEMPT',
    'CONFIG_KASAN',
    'CONFIG_LOCKDEP',
    'CONFIG_PROVE_LOCKING',
)


@check(
    'RT-B08',
    'The kernel does not debug itself',
    Severity.WARNING,
    reads=('/proc/config.gz', '/boot/config-*'),
    expected='none of ' + ', '.join(_COSTLY),
    why='Lock debugging and address sanitizing add work to every lock and '
    'every access. Latencies of such a kernel are several times those of '
    'the kernel it was made to debug.',
    source='kernel: Documentation/core-api/real-time; RHEL for Real Time '
    '(kernel-rt-debug)',
    mend='boot the kernel without -debug in its name',
    safety=Safety.REBOOT,
    profiles=BOTH,
)
def debug_options(facts: HostFacts) -> Iterator[Answer]:
    """Look for the options that cost most."""
    config = facts.kernel.config
    if isinstance(config, Missing):
        yield undecided(config)
        return
    found = [option for option in _COSTLY if config.get(option) == 'y']
    if found:
        yield Answer(actual=f'set: {", ".join(found)}')


CHECKS = CheckGroup((preempt_rt, isolation_options, debug_options))
