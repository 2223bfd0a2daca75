# SPDX-License-Identifier: Apache-2.0
"""A libvirt that does not exist, used as another project's tests would."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import rtvirt
from rtvirt.cli.app import main
from rtvirt.host.source import read_host
from rtvirt.testing import FakeLibvirt
from rtvirt.testing import edge_host
from rtvirt.testing import nps4_host
from rtvirt.testing import realtime_flavor
from rtvirt.testing.libvirt_names import State
from rtvirt.testing.libvirt_names import XMLFlag

FAR = 'qemu+ssh://far/system'


@pytest.fixture(params=['as it is', 'without libvirt-python'])
def machine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine as it is, and one that lacks libvirt-python."""
    if request.param != 'as it is':
        monkeypatch.setitem(sys.modules, 'libvirt', None)


either_machine = pytest.mark.usefixtures('machine')


@pytest.fixture
def libvirt() -> Iterator[FakeLibvirt]:
    with FakeLibvirt() as libvirt:
        yield libvirt


def create(
    libvirt: FakeLibvirt, name: str = 'plc-1', vcpus: int = 2, **options: Any
) -> rtvirt.StartedDomain:
    return rtvirt.create_domain(
        rtvirt.parse_guest(realtime_flavor(vcpus=vcpus)),
        lambda plan: rtvirt.domain_xml(plan, name=name),
        settings=libvirt.settings,
        **options,
    )


def state(libvirt: FakeLibvirt) -> dict[str, str]:
    return {one.name: one.state for one in rtvirt.list_domains(libvirt.uri)}


class TestLifecycle:
    @either_machine
    def test_from_its_creation_to_its_end(self, libvirt: FakeLibvirt) -> None:
        started = create(libvirt)
        assert started.is_proved
        assert started.findings == ()
        assert not started.is_paused
        assert state(libvirt) == {'plc-1': 'running'}
        shown = rtvirt.show_domain(libvirt.uri, 'plc-1')
        assert shown.running is not None
        assert shown.plan is not None
        assert shown.plan.claimed == shown.listed.cpus == {2, 3}

        rtvirt.destroy_domain(libvirt.uri, 'plc-1')
        assert state(libvirt) == {'plc-1': 'shut off'}
        rtvirt.start_domain('plc-1', settings=libvirt.settings, paused=True)
        assert state(libvirt) == {'plc-1': 'paused'}
        rtvirt.destroy_domain(libvirt.uri, 'plc-1', undefine=True)
        assert state(libvirt) == {}

    def test_guests_keep_apart_until_the_host_is_full(
        self, libvirt: FakeLibvirt
    ) -> None:
        create(libvirt, 'a', vcpus=4)
        create(libvirt, 'b', transient=True)
        with pytest.raises(rtvirt.FitError) as caught:
            create(libvirt, 'c')
        assert 'a holds pCPUs 2-5' in caught.value.hint
        rtvirt.destroy_domain(libvirt.uri, 'b')
        assert state(libvirt) == {'a': 'running'}
        assert create(libvirt, 'c').is_proved

    def test_a_thread_that_was_moved_is_found(
        self, libvirt: FakeLibvirt
    ) -> None:
        create(libvirt)
        libvirt.repin('plc-1', 1, rtvirt.CPUSet([0]))
        shown = rtvirt.show_domain(libvirt.uri, 'plc-1')
        assert shown.running is not None
        (found,) = rtvirt.verify(shown.domain, shown.running.observed)
        assert (found.code, found.subject) == ('RV-T03', 'vCPU 1')

    def test_a_neighbour_that_was_moved_is_found(
        self, libvirt: FakeLibvirt
    ) -> None:
        create(libvirt, 'a')
        create(libvirt, 'b')
        libvirt.repin('b', 0, rtvirt.CPUSet([3]))
        shown = rtvirt.show_domain(libvirt.uri, 'a')
        assert shown.running is not None
        (found,) = rtvirt.verify(shown.domain, shown.running.observed)
        assert found.code.startswith('RV-X')
        rtvirt.destroy_domain(libvirt.uri, 'b')
        rtvirt.start_domain('b', settings=libvirt.settings)
        shown = rtvirt.show_domain(libvirt.uri, 'a')
        assert shown.running is not None
        assert not rtvirt.verify(shown.domain, shown.running.observed)

    def test_the_commands(
        self, libvirt: FakeLibvirt, capsys: pytest.CaptureFixture[str]
    ) -> None:
        create(libvirt)
        assert main(['domain', 'list', '--connect', libvirt.uri]) == 0
        assert '| plc-1  | running |' in capsys.readouterr().out
        at = ('--connect', libvirt.uri)
        assert main(['domain', 'verify', 'plc-1', *at]) == 0
        assert main(['domain', 'verify', '--ask-qemu', 'plc-1', *at]) == 1
        assert 'cannot ask the QEMU' in capsys.readouterr().err

    def test_several_cells(self) -> None:
        with FakeLibvirt(nps4_host()) as libvirt:
            started = create(libvirt, vcpus=8)
            assert started.is_proved
            host = rtvirt.show_domain(libvirt.uri, 'plc-1').plan
            assert host is not None
            assert host.cells[0].host_cell > 0


class TestMigration:
    def test_to_another_machine(self, libvirt: FakeLibvirt) -> None:
        create(libvirt)
        with FakeLibvirt(uri=FAR) as far:
            moved = rtvirt.migrate_domain(
                'plc-1', FAR, settings=libvirt.settings
            )
            assert state(libvirt) == {}
            assert state(far) == {'plc-1': 'running'}
            # What runs elsewhere is not seen from here.
            assert moved.host == 'far'
            assert moved.proof is None
            assert far.connection.lookupByName('plc-1').isPersistent()

    def test_one_that_does_not_get_there_stays(
        self, libvirt: FakeLibvirt
    ) -> None:
        create(libvirt)
        with FakeLibvirt(uri=FAR) as far:
            libvirt.fail('migrate3', 'operation failed: migration failed')
            with pytest.raises(rtvirt.HostError, match='migration failed'):
                rtvirt.migrate_domain('plc-1', FAR, settings=libvirt.settings)
            assert state(far) == {}
        assert state(libvirt) == {'plc-1': 'running'}


class TestFailures:
    @either_machine
    def test_a_call_fails_as_often_as_it_was_told(
        self, libvirt: FakeLibvirt
    ) -> None:
        connection = libvirt.connection
        libvirt.fail('getHostname', 'Cannot recv data: gone', code=38, times=2)
        for _ in range(2):
            with pytest.raises(libvirt.error) as caught:
                connection.getHostname()
            assert str(caught.value) == 'Cannot recv data: gone'
            assert caught.value.get_error_code() == 38  # type: ignore[attr-defined]
        assert connection.getHostname()
        libvirt.fail('getHostname', 'x', after=1, times=0)
        assert connection.getHostname()
        for _ in range(3):
            with pytest.raises(libvirt.error):
                connection.getHostname()
        libvirt.mend()
        assert connection.getHostname()

    def test_one_that_cannot_start_leaves_nothing(
        self, libvirt: FakeLibvirt
    ) -> None:
        libvirt.fail('createWithFlags', 'internal error: no QEMU')
        with pytest.raises(rtvirt.HostError, match='no QEMU'):
            create(libvirt)
        assert state(libvirt) == {}

    def test_who_does_not_answer(self, libvirt: FakeLibvirt) -> None:
        libvirt.fail('openReadOnly', 'Failed to connect socket')
        with pytest.raises(rtvirt.HostError, match='cannot connect'):
            rtvirt.list_domains(libvirt.uri)
        assert state(libvirt) == {}

    def test_a_call_that_there_is_not(self, libvirt: FakeLibvirt) -> None:
        with pytest.raises(ValueError, match='there is create'):
            libvirt.fail('craete', 'x')

    def test_what_a_call_says_is_rtvirts_to_explain(
        self, libvirt: FakeLibvirt
    ) -> None:
        libvirt.fail(
            'createWithFlags',
            'Cannot set scheduler parameters for pid 7: Operation not '
            'permitted',
        )
        with pytest.raises(rtvirt.HostError) as caught:
            create(libvirt)
        assert 'cgroup_controllers' in caught.value.hint


class TestRoom:
    HUGE = """<domain type='kvm'><name>{}</name><memory unit='GiB'>4</memory>
<memoryBacking><hugepages><page size='{}' unit='GiB'/></hugepages>
</memoryBacking><vcpu>1</vcpu>{}<os><type>hvm</type></os></domain>"""

    def test_pages_are_used_by_those_that_run(
        self, libvirt: FakeLibvirt
    ) -> None:
        to = libvirt.connection

        def free() -> int:
            return to.getFreePages([1048576], 0, 1)[0][1048576]

        domains = [to.defineXML(self.HUGE.format(n, 1, '')) for n in range(5)]
        assert free() == 16
        for number, domain in enumerate(domains[:4], 1):
            domain.create()
            assert free() == 16 - 4 * number
        with pytest.raises(libvirt.error, match='Cannot allocate memory'):
            domains[4].create()
        domains[0].destroy()
        domains[4].create()
        assert free() == 0

    @pytest.mark.parametrize(
        ('size', 'tune', 'said'),
        [
            (2, '', 'hugetlbfs mount for 2097152 KiB'),
            (
                1,
                "<cputune><vcpupin vcpu='0' cpuset='8'/></cputune>",
                'cannot set CPU affinity',
            ),
        ],
    )
    def test_what_is_not_there_cannot_be_had(
        self, libvirt: FakeLibvirt, size: int, tune: str, said: str
    ) -> None:
        domain = libvirt.connection.defineXML(
            self.HUGE.format('a', size, tune)
        )
        with pytest.raises(libvirt.error, match=said):
            domain.create()
        assert domain.state() == [5, 0]

    def test_what_others_use_is_not_free(self) -> None:
        host = edge_host()
        with FakeLibvirt(host) as libvirt:
            plan = rtvirt.fit(rtvirt.parse_guest(realtime_flavor()), host)
            used = host.claim(plan, 'other')
            assert free_gib(libvirt) == 16
        with FakeLibvirt(used) as libvirt:
            assert free_gib(libvirt) == 12


def free_gib(libvirt: FakeLibvirt) -> int:
    (cell,) = read_host(libvirt.uri).cells
    return cell.pages[-1].free


@either_machine
class TestModule:
    def test_a_program_opens_it_by_its_uri(self, libvirt: FakeLibvirt) -> None:
        module = importlib.import_module('libvirt')
        connection = module.open(libvirt.uri)
        assert connection.getURI() == libvirt.uri
        assert module.openReadOnly(None).isAlive()
        with pytest.raises(module.libvirtError) as caught:
            connection.lookupByName('nobody')
        assert caught.value.get_error_code() == module.VIR_ERR_NO_DOMAIN
        assert "'nobody'" in caught.value.get_error_message()
        assert connection.close() == 0
        with pytest.raises(module.libvirtError) as caught:
            connection.listAllDomains()
        assert caught.value.get_error_code() == module.VIR_ERR_INVALID_CONN

    def test_nobody_gets_to_a_real_one(self, libvirt: FakeLibvirt) -> None:
        module = importlib.import_module('libvirt')
        for uri in ('qemu:///session', 'test:///default'):
            with pytest.raises(module.libvirtError, match='no connection'):
                module.open(uri)

    def test_all_is_as_before_in_the_end(self) -> None:
        before = sys.modules.get('libvirt')
        functions = dict(vars(before)) if before else {}
        with FakeLibvirt(), FakeLibvirt(uri=FAR):
            module = importlib.import_module('libvirt')
            assert module.open(FAR)
            assert module.open('qemu:///system')
            assert vars(module) != functions
        assert sys.modules.get('libvirt') is before
        if before:
            assert vars(before) == functions

    def test_there_is_one_of_a_uri(self, libvirt: FakeLibvirt) -> None:
        with pytest.raises(Exception, match='already'), FakeLibvirt():
            pass
        assert state(libvirt) == {}

    def test_starts_afresh(self) -> None:
        libvirt = FakeLibvirt()
        for _ in range(2):
            with libvirt:
                create(libvirt)
                assert len(state(libvirt)) == 1


class TestStates:
    def test_what_a_guest_may_have_done(self, libvirt: FakeLibvirt) -> None:
        create(libvirt)
        libvirt.set_state('plc-1', State.CRASHED)
        assert state(libvirt) == {'plc-1': 'crashed'}
        with pytest.raises(libvirt.error):
            libvirt.set_state('nobody', 1)

    def test_passwords_are_shown_to_who_asks(
        self, libvirt: FakeLibvirt
    ) -> None:
        domain = libvirt.connection.defineXML(
            "<domain type='kvm'><name>a</name><vcpu>1</vcpu><devices>"
            "<graphics type='vnc' passwd='s3cret'/></devices></domain>"
        )
        assert 's3cret' not in domain.XMLDesc()
        assert 's3cret' in domain.XMLDesc(XMLFlag.SECURE)
