# SPDX-License-Identifier: Apache-2.0
"""The public fixtures, used as another project's tests would use them."""

import doctest
import os
import subprocess
import sys
from pathlib import Path

import fixtures
import pytest
import yaml

import rtvirt
from rtvirt import pytest_plugin
from rtvirt import testing
from rtvirt.testing import DomainFile
from rtvirt.testing import FakeHost
from rtvirt.testing import assert_same_domain
from rtvirt.testing import edge_host
from rtvirt.testing import nps4_host
from rtvirt.testing import realtime_flavor

ROOT = Path(rtvirt.__file__).parent.parent


@pytest.mark.parametrize(
    'name', ['', 'capabilities', 'document', 'fake_libvirt', 'sample']
)
def test_the_examples_do_as_they_say(name: str) -> None:
    module = getattr(testing, name) if name else testing
    failed, tried = doctest.testmod(
        module,
        extraglobs=vars(testing),
        optionflags=doctest.ELLIPSIS,
    )
    assert tried
    assert failed == 0


class TestFlavor:
    def test_is_the_sample_of_the_tutorial(self) -> None:
        sample = ROOT / 'etc/rtvirt/flavors/rt1.small.yaml'
        flavor = rtvirt.Flavor.from_dict(yaml.safe_load(sample.read_text()))
        assert realtime_flavor().disk_gib == flavor.disk_gib
        assert rtvirt.parse_guest(realtime_flavor()) == rtvirt.parse_guest(
            flavor
        )

    @pytest.mark.parametrize('vcpus', [2, 3, 8])
    def test_the_second_half_is_realtime(self, vcpus: int) -> None:
        guest = rtvirt.parse_guest(realtime_flavor(vcpus=vcpus))
        assert guest.realtime == set(range(vcpus // 2, vcpus))

    def test_extra_specs_go_over_the_sample(self) -> None:
        flavor = realtime_flavor(
            name='x',
            vcpus=2,
            memory_mib=1024,
            extra_specs={
                'hw:cpu_realtime_mask': '^0',
                'hw:mem_page_size': None,
            },
        )
        assert (flavor.name, flavor.vcpus, flavor.memory_mib) == ('x', 2, 1024)
        assert flavor.extra_specs['hw:cpu_realtime_mask'] == '^0'
        assert 'hw:mem_page_size' not in flavor.extra_specs


class TestHosts:
    def test_edge_host(self) -> None:
        (cell,) = edge_host().cells
        assert str(cell.dedicated) == '2-7'
        assert str(cell.shared) == '0-1'
        assert [str(core) for core in cell.siblings] == list('01234567')

    def test_nps4_host(self) -> None:
        host = nps4_host()
        assert len(host.cells) == 8
        assert str(host.cells[1].cpus) == '8-15,72-79'
        assert [str(cache) for cache in host.cells[1].l3] == [
            '8-11,72-75',
            '12-15,76-79',
        ]
        assert host.cells[0].shared == host.cells[0].cpus
        assert not host.cells[1].shared

    def test_takes_another_dedicated_set(self) -> None:
        assert str(edge_host(dedicated='4').cells[0].shared) == '0-3,5-7'


class TestFakeHost:
    def test_what_one_guest_holds_no_other_gets(self) -> None:
        with FakeHost() as host:
            one = host.place(realtime_flavor(), name='one')
            assert host.free == rtvirt.CPUSet.parse('2-7') - one.claimed
            with pytest.raises(rtvirt.FitError) as caught:
                host.place(realtime_flavor())
            assert caught.value.reasons
            assert host.plans == {'one': one}
            host.remove('one')
            assert host.topology == edge_host()
            assert host.place(realtime_flavor()) == one

    def test_takes_a_requirement_and_the_terms_of_fit(self) -> None:
        guest = rtvirt.parse_guest(realtime_flavor(vcpus=2))
        with FakeHost(nps4_host()) as host:
            plans = [host.place(guest, strategy='pack') for _ in range(2)]
            cells = {plan.cells[0].host_cell for plan in plans}
            assert len(cells) == 1
            assert list(host.plans) == ['guest-1', 'guest-2']

    def test_names_are_given_again_when_they_are_free(self) -> None:
        with FakeHost(nps4_host()) as host:
            for _ in range(3):
                host.place(realtime_flavor())
            host.remove('guest-2')
            host.place(realtime_flavor())
            assert sorted(host.plans) == ['guest-1', 'guest-2', 'guest-3']

    def test_knows_its_guests_only(self) -> None:
        with FakeHost() as host, pytest.raises(KeyError, match='nobody'):
            host.remove('nobody')

    def test_a_name_is_taken_once(self) -> None:
        with FakeHost(nps4_host()) as host:
            first = host.place(realtime_flavor(), name='a')
            with pytest.raises(rtvirt.FitError):
                host.place(realtime_flavor(), name='a')
            assert host.plans == {'a': first}

    def test_a_wrong_flavor_changes_nothing(self) -> None:
        wrong = realtime_flavor(extra_specs={'hw:cpu_realtime_mask': '9'})
        with FakeHost() as host:
            with pytest.raises(rtvirt.ExtraSpecError):
                host.place(wrong)
            assert host.topology == edge_host()

    def test_the_plans_are_to_be_read(self) -> None:
        with FakeHost() as host, pytest.raises(TypeError):
            host.plans['x'] = 1  # type: ignore[index]

    def test_starts_afresh(self) -> None:
        host = FakeHost()
        for _ in range(2):
            with host:
                host.place(realtime_flavor())
                assert len(host.plans) == 1


class TestDomainFile:
    def test_is_there_as_long_as_the_fixture_is(self) -> None:
        with FakeHost() as host:
            plan = host.place(realtime_flavor())
        with DomainFile(plan, name='plc-1', virt_type='qemu') as file:
            domain = rtvirt.parse_domain(file.path.read_bytes())
            assert (domain.name, domain.virt_type) == ('plc-1', 'qemu')
        assert not file.path.exists()


class TestSameDomain:
    XML = "<domain type='kvm'><name>a</name><vcpu>2</vcpu></domain>"

    def test_white_space_and_the_order_of_attributes_do_not_count(
        self,
    ) -> None:
        one = "<domain type='kvm' id='1'><name>a</name></domain>"
        assert_same_domain(
            b'<domain id="1" type="kvm">\n  <name>a</name>\n</domain>', one
        )

    @pytest.mark.parametrize(
        ('old', 'new', 'shown'),
        [
            ('>2<', '>3<', ['-  <vcpu>3</vcpu>', '+  <vcpu>2</vcpu>']),
            ('<vcpu>2</vcpu>', '', ['+  <vcpu>2</vcpu>']),
            ('<vcpu', '<title>b</title><vcpu', ['-  <title>b</title>']),
        ],
    )
    def test_shows_what_differs_and_nothing_else(
        self, old: str, new: str, shown: list[str]
    ) -> None:
        with pytest.raises(AssertionError) as caught:
            assert_same_domain(self.XML, self.XML.replace(old, new))
        assert str(caught.value).splitlines()[1:] == ['@@ domain @@', *shown]

    def test_takes_domains_only(self) -> None:
        with pytest.raises(rtvirt.DomainXMLError):
            assert_same_domain('<network/>', '<network/>')

    def test_the_xml_of_a_guest(self) -> None:
        with FakeHost() as host:
            plan = host.place(realtime_flavor(), name='a')
            xml = host.domain_xml('a')
            assert_same_domain(xml, rtvirt.domain_xml(plan, name='a'))
            with pytest.raises(KeyError, match='nobody'):
                host.domain_xml('nobody')


class TestWithFixtures(fixtures.TestWithFixtures):
    def test_serves_test_cases_of_the_fixtures_family(self) -> None:
        host = self.useFixture(FakeHost())
        one = host.place(realtime_flavor(vcpus=2))
        other = host.place(realtime_flavor(vcpus=2))
        assert not one.claimed & other.claimed


DOWNSTREAM = """
import pytest
import rtvirt.testing

def test_guests_keep_apart(rtvirt_host, rtvirt_flavor):
    one = rtvirt_host.place(rtvirt_flavor(vcpus=2))
    other = rtvirt_host.place(rtvirt_flavor(vcpus=2))
    assert not one.claimed & other.claimed

def test_starts_without_guests(rtvirt_host, rtvirt_topology):
    assert rtvirt_host.topology == rtvirt_topology
    assert rtvirt_host.topology == rtvirt.testing.edge_host()

def test_writes_domains(rtvirt_host, rtvirt_flavor, rtvirt_domain_file):
    for name in ('plc-1', 'plc-2'):
        plan = rtvirt_host.place(rtvirt_flavor(vcpus=2))
        path = rtvirt_domain_file(plan, name=name)
        assert rtvirt.parse_domain(path.read_bytes()).name == name
    assert len(list(path.parent.iterdir())) == 2

def test_runs_domains(rtvirt_libvirt, rtvirt_flavor):
    rtvirt.create_domain(
        rtvirt.parse_guest(rtvirt_flavor()),
        lambda plan: rtvirt.domain_xml(plan, name='plc-1'),
        settings=rtvirt_libvirt.settings,
    )
    (domain,) = rtvirt.list_domains(rtvirt_libvirt.uri)
    assert domain.state == 'running'

class TestLarge:
    @pytest.fixture
    def rtvirt_topology(self):
        return rtvirt.testing.nps4_host()

    def test_the_host_can_be_another(self, rtvirt_host):
        assert len(rtvirt_host.topology.cells) == 8
"""


def test_serves_pytest(tmp_path: Path) -> None:
    (tmp_path / 'test_downstream.py').write_text(DOWNSTREAM)
    done = subprocess.run(
        [
            *(sys.executable, '-m', 'pytest', '-q', '-W', 'error'),
            *('-p', pytest_plugin.__name__, '-p', 'no:cacheprovider'),
            *('--rootdir', str(tmp_path), str(tmp_path)),
        ],
        cwd=ROOT,
        # Else an installed rtvirt would bring the plug-in a second time.
        env={**os.environ, 'PYTEST_DISABLE_PLUGIN_AUTOLOAD': '1'},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '5 passed' in done.stdout


def test_the_plugin_is_harmless_where_it_is_not_used() -> None:
    code = (
        'import pytest, sys; before = set(sys.modules);'
        'import rtvirt.pytest_plugin;'
        'print(*(set(sys.modules) - before))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {'rtvirt', 'rtvirt.pytest_plugin'}
