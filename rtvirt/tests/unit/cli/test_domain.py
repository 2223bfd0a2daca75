# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain xml`` prints XML and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtvirt.domain import parse_domain
from rtvirt.domain import plan_of
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt

PLAN = ('--flavor', SMALL, '--host', EDGE, '--dedicated', '2-5')
NEW = ('domain', 'xml', *PLAN, '--name', 'rt1')
UUID = '6f0c1d2e-8a51-4c5d-9d0e-00000000abcd'

BASE = """\
<domain type='kvm'>
  <!-- a comment -->
  <name>old</name>
  <uuid>6f0c1d2e-8a51-4c5d-9d0e-000000000001</uuid>
  <memory>1</memory>
  <vcpu>1</vcpu>
  <os><type>hvm</type></os>
  <other:thing xmlns:other='urn:other'/>
</domain>
"""


@pytest.fixture
def base(tmp_path: Path) -> str:
    file = tmp_path / 'base.xml'
    file.write_text(BASE)
    return str(file)


def test_the_domain_that_the_talk_shows(rtvirt: RTVirt) -> None:
    ended = rtvirt(*NEW)
    assert (ended.code, ended.err) == (0, '')
    domain = parse_domain(ended.out)
    assert (domain.name, domain.virt_type) == ('rt1', 'kvm')
    tune = domain.cputune
    assert dict(tune.vcpupins) == {v: CPUSet([v + 2]) for v in range(4)}
    assert tune.emulatorpin == CPUSet([2, 3])
    assert "<vcpusched vcpus='2-3' scheduler='fifo' priority='1'/>" in (
        ended.out
    )
    assert ended.out.count('<vcpusched') == 1
    assert "<page size='1048576' unit='KiB' nodeset='0'/>" in ended.out
    assert ended.out.count('<page ') == 1
    assert '<nosharepages/>' in ended.out
    assert '<locked/>' in ended.out
    plan = plan_of(domain)
    assert plan is not None
    assert plan.guest.name == 'rt1.small'


def test_all_that_a_new_domain_may_have(rtvirt: RTVirt) -> None:
    ended = rtvirt(
        *(*NEW, '--uuid', UUID, '--type', 'qemu', '--machine', 'pc'),
        *('--disk', '/images/a.qcow2,format=qcow2', '--disk', '/dev/vg/b,c'),
        *('--kernel', '/boot/vmlinuz', '--initrd', '/boot/initrd'),
        *('--cmdline', 'console=ttyS0 quiet', '--bridge', 'br0'),
        *('--mac', '52:54:00:12:34:56', '--console', '/tmp/console.log'),
        *('--emulator', '/opt/qemu'),
    )
    assert (ended.code, ended.err) == (0, '')
    domain = parse_domain(ended.out)
    assert (domain.virt_type, domain.uuid) == ('qemu', UUID)
    assert domain.boot is not None
    assert domain.boot.type.machine == 'pc'
    assert domain.boot.kernel == '/boot/vmlinuz'
    assert domain.boot.initrd == '/boot/initrd'
    assert domain.boot.cmdline == 'console=ttyS0 quiet'
    first, second = domain.devices.disks
    assert first.source is not None
    assert first.source.file == '/images/a.qcow2'
    assert first.driver.type == 'qcow2'
    assert second.source is not None
    assert second.source.dev == '/dev/vg/b,c'
    assert second.driver.type == 'raw'
    (card,) = domain.devices.interfaces
    assert card.source is not None
    assert (card.type, card.source.bridge) == ('bridge', 'br0')
    assert card.mac == '52:54:00:12:34:56'
    (serial,) = domain.devices.serials
    assert serial.path == '/tmp/console.log'
    assert domain.devices.emulator == '/opt/qemu'


def test_no_console_and_a_network(rtvirt: RTVirt) -> None:
    ended = rtvirt(*NEW, '--console', 'none', '--network', 'default')
    domain = parse_domain(ended.out)
    assert domain.devices.serials == ()
    (card,) = domain.devices.interfaces
    assert card.source is not None
    assert card.source.network == 'default'


def test_a_base_keeps_what_is_no_matter_of_the_plan(
    rtvirt: RTVirt, base: str
) -> None:
    ended = rtvirt('domain', 'xml', *PLAN, '--base', base)
    assert (ended.code, ended.err) == (0, '')
    for kept in (
        '<!-- a comment -->',
        '<name>old</name>',
        "<other:thing xmlns:other='urn:other'/>",
    ):
        assert kept in ended.out
    domain = parse_domain(ended.out)
    assert domain.memory_kib == 4 << 20
    assert domain.cputune.emulatorpin == CPUSet([2, 3])
    again = rtvirt('domain', 'xml', *PLAN, '--base', '-', stdin=ended.out)
    assert again.out == ended.out


def test_a_base_under_another_name(rtvirt: RTVirt, base: str) -> None:
    ended = rtvirt(*NEW, '--base', base, '--uuid', UUID)
    domain = parse_domain(ended.out)
    assert (domain.name, domain.uuid) == ('rt1', UUID)
    assert '<!-- a comment -->' in ended.out


@pytest.mark.parametrize('name', ['', '  <name/>\n', '  <name>old</name>\n'])
def test_a_name_given_is_the_name(
    rtvirt: RTVirt, tmp_path: Path, name: str
) -> None:
    file = tmp_path / 'template.xml'
    file.write_text(BASE.replace('  <name>old</name>\n', name))
    ended = rtvirt(*NEW, '--base', str(file))
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.count('  <name>rt1</name>\n') == 1
    # Another domain than that of the template.
    assert parse_domain(ended.out).uuid is None


def test_a_base_without_a_name_is_refused_where_none_is_given(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    file = tmp_path / 'template.xml'
    file.write_text(BASE.replace('<name>old</name>', ''))
    ended = rtvirt('domain', 'xml', *PLAN, '--base', str(file))
    assert ended.code == 1
    assert 'lacks the element <name>' in ended.err


def test_what_does_not_fit_prints_no_xml(rtvirt: RTVirt) -> None:
    ended = rtvirt(*NEW, '--pinned', '2')
    assert (ended.code, ended.out) == (4, '')
    assert 'does not fit' in ended.err


@pytest.mark.parametrize(
    ('argv', 'error'),
    [
        ([], 'a new domain needs a --name'),
        (['--name', 'x', '--mac', '52:54:00:12:34:56'], '--mac needs a'),
        (
            ['--name', 'x', '--network', 'a', '--bridge', 'b'],
            'not allowed with argument --network',
        ),
        (['--name', 'x', '--type', 'xen'], "--type: 'xen' is unknown"),
        (['--base', 'x', '--disk', '/y'], '--disk is for a new domain'),
        (['--base', 'x', '--console', 'none'], '--console is for a new'),
        (['--base', '-', '--image', '-'], 'only one file can be standard'),
    ],
)
def test_arguments_that_do_not_go_together(
    rtvirt: RTVirt, argv: list[str], error: str
) -> None:
    ended = rtvirt('domain', 'xml', *PLAN, *argv)
    assert (ended.code, ended.out) == (2, '')
    assert error in ended.err


@pytest.mark.parametrize(
    ('argv', 'error'),
    [
        (['--name', 'a/b'], 'the name is'),
        (['--name', 'x', '--uuid', '1'], 'the uuid is'),
        (['--name', 'x', '--disk', 'relative'], 'the path of a disk'),
        (['--name', 'x', '--disk', '/a,format=vmdk'], 'the format of a disk'),
        (['--name', 'x', '--cmdline', 'quiet'], 'needs a kernel'),
        (['--name', 'x', '--console', 'tty'], 'the console'),
        (
            ['--name', 'x', '--network', 'n', '--mac', 'zz'],
            'the MAC address is',
        ),
        (['--base', '{base}', '--name', 'a/b'], 'the name is'),
        (['--base', '{base}', '--name', ''], 'the name is'),
        (['--base', '{base}', '--uuid', '1'], 'the uuid is'),
        (['--host', '', '--name', 'x'], 'the name of the host is empty'),
        (['--base', '/nonexistent'], "cannot read '/nonexistent'"),
        (['--base', SMALL], 'rt1.small.yaml: '),
        (['--base', EDGE], 'edge-8.xml: '),
    ],
)
def test_values_that_are_no_good(
    rtvirt: RTVirt, base: str, argv: list[str], error: str
) -> None:
    named = [word.format(base=base) for word in argv]
    ended = rtvirt('domain', 'xml', *PLAN, *named)
    assert (ended.code, ended.out) == (1, '')
    assert error in ended.err
    assert ended.err.startswith('rtvirt: ')
