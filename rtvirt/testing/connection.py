# SPDX-License-Identifier: Apache-2.0
"""Connections, with the methods of ``libvirt.virConnect``."""

from __future__ import annotations

import uuid
from typing import Final

from rtvirt.testing.call import answers
from rtvirt.testing.call import require_flags
from rtvirt.testing.domain import START_FLAGS
from rtvirt.testing.domain import FakeDomain
from rtvirt.testing.driver import Driver
from rtvirt.testing.driver import Record
from rtvirt.testing.driver import read_uuid
from rtvirt.testing.libvirt_error import refusal
from rtvirt.testing.libvirt_names import DefineFlag
from rtvirt.testing.libvirt_names import ErrorCode
from rtvirt.testing.libvirt_names import ListFlag
from rtvirt.testing.libvirt_names import StartFlag
from rtvirt.testing.libvirt_names import State

_LIBVIRT: Final = 9000000
_QEMU: Final = 7002000
_MHZ: Final = 2400
_STATES: Final = {
    State.RUNNING: ListFlag.RUNNING,
    State.PAUSED: ListFlag.PAUSED,
    State.SHUTOFF: ListFlag.SHUTOFF,
}
_GROUPS: Final = (
    ListFlag.ACTIVE | ListFlag.INACTIVE,
    ListFlag.PERSISTENT | ListFlag.TRANSIENT,
    ListFlag.RUNNING | ListFlag.PAUSED | ListFlag.SHUTOFF | ListFlag.OTHER,
)


class FakeConnection:
    """A connection to a :class:`FakeLibvirt`, as a ``libvirt.virConnect``.

    Its methods are those of ``libvirt-python``.

    :ivar driver: what it is connected to.
    :ivar is_open: whether it was not closed.
    """

    def __init__(
        self, driver: Driver, uri: str, hostname: str, *, read_only: bool
    ) -> None:
        self.driver = driver
        self.is_open = True
        self.is_read_only = read_only
        self._uri = uri
        self._hostname = hostname

    @property
    def link(self) -> FakeConnection:
        """Itself, on which its calls depend."""
        return self

    @property
    def cpu_count(self) -> int:
        """How long a map of pCPUs is."""
        cells = self.driver.host.cells
        return 1 + max((max(c.cpus) for c in cells if c.cpus), default=-1)

    def _handle(self, record: Record) -> FakeDomain:
        return FakeDomain(self, record)

    # The connection itself.

    def close(self) -> int:
        self.is_open = False
        return 0

    @answers()
    def isAlive(self) -> int:
        return 1

    @answers()
    def isEncrypted(self) -> int:
        return 0

    @answers()
    def isSecure(self) -> int:
        return 1

    @answers()
    def setKeepAlive(self, interval: int, count: int) -> int:
        return 0

    @answers()
    def getURI(self) -> str:
        return self._uri

    @answers()
    def getType(self) -> str:
        return 'QEMU'

    @answers()
    def getVersion(self) -> int:
        return _QEMU

    @answers()
    def getLibVersion(self) -> int:
        return _LIBVIRT

    # The host.

    @answers()
    def getHostname(self) -> str:
        return self._hostname

    @answers()
    def getCapabilities(self) -> str:
        return self.driver.capabilities

    @answers()
    def getSysinfo(self, flags: int = 0) -> str:
        return (
            "<sysinfo type='smbios'><system>"
            "<entry name='product'>rtvirt.testing</entry>"
            '</system></sysinfo>\n'
        )

    @answers()
    def getInfo(self) -> list[str | int]:
        cells = self.driver.host.cells
        cores = [core for cell in cells for core in cell.siblings]
        threads = max((len(core) for core in cores), default=1)
        sockets = {cell.socket for cell in cells}
        # Per node and package; what libvirt says of a regular host.
        per_socket = max(1, len(cores) // max(1, len(cells)))
        return [
            'x86_64',
            sum(cell.memory_mib for cell in cells),
            sum(len(core) for core in cores),
            _MHZ,
            len(cells),
            max(1, len(sockets) // max(1, len(cells))),
            per_socket,
            threads,
        ]

    @answers()
    def getCPUMap(self, flags: int = 0) -> tuple[int, list[bool], int]:
        online = {c for cell in self.driver.host.cells for c in cell.cpus}
        count = self.cpu_count
        return count, [c in online for c in range(count)], len(online)

    @answers()
    def getMaxVcpus(self, type: str | None) -> int:
        return 255

    @answers()
    def getFreePages(
        self,
        pages: list[int],
        startcell: int,
        maxcells: int,
        flags: int = 0,
    ) -> dict[int, dict[int, int]]:
        ids = [cell.id for cell in self.driver.host.cells]
        if startcell not in ids:
            raise refusal(
                ErrorCode.INVALID_ARG,
                f'start cell {startcell} out of range '
                f'(0-{max(ids, default=0)})',
            )
        found: dict[int, dict[int, int]] = {}
        for cell in [i for i in ids if i >= startcell][:maxcells]:
            for size in pages:
                free = self.driver.free_pages(cell, size)
                if free is None:
                    raise refusal(
                        ErrorCode.OPERATION_FAILED,
                        f'page size {size} is not available on node {cell}',
                    )
                found.setdefault(cell, {})[size] = free
        return found

    # Its domains.

    @answers()
    def listAllDomains(self, flags: int = 0) -> list[FakeDomain]:
        return [
            self._handle(record)
            for record in self.driver.records.values()
            if _is_listed(record, flags)
        ]

    @answers()
    def listDomainsID(self) -> list[int]:
        records = self.driver.records.values()
        return [one.id for one in records if one.live is not None]

    @answers()
    def listDefinedDomains(self) -> list[str]:
        records = self.driver.records.values()
        return [one.name for one in records if one.live is None]

    @answers()
    def numOfDomains(self) -> int:
        records = self.driver.records.values()
        return sum(one.live is not None for one in records)

    @answers()
    def numOfDefinedDomains(self) -> int:
        records = self.driver.records.values()
        return sum(one.live is None for one in records)

    @answers()
    def lookupByName(self, name: str) -> FakeDomain:
        return self._handle(self.driver.find_name(name))

    @answers()
    def lookupByUUIDString(self, uuidstr: str) -> FakeDomain:
        known = read_uuid(uuidstr)
        if known is None:
            raise refusal(ErrorCode.INVALID_ARG, 'Invalid UUID')
        return self._handle(self.driver.find(known))

    @answers()
    def lookupByUUID(self, uuid_bytes: bytes) -> FakeDomain:
        known = str(uuid.UUID(bytes=uuid_bytes))
        return self._handle(self.driver.find(known))

    @answers()
    def lookupByID(self, id: int) -> FakeDomain:
        for record in self.driver.records.values():
            if record.live is not None and record.id == id:
                return self._handle(record)
        raise refusal(ErrorCode.NO_DOMAIN, f'no domain with matching id {id}')

    @answers(writes=True)
    def defineXML(self, xml: str) -> FakeDomain:
        return self._handle(self.driver.define(xml))

    @answers(writes=True)
    def defineXMLFlags(self, xml: str, flags: int = 0) -> FakeDomain:
        known = int(DefineFlag.VALIDATE)
        require_flags(flags, known, 'qemuDomainDefineXMLFlags')
        return self._handle(self.driver.define(xml))

    @answers(writes=True)
    def createXML(self, xmlDesc: str, flags: int = 0) -> FakeDomain:  # noqa: N803
        require_flags(flags, START_FLAGS, 'qemuDomainCreateXML')
        paused = bool(flags & StartFlag.PAUSED)
        return self._handle(self.driver.create(xmlDesc, paused=paused))


def _is_listed(record: Record, flags: int) -> bool:
    """Whether a domain is what each group of flags asks for."""
    its = ListFlag.INACTIVE if record.live is None else ListFlag.ACTIVE
    its |= ListFlag.TRANSIENT if record.kept is None else ListFlag.PERSISTENT
    its |= _STATES.get(State(record.state[0]), ListFlag.OTHER)
    return all(
        not flags & group or bool(flags & group & its) for group in _GROUPS
    )
