# SPDX-License-Identifier: Apache-2.0
"""The files that make a host what the checks expect.

Each setting stands for a check: what it is for is told by the check's row,
and whether all of them agree is told by the checks themselves, run over the
host as it would be with these files.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Final

from rtvirt.checks.base import Check
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict

GRUB: Final = '/etc/default/grub.d/50-rtvirt.cfg'
TUNED: Final = '/etc/tuned/realtime-virtual-host-variables.conf'
NOVA: Final = '/etc/nova/nova.conf.d/50-rtvirt.conf'
SYSTEMD: Final = '/etc/systemd/system.conf.d/50-rtvirt.conf'
QEMU: Final = '/etc/libvirt/qemu.conf'
SYSCTL: Final = '/etc/sysctl.d/50-rtvirt.conf'
MODPROBE: Final = '/etc/modprobe.d/50-rtvirt-kvm.conf'

_WIDTH: Final = 76
_UNITS: Final = {1048576: 'G', 1024: 'M', 1: 'K'}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a host is to be.

    :ivar dedicated: pCPUs for real-time guests.
    :ivar online: all pCPUs.
    :ivar pages: huge pages by size in KiB, of the whole host.
    :ivar is_x86: whether parameters of that architecture apply.
    :ivar is_realtime: whether the kernel is PREEMPT_RT.
    :ivar avoid_cpu_group: whether libvirt has to keep out of the cpu
        controller.
    """

    dedicated: CPUSet
    online: CPUSet
    pages: Mapping[int, int] = field(default_factory=FrozenDict)
    is_x86: bool = True
    is_realtime: bool = True
    avoid_cpu_group: bool = False

    @property
    def housekeeping(self) -> CPUSet:
        """The pCPUs that are left to the host."""
        return self.online - self.dedicated


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One line of a file.

    :ivar line: as it stands in the file; with a ``#`` before it, it is not
        set but offered.
    :ivar section: of an INI file, the one it belongs to.
    :ivar code: the check that says why; empty where ``why`` does, or the
        comment of the setting before.
    """

    line: str
    section: str = ''
    code: str = ''
    why: str = ''

    @property
    def is_comment(self) -> bool:
        """Whether it sets nothing until somebody takes the ``#`` away."""
        return self.line.startswith('#')


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningFile:
    """One file to install.

    :ivar note: how, where it is not enough to put it there.
    """

    path: str
    note: str
    settings: tuple[Setting, ...]

    def text(self, rows: Mapping[str, Check]) -> str:
        """Return the file with a comment on each setting.

        :param rows: the table of checks by code.
        """
        lines = [*_comment(self.note), '']
        section = ''
        for setting in self.settings:
            if setting.section != section:
                section = setting.section
                lines += [f'[{section}]', '']
            row = rows.get(setting.code)
            if row is not None:
                lines += _comment(f'{row.code}: {row.title}. {row.why}')
            if setting.why:
                lines += _comment(setting.why)
            lines += [setting.line, '']
        return '\n'.join(lines)


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent='# ',
        subsequent_indent='# ',
        break_long_words=False,
        break_on_hyphens=False,
    )


def tuning_files(wishes: Wishes) -> tuple[TuningFile, ...]:
    """Return the files, each setting following from the same wishes."""
    return (
        _boot_loader(wishes),
        _tuned(wishes),
        _sysctl(wishes),
        _systemd(wishes),
        _modprobe(wishes),
        _qemu(wishes),
        _nova(wishes),
    )


def _boot_loader(wishes: Wishes) -> TuningFile:
    isolated, rest = wishes.dedicated, wishes.housekeeping
    parameters = [
        (f'isolcpus=managed_irq,domain,{isolated}', 'RT-C02'),
        (f'nohz_full={isolated}', 'RT-C03'),
        (f'rcu_nocbs={isolated}', 'RT-C04'),
        (f'irqaffinity={rest}', 'RT-C05'),
        ('nosoftlockup', 'RT-B09'),
    ]
    if wishes.is_x86:
        parameters += [
            ('tsc=reliable skew_tick=1', 'RT-B10'),
            ('mce=ignore_ce', 'RT-B11'),
            ('intel_idle.max_cstate=1 processor.max_cstate=1', 'RT-E03'),
        ]
    if wishes.avoid_cpu_group:
        parameters.append(('rt_group_sched=0', 'RT-B02'))
    if wishes.pages:
        parameters.append((_page_parameters(wishes.pages), 'RT-F01'))
    return TuningFile(
        path=GRUB,
        note='The kernel command line, for GRUB on Debian and its '
        'derivatives: run update-grub, then reboot. On Fedora and RHEL give '
        'the same parameters to grubby --update-kernel=ALL --args="...".',
        settings=tuple(
            Setting(
                line=f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {text}"',
                code=code,
            )
            for text, code in parameters
        ),
    )


def _page_parameters(pages: Mapping[int, int]) -> str:
    """Return the parameters that reserve pages, the largest as default."""
    words = [f'default_hugepagesz={_size(max(pages))}']
    for size_kib in sorted(pages, reverse=True):
        words += [
            f'hugepagesz={_size(size_kib)}',
            f'hugepages={pages[size_kib]}',
        ]
    return ' '.join(words)


def _size(kib: int) -> str:
    for unit, suffix in _UNITS.items():
        if kib % unit == 0:
            return f'{kib // unit}{suffix}'
    raise AssertionError(kib)


def _tuned(wishes: Wishes) -> TuningFile:
    return TuningFile(
        path=TUNED,
        note='The variables of tuned\'s profile: run "tuned-adm profile '
        'realtime-virtual-host" while no guest runs (it stalls CPUs and '
        'resets network devices), then reboot.',
        settings=(
            Setting(line=f'isolated_cores={wishes.dedicated}', code='RT-C07'),
            Setting(
                line='isolate_managed_irq=Y',
                why='So that the profile, too, writes isolcpus= with its '
                'flags (RT-C02).',
            ),
            Setting(
                line=f'netdev_queue_count={len(wishes.housekeeping)}',
                code='RT-D06',
            ),
        ),
    )


def _sysctl(wishes: Wishes) -> TuningFile:
    runtime = Setting(line='kernel.sched_rt_runtime_us=-1', code='RT-B04')
    if not wishes.is_realtime:
        runtime = Setting(
            line='kernel.sched_rt_runtime_us=950000', code='RT-X01'
        )
    rows = (
        runtime,
        Setting(line='kernel.nmi_watchdog=0', code='RT-B09'),
        Setting(line=f'kernel.watchdog_cpumask={wishes.housekeeping}'),
        Setting(line='kernel.timer_migration=0', code='RT-B14'),
        Setting(line='kernel.numa_balancing=0'),
        Setting(line='kernel.sched_autogroup_enabled=0'),
        Setting(line='kernel.hung_task_timeout_secs=600'),
        Setting(line='vm.stat_interval=10', code='RT-B15'),
        Setting(line='vm.swappiness=10'),
        Setting(line='vm.compaction_proactiveness=0'),
        Setting(line='vm.zone_reclaim_mode=0', code='RT-F05'),
        Setting(line='vm.nr_overcommit_hugepages=0', code='RT-F07'),
        Setting(line='net.core.busy_poll=0', code='RT-D09'),
        Setting(line='net.core.busy_read=0'),
    )
    return TuningFile(
        path=SYSCTL,
        note='Kernel settings: sysctl --system loads them, live. Those a '
        'kernel does not have it passes over with a message.',
        settings=rows,
    )


def _systemd(wishes: Wishes) -> TuningFile:
    return TuningFile(
        path=SYSTEMD,
        note='Where systemd and all that it starts may run; holds after the '
        'next boot.',
        settings=(
            Setting(
                section='Manager',
                line=f'CPUAffinity={_blanks(wishes.housekeeping)}',
                code='RT-C16',
            ),
        ),
    )


def _blanks(cpus: CPUSet) -> str:
    return str(cpus).replace(',', ' ')


def _modprobe(wishes: Wishes) -> TuningFile:
    return TuningFile(
        path=MODPROBE,
        note='Options of the kvm modules: they hold when the modules are '
        'loaded again, while no guest runs.',
        settings=(
            Setting(line='options kvm halt_poll_ns=0', code='RT-G01'),
            Setting(
                line='options kvm kvmclock_periodic_sync=0', code='RT-G02'
            ),
            *(
                (
                    Setting(line='options kvm_intel ple_gap=0', code='RT-G03'),
                    Setting(line='options kvm_amd pause_filter_count=0'),
                )
                if wishes.is_x86
                else ()
            ),
            Setting(
                line='# options kvm nx_huge_pages=0',
                code='RT-G04',
                why='A decision: take the first sign away where all guests '
                'are trusted.',
            ),
        ),
    )


def _qemu(wishes: Wishes) -> TuningFile:
    if wishes.avoid_cpu_group:
        setting = Setting(
            line='cgroup_controllers = [ "cpuset", "memory", "blkio", '
            '"devices" ]',
            code='RT-B02',
            why='All that libvirt uses but "cpu", until the kernel is booted '
            'with rt_group_sched=0, and but "cpuacct": where cgroup v1 '
            'mounts it together with "cpu", libvirt takes both or neither.',
        )
    else:
        setting = Setting(
            line='# cgroup_controllers = [ "cpu", "cpuset", ... ]',
            why='This kernel does not schedule real-time tasks by control '
            'group: libvirt\'s defaults are right.',
        )
    return TuningFile(
        path=QEMU,
        note='Lines for libvirt\'s QEMU driver: put them into the file that '
        'is there and restart virtqemud or libvirtd; guests go on running.',
        settings=(
            setting,
            Setting(
                line='# hugetlbfs_mount = "/dev/hugepages"',
                code='RT-F06',
                why='libvirt finds the mounts by itself; an empty text here '
                'would switch huge pages off.',
            ),
        ),
    )


def _nova(wishes: Wishes) -> TuningFile:
    return TuningFile(
        path=NOVA,
        note='For nova-compute, where there is one: restart it. The sets '
        'may not be changed while guests run that use them.',
        settings=(
            Setting(
                section='compute',
                line=f'cpu_dedicated_set = {wishes.dedicated}',
                code='RT-H05',
            ),
            Setting(
                section='compute',
                line=f'cpu_shared_set = {wishes.housekeeping}',
                code='RT-X05',
            ),
            Setting(
                section='libvirt',
                line='realtime_scheduler_priority = 1',
                code='RT-X02',
            ),
        ),
    )


def boot_parameters(file: TuningFile) -> str:
    """Return what the boot loader's file adds to the command line."""
    inside = (s.line.partition('LINUX ')[2] for s in file.settings)
    return ' '.join(text.rstrip('"') for text in inside)
