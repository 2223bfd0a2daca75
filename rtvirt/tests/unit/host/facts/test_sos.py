# SPDX-License-Identifier: Apache-2.0
"""An unpacked sosreport: what /proc lacks is in sos_commands."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from rtvirt.checks.run import run_checks
from rtvirt.host.facts import read_facts
from rtvirt.host.source import read_host
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.plugins import PLUGINS


def _sosreport() -> HostFiles:
    """Make a report of the tuned host, which has no live processes."""
    host = tuned_host()
    settings = {
        path.removeprefix('/proc/sys/').replace('/', '.'): host.text(path)
        for path in host.files
        if path.startswith('/proc/sys/')
    }
    host.remove('/proc/sys')
    host.write(
        '/sos_commands/kernel/sysctl_-a',
        ''.join(f'{name} = {value}' for name, value in settings.items()),
    )
    host.write(
        '/sos_commands/kernel/uname_-a',
        f'Linux compute1 {settings["kernel.osrelease"].strip()} #1 SMP '
        'PREEMPT_RT x86_64 GNU/Linux',
    )
    host.write(
        '/sos_commands/filesys/mount_-l',
        'cgroup2 on /sys/fs/cgroup type cgroup2 (rw,nosuid)\n'
        'hugetlbfs on /dev/hugepages type hugetlbfs (rw,pagesize=1024M)\n',
    )
    host.write(
        '/sos_commands/process/ps_auxwwwm',
        'USER PID COMMAND\nroot 1 /usr/sbin/virtqemud --timeout 120\n'
        'root 2 /usr/bin/stalld --systemd\nroot 3 /usr/sbin/tuned -l\n',
    )
    host.write(
        '/sos_commands/kernel/dmesg', '[ 1.0] Linux\n[ 2.0] Freeing memory\n'
    )
    for path in ('/proc/mounts', '/proc/version', '/dev/kmsg'):
        host.remove(path)
    for path in list(host.files):
        if path.split('/')[2].isdecimal():
            host.files.pop(path)
    return host


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Unpack the report."""
    _sosreport().unpack(tmp_path)
    return tmp_path


def test_gaps_are_filled_from_commands(root: Path) -> None:
    facts, whole = read_facts(root), tuned_host().facts()
    assert facts.scheduler == whole.scheduler
    assert facts.memory == whole.memory
    assert facts.kernel.release == whole.kernel.release
    assert facts.kernel.log == ()
    assert facts.cgroup == whole.cgroup
    assert facts.service.running == ('stalld', 'tuned', 'virtqemud')
    assert isinstance(facts.tasks, Missing)


def test_a_file_wins_over_a_command(root: Path) -> None:
    path = root / 'proc/sys/kernel/sched_rt_runtime_us'
    path.parent.mkdir(parents=True)
    path.write_text('950000\n')
    assert read_facts(root).scheduler.rt_runtime_us == 950000


def test_what_a_report_lacks_is_undecided(root: Path) -> None:
    findings = run_checks(read_facts(root), PLUGINS)
    assert [f for f in findings if not f.is_undecided] == []
    assert {'RT-C12', 'RT-C13', 'RT-C14'} <= {f.code for f in findings}


def test_a_defect_in_a_command_is_found(root: Path) -> None:
    path = root / 'sos_commands/kernel/sysctl_-a'
    text = path.read_text().replace(
        'vm.stat_interval = 10', 'vm.stat_interval = 1'
    )
    path.write_text(text)

    def codes(findings: tuple[Finding, ...]) -> set[str]:
        return {f.code for f in findings if not f.is_undecided}

    assert codes(run_checks(read_facts(root), PLUGINS)) == {'RT-B15'}


def test_a_packed_report_tells_the_same(root: Path, tmp_path: Path) -> None:
    packed = tmp_path / 'report.tar.xz'
    with tarfile.open(packed, 'w:xz', preset=0) as tar:
        for name in sorted(root.iterdir()):
            if name != packed:
                tar.add(name, f'sosreport-compute1-2026/{name.name}')
    assert read_facts(packed) == read_facts(root)
    assert read_host(str(packed)).cells == read_host(str(root)).cells
