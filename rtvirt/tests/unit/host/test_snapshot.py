# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from rtvirt.exception import HostError
from rtvirt.host.facts import read_facts
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.manifest import MANIFEST
from rtvirt.host.facts.manifest import Manifest
from rtvirt.host.facts.manifest import with_manifest
from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.redact import kept
from rtvirt.host.snapshot import pack
from rtvirt.host.snapshot import take_snapshot
from rtvirt.host.snapshot import write_snapshot
from rtvirt.host.source import read_host
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.tests.host_files import HostFiles
from rtvirt.tests.tuned_host import tuned_host


@pytest.fixture
def host() -> HostFiles:
    """Make a host with secrets and with files that cannot be read."""
    made = tuned_host()
    made.forbid('/sys/kernel/debug/sched/preempt')
    made.forbid('/proc/sys/vm/stat_interval')
    made.write('/etc/sysconfig/irqbalance', 'X=s3cret\n')
    made.write('/etc/nova/nova.conf.d/db.conf', '[database]\nc = s3cret\n')
    made.write(
        '/etc/systemd/system.conf.d/cpu.conf',
        '[Manager]\nCPUAffinity=0\n 5\nDefaultEnvironment=X=s3cret\n',
    )
    made.replace('/proc/cmdline', 'quiet', 'rd.iscsi.password=s3cret')
    made.write(
        '/etc/tuned/bootcmdline',
        'TUNED_BOOT_CMDLINE="skew_tick=1 netroot=iscsi:me:s3cret@host"\n',
    )
    made.write('/dev/kmsg', '1,2,3,-;s3cret\n4,5,6,-;rcu: soft lockup\n')
    return made


def test_facts_of_a_snapshot_are_those_of_the_host(
    host: HostFiles, tmp_path: Path
) -> None:
    facts = host.facts()
    packed = tmp_path / 'host.tar.gz'
    write_snapshot(take_snapshot(host.tree()), packed)
    assert read_facts(packed) == facts


def test_a_snapshot_can_be_unpacked(host: HostFiles, tmp_path: Path) -> None:
    snapshot = take_snapshot(host.tree())
    unpacked = HostFiles()
    unpacked.files = {
        **snapshot.files,
        MANIFEST: snapshot.manifest.to_json(),
    }
    unpacked.unpack(tmp_path)
    assert read_facts(tmp_path) == host.facts()


def test_a_snapshot_has_no_secret(host: HostFiles) -> None:
    snapshot = take_snapshot(host.tree())
    assert all(b's3cret' not in c for c in snapshot.files.values())
    assert b's3cret' not in snapshot.manifest.to_json()
    assert 's3cret' not in json.dumps(host.facts().to_dict())
    assert snapshot.left_out == ()
    assert '/etc/nova/nova.conf' in snapshot.reduced


def test_a_snapshot_of_a_snapshot_is_the_same(host: HostFiles) -> None:
    first = take_snapshot(host.tree())
    tree = MappingTree({**first.files, MANIFEST: first.manifest.to_json()})
    again = take_snapshot(with_manifest(tree))
    assert again.files == first.files
    assert again.manifest == first.manifest
    assert again.reduced == ()


def test_the_same_snapshot_gives_the_same_bytes(host: HostFiles) -> None:
    one, other = (pack(take_snapshot(host.tree())) for _ in range(2))
    assert one == other


def test_what_no_rule_allows_stays_out() -> None:
    for path in (
        '/etc/shadow',
        '/etc/ssh/ssh_host_rsa_key',
        '/var/log/messages',
    ):
        assert kept(path, b'anything') is None
    assert kept('/proc/version', b'Linux') == b'Linux'


def test_a_snapshot_is_for_its_owner(host: HostFiles, tmp_path: Path) -> None:
    path = tmp_path / 'host.tar.gz'
    path.write_text('older')
    write_snapshot(take_snapshot(host.tree()), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ['host.tar.gz']


def test_a_place_that_is_not_there_is_an_error(
    host: HostFiles, tmp_path: Path
) -> None:
    with pytest.raises(HostError, match='cannot be written'):
        write_snapshot(
            take_snapshot(host.tree()), tmp_path / 'none' / 'host.tar.gz'
        )


def test_pcpus_of_domains_in_a_snapshot_are_taken(
    host: HostFiles, tmp_path: Path
) -> None:
    host.write(
        '/etc/libvirt/qemu/off.xml',
        "<domain type='kvm'><name>off</name><vcpu>1</vcpu><metadata>"
        '<owner>s3cret</owner></metadata><cputune>'
        "<vcpupin vcpu='0' cpuset='7'/></cputune></domain>",
    )
    path = tmp_path / 'host.tar.gz'
    snapshot = take_snapshot(host.tree())
    write_snapshot(snapshot, path)
    assert b's3cret' not in snapshot.files['/etc/libvirt/qemu/off.xml']
    topology = read_host(str(path))
    assert [cell.pinned for cell in topology.cells] == [
        CPUSet.parse('0-4'),
        CPUSet([7]),
    ]
    assert [cell.memory_mib for cell in topology.cells] == [32768, 32768]


def test_patterns_count_files(host: HostFiles) -> None:
    patterns = dict(take_snapshot(host.tree()).patterns())
    assert patterns['/etc/nova/nova.conf'] == 1
    assert (
        patterns['/sys/devices/system/cpu/cpuN/cpuidle/stateN/disable'] == 30
    )


@pytest.mark.parametrize(
    'content',
    [
        b'{',
        b'[]',
        b'{"schema_version": 99}',
        b'{"schema_version": 1, "missing": 3}',
        b'{"schema_version": 1, "names": {"/proc": [1]}}',
        b'{"schema_version": 1, "other": 1}',
        b'[' * 100000,
    ],
)
def test_a_broken_manifest_is_refused(content: bytes) -> None:
    with pytest.raises(HostError, match=r'rtvirt-snapshot\.json'):
        Manifest.from_json(content)


def test_the_local_machine_can_be_taken(tmp_path: Path) -> None:
    path = tmp_path / 'host.tar.gz'
    snapshot = take_snapshot(DirectoryTree('/'))
    write_snapshot(snapshot, path)
    facts = read_facts(path)
    assert snapshot.left_out == ()
    assert not isinstance(facts.tasks, Missing)
    assert HostFacts.from_dict(facts.to_dict()) == facts
