# SPDX-License-Identifier: Apache-2.0
"""Fixtures for the unit tests of programs that use rtvirt.

Nothing here needs root, libvirt, nova or a real-time kernel. In a test case
of the ``fixtures`` or ``testtools`` family::

    class TestScheduler(testtools.TestCase):
        def test_guests_keep_apart(self):
            host = self.useFixture(FakeHost())
            one = host.place(realtime_flavor(vcpus=2))
            other = host.place(realtime_flavor(vcpus=2))
            self.assertFalse(one.claimed & other.claimed)

Every fixture is a context manager too:

>>> with FakeHost(edge_host(dedicated='2-5')) as host:
...     plan = host.place(realtime_flavor(), name='plc-1')
...     print(plan.claimed, 'taken,', host.free or 'none', 'free')
...     host.remove('plc-1')
...     print(host.free, 'free')
2-5 taken, none free
2-5 free

A test for pytest imports nothing: see :mod:`rtvirt.pytest_plugin`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree

import rtvirt

try:
    import fixtures
except ImportError as error:
    raise ImportError(
        'rtvirt.testing needs fixtures: pip install rtvirt[testing]'
    ) from error


def realtime_flavor(
    *,
    name: str = 'rt1.small',
    vcpus: int = 4,
    memory_mib: int = 4096,
    extra_specs: Mapping[str, str | None] | None = None,
) -> rtvirt.Flavor:
    """Return a flavor of a guest whose second half of vCPUs is real-time.

    Without arguments it is the sample flavor ``rt1.small``: 4 vCPUs with a
    pCPU each, 4 GiB in pages of 1 GiB.

    :param extra_specs: put over those there are; None takes one away.

    >>> flavor = realtime_flavor(
    ...     extra_specs={
    ...         'hw:cpu_realtime_mask': None,
    ...         'hw:emulator_threads_policy': 'isolate',
    ...     }
    ... )
    >>> str(rtvirt.parse_guest(flavor).realtime)
    '0-3'
    """
    specs: dict[str, str | None] = {
        'hw:cpu_policy': 'dedicated',
        'hw:cpu_realtime': 'yes',
        'hw:cpu_realtime_mask': f'^0-{vcpus // 2 - 1}',
        'hw:mem_page_size': '1GB',
        **(extra_specs or {}),
    }
    return rtvirt.Flavor(
        name=name,
        vcpus=vcpus,
        memory_mib=memory_mib,
        disk_gib=20,
        extra_specs={k: v for k, v in specs.items() if v is not None},
    )


def edge_host(*, dedicated: str = '2-7') -> rtvirt.HostTopology:
    """Return a small server: one socket, 8 cores without SMT.

    It has 32 GiB, of which sixteen pages of 1 GiB; one L3 cache.

    :param dedicated: pCPUs for dedicated vCPUs; the others are shared.
    """
    return _host(dedicated, cells=1)


def nps4_host(*, dedicated: str = '8-63,72-127') -> rtvirt.HostTopology:
    """Return a large server: 8 cells of 8 cores with SMT, 2 L3 caches each.

    Each cell has 32 GiB, of which sixteen pages of 1 GiB. pCPU ``n`` and
    pCPU ``n + 64`` are siblings.

    :param dedicated: pCPUs for dedicated vCPUs; the others, by default the
        cores of cell 0, are shared.
    """
    return _host(dedicated, cells=8, threads=2, l3_per_cell=2)


def _host(
    dedicated: str, *, cells: int, threads: int = 1, l3_per_cell: int = 1
) -> rtvirt.HostTopology:
    cores = 8
    taken = rtvirt.CPUSet.parse(dedicated)
    every = rtvirt.CPUSet(range(cells * cores * threads))
    return rtvirt.HostTopology.uniform(
        cells=cells,
        cores=cores,
        threads=threads,
        l3_per_cell=l3_per_cell,
        memory_mib=32768,
        pages={1048576: 16},
        dedicated=taken,
        shared=every - taken,
    )


class FakeHost(fixtures.Fixture):
    """A host that guests come to and leave, for as long as a test lasts.

    It takes guests as a real one does: a guest that does not fit raises
    :exc:`rtvirt.FitError` with the reasons, and what one guest holds no
    other gets.

    :ivar topology: the host as it is now.
    :param topology: the host as it is at first; None is
        :func:`edge_host`.
    """

    topology: rtvirt.HostTopology

    def __init__(self, topology: rtvirt.HostTopology | None = None) -> None:
        super().__init__()
        self._first = edge_host() if topology is None else topology

    def _setUp(self) -> None:  # noqa: N802 - the name that fixtures calls
        self.topology = self._first
        self._plans: dict[str, rtvirt.Plan] = {}

    @property
    def plans(self) -> Mapping[str, rtvirt.Plan]:
        """The guests that are here, by name."""
        return MappingProxyType(self._plans)

    @property
    def free(self) -> rtvirt.CPUSet:
        """The dedicated pCPUs that nobody holds."""
        mask = 0
        for cell in self.topology.cells:
            mask |= cell.free.mask
        return rtvirt.CPUSet.from_mask(mask)

    def place(
        self,
        guest: rtvirt.Flavor | rtvirt.GuestRequirement,
        name: str = '',
        **terms: Any,
    ) -> rtvirt.Plan:
        """Plan a guest and let it take what the plan says.

        :param name: what to call the guest; by default ``guest-1`` and so
            on.
        :param terms: those of :func:`rtvirt.fit`, as in ``strategy='pack'``.
        :raises ExtraSpecError: if the flavor asks for nonsense.
        :raises FitError: if the guest does not fit, or the name is taken.
        """
        if isinstance(guest, rtvirt.Flavor):
            guest = rtvirt.parse_guest(guest)
        name = name or self._next_name()
        plan = rtvirt.fit(guest, self.topology, **terms)
        self.topology = self.topology.claim(plan, name)
        self._plans[name] = plan
        return plan

    def domain_xml(self, name: str, **options: Any) -> str:
        """Return the domain XML of a guest, as libvirt would be given it.

        :param options: those of :func:`rtvirt.domain_xml`.
        :raises KeyError: if no guest has that name.
        """
        return rtvirt.domain_xml(self._plans[name], name=name, **options)

    def remove(self, name: str) -> None:
        """Take a guest away: what it held is free again.

        :raises KeyError: if no guest has that name.
        """
        self.topology = self.topology.release(self._plans[name], name)
        del self._plans[name]

    def _next_name(self) -> str:
        number = 1
        while f'guest-{number}' in self._plans:
            number += 1
        return f'guest-{number}'


class DomainFile(fixtures.Fixture):
    """A file that holds the XML of a planned domain.

    :ivar path: the file; it goes when the test ends.
    :param options: those of :func:`rtvirt.domain_xml`.

    >>> plan = rtvirt.fit(rtvirt.parse_guest(realtime_flavor()), edge_host())
    >>> with DomainFile(plan, name='plc-1') as file:
    ...     rtvirt.parse_domain(file.path.read_bytes()).name
    'plc-1'
    """

    path: Path

    def __init__(
        self, plan: rtvirt.Plan, *, name: str = 'guest', **options: Any
    ) -> None:
        super().__init__()
        self._text = rtvirt.domain_xml(plan, name=name, **options)

    def _setUp(self) -> None:  # noqa: N802 - the name that fixtures calls
        directory = self.useFixture(fixtures.TempDir())
        self.path = Path(directory.path, 'domain.xml')
        self.path.write_text(self._text, encoding='utf-8')


def assert_same_domain(actual: str | bytes, expected: str | bytes) -> None:
    """Fail unless two domain documents say the same.

    The order of attributes and white space between elements do not count.
    The failure shows the lines that differ:

    >>> with FakeHost() as host:
    ...     _ = host.place(realtime_flavor(), name='plc-1')
    ...     xml = host.domain_xml('plc-1')
    >>> assert_same_domain(xml, xml.replace("priority='1'", "priority='9'"))
    Traceback (most recent call last):
    ...
    AssertionError: the domains differ, - expected, + actual:
    @@ cputune @@
    -    <vcpusched priority="9" scheduler="fifo" vcpus="2-3" />
    +    <vcpusched priority="1" scheduler="fifo" vcpus="2-3" />

    :raises DomainXMLError: if one of them is no domain.
    """
    wanted, found = _lines(expected), _lines(actual)
    if found == wanted:
        return
    matcher = difflib.SequenceMatcher(None, wanted, found, autojunk=False)
    shown = ['the domains differ, - expected, + actual:']
    for kind, low, high, start, end in matcher.get_opcodes():
        if kind != 'equal':
            shown.append(f'@@ {_parent(wanted, low)} @@')
            shown += [f'-{line}' for line in wanted[low:high]]
            shown += [f'+{line}' for line in found[start:end]]
    raise AssertionError('\n'.join(shown))


def _lines(document: str | bytes) -> list[str]:
    # Refuses what is no domain, and entities.
    rtvirt.parse_domain(document)
    root = ElementTree.fromstring(  # noqa: S314 - it has none
        ElementTree.canonicalize(document, strip_text=True)
    )
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding='unicode').splitlines()


def _parent(lines: list[str], number: int) -> str:
    """Return the name of the element that a line is in."""
    depth = _depth(lines[min(number, len(lines) - 1)])
    for line in reversed(lines[:number]):
        if _depth(line) < depth:
            return line.strip(' </>').split(' ')[0]
    return 'domain'


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
