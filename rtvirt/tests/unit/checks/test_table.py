# SPDX-License-Identifier: Apache-2.0
"""The table of checks itself: what it says of each row holds."""

from __future__ import annotations

import fnmatch
import re

import pytest

from rtvirt.checks.base import Check
from rtvirt.checks.base import Profile
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import table
from rtvirt.host.facts import read_tree
from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import Tree
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.tests.guest_files import tuned_guest
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.defects import HOST_DEFECTS
from rtvirt.tests.unit.checks.plugins import PLUGINS

ROWS = table(PLUGINS)
HOST = tuned_host()
GUEST = tuned_guest()


def _one_of_each(paths: list[str]) -> list[str]:
    """Return one path of those that differ in numbers only."""
    return sorted({re.sub(r'\d+', 'N', p): p for p in paths}.values())


class _Listener:
    """A tree that notes down what it is asked for."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.asked: set[str] = set()

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        self.asked.add(path)
        return self._tree.read(path, limit)

    def names(self, path: str) -> tuple[str, ...]:
        self.asked.add(path)
        return self._tree.names(path)


@pytest.fixture(scope='module')
def asked() -> set[str]:
    """Read hosts with either version of cgroups; return what was asked."""
    newer, older = tuned_host(), tuned_host()
    newer.write('/sys/devices/system/cpu/intel_uncore_frequency/p/x', '1')
    HOST_DEFECTS['RT-B03'][0](older)
    found: set[str] = set()
    for host in (newer, older):
        listener = _Listener(host.tree())
        read_tree(listener)
        found |= listener.asked
    return found


@pytest.mark.parametrize('check', ROWS.values(), ids=list(ROWS))
def test_what_a_check_reads_is_read(check: Check, asked: set[str]) -> None:
    for reads in check.reads:
        path = reads.split()[0].removesuffix('/comm')
        assert any(
            fnmatch.fnmatch(name, path) or name.startswith(f'{path}/')
            for name in asked
        ), reads


@pytest.mark.parametrize('check', ROWS.values(), ids=list(ROWS))
def test_a_row_is_complete(check: Check) -> None:
    assert re.fullmatch(r'RT-[A-HNVX]\d\d', check.code)
    assert check.profiles
    assert check.reads
    assert len(re.findall(r'\.(?= |$)', check.why)) == 2, check.why
    for text in (check.title, check.expected, check.mend, check.source):
        assert text
        assert text == text.strip()
        assert not text.endswith('.')


def test_titles_are_distinct() -> None:
    titles = [check.title for check in ROWS.values()]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize('path', _one_of_each(list(HOST.files)))
def test_a_file_that_cannot_be_read_gives_no_no(path: str) -> None:
    """Nor does it give a yes where the check is about that very file."""
    host = tuned_host()
    host.forbid(path)
    assert [
        finding
        for finding in run_checks(host.facts(), PLUGINS)
        if not finding.is_undecided
    ] == []


@pytest.mark.parametrize('path', _one_of_each(list(GUEST.files)))
def test_inside_a_guest_neither(path: str) -> None:
    guest = tuned_guest()
    guest.forbid(path)
    findings = run_checks(guest.facts(), PLUGINS, profile=Profile.GUEST)
    assert all(finding.is_undecided for finding in findings)


@pytest.mark.parametrize(
    ('path', 'code'),
    [
        ('/proc/cmdline', 'RT-C04'),
        ('/proc/misc', 'RT-A01'),
        ('/proc/sys/kernel/sched_rt_runtime_us', 'RT-B04'),
        ('/sys/devices/system/cpu/nohz_full', 'RT-C03'),
        ('/sys/devices/system/cpu/online', 'RT-C10'),
        ('/etc/nova/nova.conf', 'RT-H05'),
        ('/etc/tuned/realtime-virtual-host-variables.conf', 'RT-C07'),
        ('/run/libvirt/qemu/rt1.xml', 'RT-H04'),
        ('/proc/interrupts', 'RT-D02'),
        ('/dev/kmsg', 'RT-H03'),
    ],
)
def test_what_cannot_be_read_is_undecided(path: str, code: str) -> None:
    host = tuned_host()
    host.forbid(path)
    found = {f.code: f for f in run_checks(host.facts(), PLUGINS)}
    assert found[code].is_undecided
    assert 'Permission denied' in found[code].actual


def test_severities_are_in_order() -> None:
    ranks = [severity.rank for severity in Severity]
    assert ranks == sorted(ranks) == [0, 1, 2, 3]
