# SPDX-License-Identifier: Apache-2.0
"""B: real-time group scheduling, which makes guests fail to start."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.checks.base import Answer
from rtvirt.checks.base import CheckGroup
from rtvirt.checks.base import check
from rtvirt.checks.base import some
from rtvirt.checks.base import undecided
from rtvirt.checks.base import unreadable
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Safety
from rtvirt.model.finding import Severity

_OFF = ('0', 'n', 'no', 'off', 'false')


def has_group_scheduling(facts: HostFacts) -> bool | Missing:
    """Whether real-time tasks are scheduled by control group.

    Since Linux 6.16 the option has a boot parameter, and a second option
    for the parameter's default.
    """
    config = facts.kernel.config
    if isinstance(config, Missing):
        # The file is there if, and only if, the option is.
        rt_runtime = facts.cgroup.rt_runtime_us
        return True if not isinstance(rt_runtime, Missing) else config
    if config.get('CONFIG_RT_GROUP_SCHED') != 'y':
        return False
    cmdline = facts.kernel.cmdline
    if not isinstance(cmdline, Missing):
        given = cmdline.value('rt_group_sched')
        if given is not None:
            return given.lower() not in _OFF
    return config.get('CONFIG_RT_GROUP_SCHED_DEFAULT_DISABLED') != 'y'


def libvirt_uses_cpu_controller(facts: HostFacts) -> bool:
    """Whether libvirt puts guests into groups of the cpu controller."""
    return 'cpu' in value_or(facts.libvirt.controllers, ('cpu',))


def has_runtime_limit(facts: HostFacts) -> bool:
    """Whether real-time runtime is limited at all.

    Where it is not, the kernel asks no group for its runtime when a thread
    becomes real-time.
    """
    return facts.scheduler.rt_runtime_us != -1


@check(
    'RT-B02',
    'Real-time tasks are not scheduled by control group',
    Severity.FATAL,
    reads=(
        '/proc/config.gz',
        '/proc/cmdline',
        '/etc/libvirt/qemu.conf',
        '/sys/fs/cgroup/cgroup.subtree_control',
        '/proc/sys/kernel/sched_rt_runtime_us',
    ),
    expected='CONFIG_RT_GROUP_SCHED not set, or rt_group_sched=0',
    why='With group scheduling a new control group has no real-time runtime '
    'at all, so libvirt fails to start a guest with vcpusched: "Cannot set '
    'scheduler parameters: Operation not permitted". Under cgroup v2 there '
    'is not even a file to grant it.',
    source='kernel: Documentation/scheduler/sched-rt-group.rst; '
    'admin-guide/cgroup-v2.rst; systemd README (RT group scheduling)',
    mend='boot with rt_group_sched=0 (Linux 6.16), or a kernel without the '
    'option; or keep "cpu" and "cpuacct" out of cgroup_controllers in '
    '/etc/libvirt/qemu.conf and restart the daemon; where cgroup v2 has '
    'given "cpu" to the groups below the root (systemd does), that is not '
    'enough',
    safety=Safety.REBOOT,
)
def group_scheduling(facts: HostFacts) -> Iterator[Answer]:
    """Tell whether libvirt goes around it."""
    found = has_group_scheduling(facts)
    if isinstance(found, Missing):
        yield undecided(found)
    elif found and not has_runtime_limit(facts):
        yield Answer(
            actual='CONFIG_RT_GROUP_SCHED=y; not in force while '
            'kernel.sched_rt_runtime_us=-1',
            severity=Severity.WARNING,
        )
    elif found and any(unreadable(facts.libvirt.controllers)):
        yield from unreadable(facts.libvirt.controllers)
    elif found and libvirt_uses_cpu_controller(facts):
        yield Answer(actual='CONFIG_RT_GROUP_SCHED=y')
    elif found and 'cpu' in value_or(facts.cgroup.delegated, ()):
        yield Answer(
            actual='CONFIG_RT_GROUP_SCHED=y; libvirt keeps out of the cpu '
            'controller, which the groups below the root have all the same'
        )
    elif found:
        yield Answer(
            actual='CONFIG_RT_GROUP_SCHED=y; libvirt keeps out of the cpu '
            'controller',
            severity=Severity.WARNING,
        )


@check(
    'RT-B03',
    'The groups above guests have real-time runtime',
    Severity.FATAL,
    reads=('/sys/fs/cgroup/cpu/machine*/cpu.rt_runtime_us',),
    expected='more than 0 in every group',
    why='A thread may become real-time only where its group has runtime, '
    'and a group may have some only where each group above has. libvirt '
    'gives none to those it makes.',
    source='kernel: Documentation/scheduler/sched-rt-group.rst',
    mend='as for RT-B02; runtime that these groups are given by hand '
    '(cpu.rt_runtime_us) does not reach the one of a new guest',
    safety=Safety.REBOOT,
)
def group_runtime(facts: HostFacts) -> Iterator[Answer]:
    """Look for groups without, where libvirt uses them."""
    runtimes = facts.cgroup.rt_runtime_us
    if isinstance(runtimes, Missing):
        yield from unreadable(runtimes)
        return
    if not has_runtime_limit(facts):
        return
    empty = [group for group, runtime in runtimes.items() if runtime == 0]
    if empty and any(unreadable(facts.libvirt.controllers)):
        yield from unreadable(facts.libvirt.controllers)
    elif empty and libvirt_uses_cpu_controller(facts):
        yield Answer(actual=f'0 in {some(empty)}')


CHECKS = CheckGroup((group_scheduling, group_runtime))
