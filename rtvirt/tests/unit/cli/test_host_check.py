# SPDX-License-Identifier: Apache-2.0
"""``rtvirt host check``, ``snapshot`` and ``tune``."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from rtvirt.host.facts import read_facts
from rtvirt.host.snapshot import pack
from rtvirt.host.snapshot import take_snapshot
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt

GOOD = str(SAMPLES / 'snapshots' / 'rt-10.tar.gz')
CGROUP = str(SAMPLES / 'snapshots' / 'cgroup-v1.tar.gz')
GUEST = str(SAMPLES / 'snapshots' / 'guest.tar.gz')


@pytest.fixture
def spoilt(tmp_path: Path) -> HostFiles:
    """Make a host with a warning, and with one check that is undecided."""
    host = tuned_host()
    host.write('/proc/sys/vm/stat_interval', '1')
    host.forbid('/sys/kernel/mm/ksm/run')
    return host


def _snapshot(host: HostFiles, path: Path) -> str:
    target = path / 'host.tar.gz'
    target.write_bytes(pack(take_snapshot(host.tree())))
    return str(target)


def test_a_good_host_is_ready(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'check', '--host', GOOD)
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.strip() == (
        'compute1: ready for real time (nothing found)'
    )


def test_what_is_wrong_is_summed_up_first(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'check', '--host', CGROUP)
    assert (ended.code, ended.err) == (3, '')
    lines = ended.out.splitlines()
    assert lines[0] == (
        'cgroup1: not ready for real time (2 fatal defects, 1 error, '
        '1 warning)'
    )
    assert lines[2] == 'Mend first'
    first = [row[0] for row in ended.rows[1:]]
    assert first == ['RT-B02', 'RT-B03', 'RT-B01']
    found = ended.out.partition('Found\n')[2]
    codes = re.findall(r'^\| (RT-\w+)', found, re.MULTILINE)
    assert codes == ['RT-B02', 'RT-B03', 'RT-B01', 'RT-B04']


def test_json_has_everything(
    rtvirt: RTVirt, spoilt: HostFiles, tmp_path: Path
) -> None:
    source = _snapshot(spoilt, tmp_path)
    ended = rtvirt('host', 'check', '--host', source, '-f', 'json')
    data = ended.json
    assert ended.code == 0
    assert data['schema_version'] == 1
    assert data['host'] == 'compute1'
    assert data['verdict'] == 'undecided'
    assert data['counts'] == {'fatal': 0, 'error': 0, 'warning': 1, 'info': 0}
    assert data['undecided'] == 1
    assert data['first'] == []
    warning, undecided = data['findings']
    assert warning['code'] == 'RT-B15'
    assert warning['subject'] == '/proc/sys/vm/stat_interval'
    assert (warning['actual'], warning['expected']) == ('1', 'at least 10')
    assert warning['hint'] == 'sysctl vm.stat_interval=10'
    assert (warning['safety'], warning['is_undecided']) == ('live', False)
    assert (undecided['code'], undecided['is_undecided']) == ('RT-F04', True)
    assert undecided['actual'] == 'unreadable (Permission denied)'


def test_undecided_checks_are_shown_apart(
    rtvirt: RTVirt, spoilt: HostFiles, tmp_path: Path
) -> None:
    ended = rtvirt('host', 'check', '--host', _snapshot(spoilt, tmp_path))
    assert 'compute1: undecided for real time' in ended.out
    assert 'RT-F04' in ended.out.partition('Undecided\n')[2]
    assert 'RT-F04' not in ended.out.partition('Undecided\n')[0]


@pytest.mark.parametrize(
    ('level', 'code'),
    [('fatal', 0), ('error', 0), ('warning', 3), ('info', 3)],
)
def test_fail_on(
    rtvirt: RTVirt, spoilt: HostFiles, tmp_path: Path, level: str, code: int
) -> None:
    source = _snapshot(spoilt, tmp_path)
    ended = rtvirt('host', 'check', '--host', source, '--fail-on', level)
    assert ended.code == code


@pytest.mark.parametrize(
    ('arguments', 'codes'),
    [
        (['--only', 'rt-b03'], ['RT-B03']),
        (['--only', 'RT-B'], ['RT-B02', 'RT-B03', 'RT-B01', 'RT-B04']),
        (['--only', 'RT-B01,RT-B04'], ['RT-B01', 'RT-B04']),
        (['--only', 'RT-B01', '--only', 'RT-B04'], ['RT-B01', 'RT-B04']),
        (['--skip', 'RT-B0'], []),
        (['--only', 'RT-B', '--skip', 'RT-B02,RT-B01'], ['RT-B03', 'RT-B04']),
    ],
)
def test_checks_can_be_chosen(
    rtvirt: RTVirt, arguments: list[str], codes: list[str]
) -> None:
    ended = rtvirt('host', 'check', '--host', CGROUP, *arguments, '-f', 'csv')
    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row['code'] for row in rows] == codes


def test_long_adds_mends(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('host', 'check', '--host', CGROUP, '--only', 'RT-B04'),
        *('--long', '-f', 'csv'),
    )
    (row,) = csv.DictReader(io.StringIO(ended.out))
    assert row['takes'] == 'live'
    assert row['mend'].startswith('sysctl kernel.sched_rt_runtime_us=-1')


@pytest.mark.parametrize('option', ['--only', '--skip', '--explain'])
def test_an_unknown_check_is_refused(rtvirt: RTVirt, option: str) -> None:
    for code in ('RT-B99', 'b99'):
        ended = rtvirt('host', 'check', option, code)
        assert (ended.code, ended.out) == (2, '')
        assert f'no check {code.upper()!r}' in ended.err
        assert 'hint: did you mean RT-B09' in ended.err


def test_one_check_is_explained(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'check', '--explain', 'rt-b05')
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith('RT-B05: The fair server leaves real-time')
    data = rtvirt('host', 'check', '--explain', 'RT-B05', '-f', 'json').json
    assert data['code'] == 'RT-B05'
    assert data['profiles'] == ['guest', 'host']
    assert data['takes'] == 'live'
    assert 'deadline server' in data['why']


def test_dedicated_pcpus_of_the_operator(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *('host', 'check', '--host', GOOD, '--dedicated', '0-4'),
        *('--only', 'RT-C', '-f', 'json'),
    )
    codes = {finding['code'] for finding in ended.json['findings']}
    assert {'RT-C01', 'RT-C06', 'RT-C07'} <= codes
    assert ended.code == 3


def test_a_guest(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'check', '--host', GUEST, '--profile', 'guest')
    assert (ended.code, ended.err) == (0, '')
    ended = rtvirt(
        *('host', 'check', '--host', GUEST, '--profile', 'guest'),
        *('--realtime', '3', '--only', 'RT-V02', '-f', 'json'),
    )
    assert [f['code'] for f in ended.json['findings']] == ['RT-V02']


def test_the_mask_of_a_flavor(rtvirt: RTVirt) -> None:
    """The sample flavor's mask is ^0-1, of four vCPUs."""
    ended = rtvirt(
        *('host', 'check', '--host', GUEST, '--profile', 'guest'),
        *('--flavor', SMALL),
    )
    assert (ended.code, ended.err) == (0, '')


def test_what_a_flavor_needs(rtvirt: RTVirt, tmp_path: Path) -> None:
    ended = rtvirt('host', 'check', '--host', GOOD, '--flavor', SMALL)
    assert (ended.code, ended.err) == (0, '')
    host = tuned_host()
    for path in list(host.files):
        if path.endswith('hugepages-1048576kB/free_hugepages'):
            host.write(path, '0')
    ended = rtvirt(
        *('host', 'check', '--host', _snapshot(host, tmp_path)),
        *('--flavor', SMALL, '-f', 'json'),
    )
    codes = {finding['code'] for finding in ended.json['findings']}
    assert codes == {'RT-N01', 'RT-N02'}
    assert ended.code == 3


@pytest.mark.parametrize(
    ('arguments', 'code', 'words'),
    [
        (['--host', '/none'], 1, 'no directory'),
        (['--host', SMALL], 1, 'cannot be read as a snapshot'),
        (['--realtime', '2'], 2, '--realtime names vCPUs'),
        (['--dedicated', '2-1'], 2, 'range from 2 down to 1'),
        (['--fail-on', 'bad'], 2, "--fail-on: 'bad' is unknown"),
        (['--profile', 'bad'], 2, "--profile: 'bad' is unknown"),
    ],
)
def test_bad_arguments(
    rtvirt: RTVirt, arguments: list[str], code: int, words: str
) -> None:
    ended = rtvirt('host', 'check', *arguments)
    assert (ended.code, ended.out) == (code, '')
    assert words in ended.err


def test_the_local_machine_is_checked(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'check', '-f', 'json')
    assert ended.code in {0, 3}
    assert ended.err == ''
    assert ended.json['verdict'] in {'ready', 'not ready', 'undecided'}


def test_a_snapshot_is_taken(rtvirt: RTVirt, tmp_path: Path) -> None:
    root = tmp_path / 'root'
    host = tuned_host()
    host.forbid('/dev/kmsg')
    host.unpack(root)
    path = tmp_path / 'host.tar.gz'
    ended = rtvirt('host', 'snapshot', '-o', str(path), '--host', str(root))
    assert (ended.code, ended.out) == (0, '')
    assert '/proc/sys/vm/stat_interval' in ended.err
    assert '/sys/devices/system/cpu/cpuN/cpufreq/scaling_governor (10 f' in (
        ended.err
    )
    assert '  /etc/nova/nova.conf' in ended.err
    assert read_facts(path) == read_facts(root)
    assert rtvirt('host', 'check', '--host', str(path)).code == 0
    ended = rtvirt('host', 'show', '--host', str(path))
    assert (ended.code, ended.err) == (0, '')
    assert '2 cells, 10 cores, 10 pCPUs' in ended.out


@pytest.mark.parametrize(
    ('arguments', 'code', 'words'),
    [
        ([], 2, '-o/--output'),
        (['-o', 'host.tar'], 2, 'has to end in .tar.gz'),
        (['-o', '/none/x.tar.gz', '--host', '/none'], 1, 'no directory'),
        (['-o', '/none/x.tar.gz', '--host', GOOD], 1, 'cannot be written'),
    ],
)
def test_a_snapshot_that_cannot_be_taken(
    rtvirt: RTVirt, arguments: list[str], code: int, words: str
) -> None:
    ended = rtvirt('host', 'snapshot', *arguments)
    assert (ended.code, ended.out) == (code, '')
    assert words in ended.err


def _untuned(path: Path) -> str:
    """Make a host whose configuration says nothing of real time."""
    host = tuned_host()
    host.write('/proc/cmdline', 'BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet')
    host.write('/sys/devices/system/cpu/isolated', '')
    host.write('/sys/devices/system/cpu/nohz_full', '')
    host.write('/proc/irq/default_smp_affinity', '3ff')
    host.write('/proc/sys/vm/stat_interval', '1')
    host.write('/proc/sys/kernel/numa_balancing', '1')
    host.write('/proc/sys/kernel/sched_rt_runtime_us', '950000')
    host.write('/sys/module/kvm/parameters/kvmclock_periodic_sync', 'Y')
    host.remove('/etc')
    return _snapshot(host, path)


def test_files_are_printed(rtvirt: RTVirt, tmp_path: Path) -> None:
    ended = rtvirt(
        *('host', 'tune', '--host', _untuned(tmp_path)),
        *('--dedicated', '1-4,6-9', '--hugepages', '1G=16'),
    )
    assert (ended.code, ended.err) == (0, '')
    lines = [
        line
        for line in ended.out.splitlines()
        if line and (line[0] != '#' or line.startswith('####'))
    ]
    assert lines == [
        '#### /etc/default/grub.d/50-rtvirt.cfg',
        *(
            f'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX {text}"'
            for text in (
                'isolcpus=managed_irq,domain,1-4,6-9',
                'nohz_full=1-4,6-9',
                'rcu_nocbs=1-4,6-9',
                'irqaffinity=0,5',
                'nosoftlockup',
                'tsc=reliable skew_tick=1',
                'mce=ignore_ce',
                'intel_idle.max_cstate=1 processor.max_cstate=1',
                'default_hugepagesz=1G hugepagesz=1G hugepages=16',
            )
        ),
        '#### /etc/tuned/realtime-virtual-host-variables.conf',
        'isolated_cores=1-4,6-9',
        'isolate_managed_irq=Y',
        'netdev_queue_count=2',
        '#### /etc/sysctl.d/50-rtvirt.conf',
        'kernel.sched_rt_runtime_us=-1',
        'kernel.nmi_watchdog=0',
        'kernel.watchdog_cpumask=0,5',
        'kernel.timer_migration=0',
        'kernel.numa_balancing=0',
        'kernel.sched_autogroup_enabled=0',
        'kernel.hung_task_timeout_secs=600',
        'vm.stat_interval=10',
        'vm.swappiness=10',
        'vm.compaction_proactiveness=0',
        'vm.zone_reclaim_mode=0',
        'vm.nr_overcommit_hugepages=0',
        'net.core.busy_poll=0',
        'net.core.busy_read=0',
        '#### /etc/systemd/system.conf.d/50-rtvirt.conf',
        '[Manager]',
        'CPUAffinity=0 5',
        '#### /etc/modprobe.d/50-rtvirt-kvm.conf',
        'options kvm halt_poll_ns=0',
        'options kvm kvmclock_periodic_sync=0',
        'options kvm_intel ple_gap=0',
        'options kvm_amd pause_filter_count=0',
        '#### /etc/libvirt/qemu.conf',
        '#### /etc/nova/nova.conf.d/50-rtvirt.conf',
        '[compute]',
        'cpu_dedicated_set = 1-4,6-9',
        'cpu_shared_set = 0,5',
        '[libvirt]',
        'realtime_scheduler_priority = 1',
    ]


def test_every_setting_has_a_comment(rtvirt: RTVirt, tmp_path: Path) -> None:
    ended = rtvirt(
        'host', 'tune', '--host', _untuned(tmp_path), '--dedicated', '2-3'
    )
    commented = re.findall(r'^# RT-\w+: ', ended.out, re.MULTILINE)
    assert len(commented) > 20
    comments = re.findall(r'^# .*', ended.out, re.MULTILINE)
    assert max(map(len, comments)) <= 76


def test_pcpus_that_the_host_needs_itself_are_told(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    ended = rtvirt(
        'host', 'tune', '--host', _untuned(tmp_path), '--dedicated', '0-4'
    )
    assert ended.code == 3
    assert 'RT-C06 error: pCPU 0: meant for real-time guests' in ended.err
    assert 'RT-C06 error: node 0: all of its pCPUs 0-4' in ended.err
    assert '(to mend it: take pCPU 0, and one core of' in ended.err
    assert 'isolated_cores=0-4' in ended.out


def test_group_scheduling_is_gone_around(rtvirt: RTVirt) -> None:
    ended = rtvirt('host', 'tune', '--host', CGROUP, '--dedicated', '2-4')
    assert 'rt_group_sched=0' in ended.out
    [controllers] = re.findall('^cgroup_controllers = .*', ended.out, re.M)
    assert '"cpu' not in controllers.replace('"cpuset"', '')
    assert 'kernel.sched_rt_runtime_us=950000' in ended.out


def test_lines_that_set_nothing_are_not_listed(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    ended = rtvirt(
        *('host', 'tune', '--host', _untuned(tmp_path)),
        *('--dedicated', '2-3', '-f', 'value', '-c', 'line'),
    )
    lines = ended.out.splitlines()
    assert 'options kvm halt_poll_ns=0' in lines
    assert not [line for line in lines if '#' in line]


def test_tuning_files_as_data(rtvirt: RTVirt, tmp_path: Path) -> None:
    ended = rtvirt(
        *('host', 'tune', '--host', _untuned(tmp_path)),
        *('--dedicated', '2-3', '-f', 'json'),
    )
    data = json.loads(ended.out)
    assert data['schema_version'] == 1
    assert data['findings'] == []
    texts = {file['path']: file['text'] for file in data['files']}
    text = texts['/etc/systemd/system.conf.d/50-rtvirt.conf']
    assert text.splitlines()[-1] == 'CPUAffinity=0-1 4-9'


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        ([], '--dedicated'),
        (['--dedicated', ''], 'expected pCPUs of the host'),
        (['--dedicated', '2-31'], 'expected pCPUs of the host'),
        (['--dedicated', '0-9'], 'no pCPU for the host itself'),
        (['--dedicated', '2', '--hugepages', '1G'], '1G=8'),
        (['--dedicated', '2', '--hugepages', '4=8'], 'as in 1G=8'),
        (['--dedicated', '2', '--hugepages', '3G=8'], 'as in 1G=8'),
        (['--dedicated', '2', '--hugepages', 'x=8'], 'as in 1G=8'),
        (['--dedicated', '2', '--hugepages', '1G=-1'], 'as in 1G=8'),
    ],
)
def test_bad_wishes(rtvirt: RTVirt, arguments: list[str], words: str) -> None:
    ended = rtvirt('host', 'tune', '--host', GOOD, *arguments)
    assert (ended.code, ended.out) == (2, '')
    assert words in ended.err


def test_the_files_take_the_findings_away(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    """What the files are for is found without them, and not with them."""
    source = _untuned(tmp_path)
    before = rtvirt(
        *('host', 'check', '--host', source, '--dedicated', '1-4,6-9'),
        *('-f', 'json'),
    ).json
    codes = {finding['code'] for finding in before['findings']}
    mended = {'RT-B04', 'RT-B10', 'RT-B14', 'RT-B15', 'RT-C01', 'RT-C03'}
    assert mended | {'RT-C04', 'RT-C05', 'RT-D01', 'RT-G02'} <= codes
    after = rtvirt(
        *('host', 'tune', '--host', source, '--dedicated', '1-4,6-9'),
        *('-f', 'json'),
    ).json
    assert after['findings'] == []
