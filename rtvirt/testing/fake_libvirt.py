# SPDX-License-Identifier: Apache-2.0
"""A host's libvirt that does not exist, with domains."""

from __future__ import annotations

import dataclasses
import difflib
import sys
from collections.abc import Mapping
from typing import Any
from typing import Final
from urllib.parse import urlsplit

import fixtures

import rtvirt
from rtvirt.host.facts.tree import MappingTree
from rtvirt.testing.call import CALLS
from rtvirt.testing.connection import FakeConnection
from rtvirt.testing.domain import FakeDomain
from rtvirt.testing.driver import Driver
from rtvirt.testing.driver import Fault
from rtvirt.testing.libvirt_error import load_module
from rtvirt.testing.libvirt_error import refusal
from rtvirt.testing.libvirt_names import ErrorCode
from rtvirt.testing.process import process_tree
from rtvirt.testing.sample import edge_host

_MONITOR: Final = 'rtvirt.host.identity.ask_monitor'
_TREE: Final = 'rtvirt.host.running.DirectoryTree'

_present: Final[dict[str, FakeLibvirt]] = {}
"""Those that are in use, by their URI."""


class FakeLibvirt(fixtures.Fixture):
    """A libvirt with domains on a host, neither of which exists.

    As long as it is in use ``libvirt.open()`` and ``openReadOnly()`` give
    connections to it, and to nobody else: whatever takes a URI (rtvirt's
    own functions and commands, or the program under test) takes ``uri``.

    >>> with FakeLibvirt() as libvirt:
    ...     started = rtvirt.create_domain(
    ...         rtvirt.parse_guest(realtime_flavor()),
    ...         lambda plan: rtvirt.domain_xml(plan, name='plc-1'),
    ...         settings=libvirt.settings,
    ...     )
    ...     (domain,) = rtvirt.list_domains(libvirt.uri)
    ...     print(domain.name, domain.state, domain.cpus, started.findings)
    plc-1 running 2-5 ()

    **What may be relied on.** Domains are defined, started (paused, too),
    suspended, resumed, ended, undefined, migrated and looked up with the
    states, reasons and error codes of libvirt's QEMU driver. A document
    comes back as it was given, with a ``<uuid>``, and with an ``id`` while
    it runs; one defined anew meanwhile counts from the next start on. The
    capabilities are the host's. Running domains use huge pages, and one
    that finds too few, or is pinned to pCPUs that are not there, does not
    start. The kernel shows the threads and the memory of those that run as
    their documents say, so that :func:`rtvirt.verify` finds them as
    planned, or not, after :meth:`repin`.

    **What is left out.** Documents are not held against libvirt's schema,
    nor completed with addresses and defaults; no image, network or device
    is looked for; a guest that is to shut down does so at once; there are
    no events, jobs, snapshots, networks and pools (AttributeError). For
    these take libvirt's own test driver (``test:///default``), which starts
    no domain paused, or a real libvirt.

    :ivar connection: a ``libvirt.virConnect`` that may write.
    :ivar settings: what rtvirt's functions take: the URI, the sets of pCPUs
        and a directory for the lock.
    :ivar error: ``libvirt.libvirtError``; a stand-in where
        ``libvirt-python`` is not installed. Then ``import libvirt`` gives a
        stand-in, too, as long as this is in use.
    :param topology: the host; None is :func:`edge_host`. Pages that are
        used there are used by others.
    :param uri: of this libvirt. Several can be in use at a time. The
        processes of a URI that names another machine
        (``qemu+ssh://b/system``) are not to be seen from this one.
    """

    connection: FakeConnection
    settings: rtvirt.Settings
    error: type[Exception]

    def __init__(
        self,
        topology: rtvirt.HostTopology | None = None,
        *,
        uri: str = 'qemu:///system',
    ) -> None:
        super().__init__()
        self.topology = edge_host() if topology is None else topology
        self.uri = uri
        self._hostname = (
            self.topology.name or urlsplit(uri).hostname or 'edge.example'
        )

    def _setUp(self) -> None:  # noqa: N802 - the name that fixtures calls
        if self.uri in _present:
            raise ValueError(f'there is a libvirt at {self.uri} already')
        module, is_real = load_module()
        if not is_real:
            self._patch_module(module)
        for name, function in _OPENING.items():
            self.useFixture(fixtures.MonkeyPatch(f'libvirt.{name}', function))
        self.useFixture(fixtures.MonkeyPatch(_MONITOR, _refuse_monitor))
        self.useFixture(fixtures.MonkeyPatch(_TREE, _local_processes))
        self._driver = Driver(self.topology)
        self.connection = self._connect(read_only=False)
        self.error = module.libvirtError
        self.settings = self._deal()
        _present[self.uri] = self
        self.addCleanup(_present.pop, self.uri)

    def _patch_module(self, module: Any) -> None:
        before = dict(sys.modules)
        sys.modules['libvirt'] = module
        self.addCleanup(_restore, before)

    def _deal(self) -> rtvirt.Settings:
        cells = self.topology.cells
        dedicated = {cpu for cell in cells for cpu in cell.dedicated}
        shared = {cpu for cell in cells for cpu in cell.shared}
        settings = rtvirt.Settings(
            connection_uri=self.uri,
            lock_path=self.useFixture(fixtures.TempDir()).path,
        )
        if dedicated == shared:
            return settings
        return dataclasses.replace(
            settings,
            cpu_dedicated_set=rtvirt.CPUSet(dedicated),
            cpu_shared_set=rtvirt.CPUSet(shared),
        )

    def _connect(self, *, read_only: bool) -> FakeConnection:
        return FakeConnection(
            self._driver, self.uri, self._hostname, read_only=read_only
        )

    def fail(
        self,
        call: str,
        message: str,
        *,
        code: int = ErrorCode.INTERNAL_ERROR,
        after: int = 0,
        times: int = 1,
    ) -> None:
        """Let the next calls of a name fail.

        >>> with FakeLibvirt() as libvirt:
        ...     libvirt.fail('getCapabilities', 'Cannot recv data: gone')
        ...     rtvirt.list_domains(libvirt.uri)
        Traceback (most recent call last):
        ...
        rtvirt.exception.HostError: cannot read the host: ...

        :param call: the name of a method of ``libvirt.virConnect`` or
            ``virDomain``, or ``open``.
        :param message: all of what libvirt is to say.
        :param code: one of ``libvirt.VIR_ERR_*``.
        :param after: how many calls go well before.
        :param times: how many calls fail; 0 means all from there on.
        :raises ValueError: if there is no such call.
        """
        known = CALLS | {*_OPENING}
        if call not in known:
            near = difflib.get_close_matches(call, known, 3)
            raise ValueError(
                f'there is no call {call!r} to fail'
                + (f'; there is {", ".join(near)}' if near else '')
            )
        self._driver.faults[call] = Fault(message, code, after, times)

    def mend(self) -> None:
        """Let no call fail any more."""
        self._driver.faults.clear()

    def set_state(self, name: str, state: int, reason: int = 0) -> None:
        """Say of a domain what its guest or libvirt may have done.

        :param state: one of ``libvirt.VIR_DOMAIN_*``, as in
            ``VIR_DOMAIN_CRASHED``.
        :param reason: as in ``VIR_DOMAIN_PAUSED_STARTING_UP``.
        :raises libvirt.libvirtError: if there is no such domain.
        """
        with self._driver.lock:
            self._driver.find_name(name).state = int(state), int(reason)

    def repin(self, name: str, vcpu: int, cpus: rtvirt.CPUSet) -> None:
        """Move the thread of a vCPU behind libvirt's back (``taskset``).

        :raises libvirt.libvirtError: if there is no such domain.
        """
        with self._driver.lock:
            record = self._driver.find_name(name)
            record.moved[vcpu] = cpus


def _open(uri: str | None = None) -> FakeConnection:
    return _find(uri, 'open')._connect(read_only=False)


def _open_read_only(uri: str | None = None) -> FakeConnection:
    return _find(uri, 'openReadOnly')._connect(read_only=True)


def _refuse_monitor(_domain: FakeDomain, _command: str) -> str:
    """There is no QEMU to be asked."""
    raise refusal(ErrorCode.NO_SUPPORT, 'virDomainQemuMonitorCommand')


def _find(uri: str | None, call: str) -> FakeLibvirt:
    """Return the libvirt of a URI; None means the one that there is.

    :raises libvirt.libvirtError: if there is none: a unit test does not
        get to a real one by mistake.
    """
    found = _present.get(uri or next(iter(_present)))
    if found is None:
        raise refusal(ErrorCode.NO_CONNECT, str(uri))
    found._driver.require_luck(call)
    return found


def _local_processes() -> MappingTree:
    """Return this machine's processes, instead of its files."""
    return process_tree(
        one._driver
        for one in _present.values()
        if not urlsplit(one.uri).hostname
    )


_OPENING: Final = {'open': _open, 'openReadOnly': _open_read_only}


def _restore(before: Mapping[str, Any]) -> None:
    """Let ``import libvirt`` do what it did before."""
    del sys.modules['libvirt']
    if 'libvirt' in before:
        sys.modules['libvirt'] = before['libvirt']
