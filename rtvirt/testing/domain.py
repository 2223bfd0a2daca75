# SPDX-License-Identifier: Apache-2.0
"""Handles of domains, with the methods of ``libvirt.virDomain``."""

from __future__ import annotations

import functools
import operator
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any
from typing import Final

import rtvirt
from rtvirt.lint_rules.view import emulator_cpus
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import vcpu_count
from rtvirt.testing import element
from rtvirt.testing.call import answers
from rtvirt.testing.call import require_flags
from rtvirt.testing.driver import Record
from rtvirt.testing.driver import require_active
from rtvirt.testing.libvirt_error import refusal
from rtvirt.testing.libvirt_names import AffectFlag
from rtvirt.testing.libvirt_names import DestroyFlag
from rtvirt.testing.libvirt_names import ErrorCode
from rtvirt.testing.libvirt_names import MigrateFlag
from rtvirt.testing.libvirt_names import MigrateParam
from rtvirt.testing.libvirt_names import ShutoffReason
from rtvirt.testing.libvirt_names import StartFlag
from rtvirt.testing.libvirt_names import State
from rtvirt.testing.libvirt_names import UndefineFlag
from rtvirt.testing.libvirt_names import XMLFlag

if TYPE_CHECKING:
    from rtvirt.testing.connection import FakeConnection


def _every(kind: Any) -> int:
    return int(functools.reduce(operator.or_, kind, 0))


START_FLAGS: Final = _every(StartFlag)


class FakeDomain:
    """A domain of a :class:`FakeConnection`, as a ``libvirt.virDomain``.

    Its methods are those of ``libvirt-python``. One that is gone raises
    ``VIR_ERR_NO_DOMAIN``.

    :ivar link: the connection that it is of.
    """

    def __init__(self, link: FakeConnection, record: Record) -> None:
        self.link = link
        self._name = record.name
        self._uuid = record.uuid

    @property
    def _record(self) -> Record:
        """What is known of it now.

        :raises libvirt.libvirtError: if it is gone.
        """
        return self.link.driver.find(self._uuid, self._name)

    def _document(self, flags: int) -> tuple[Record, str]:
        """Return the document that is meant by an AffectFlag."""
        record = self._record
        if flags & AffectFlag.LIVE:
            require_active(record)
        if flags & AffectFlag.CONFIG:
            if record.kept is None:
                raise refusal(
                    ErrorCode.OPERATION_INVALID,
                    'transient domains do not have any persistent config',
                )
            return record, record.kept
        return record, record.document

    def _change(self, flags: int, change: Any) -> None:
        """Change the documents that are meant by AffectFlags.

        :param change: from a document to the changed one.
        """
        record, _ = self._document(flags)
        is_current = not flags & (AffectFlag.LIVE | AffectFlag.CONFIG)
        if record.live is not None and (is_current or flags & AffectFlag.LIVE):
            record.live = change(record.live)
        if record.kept is not None and (
            flags & AffectFlag.CONFIG or (is_current and record.live is None)
        ):
            record.kept = change(record.kept)

    # Who it is: a handle knows it by itself.

    def name(self) -> str:
        return self._name

    def UUIDString(self) -> str:
        return self._uuid

    def UUID(self) -> bytes:
        return uuid.UUID(self._uuid).bytes

    def connect(self) -> FakeConnection:
        return self.link

    @answers()
    def ID(self) -> int:
        record = self.link.driver.records.get(self._uuid)
        return record.id if record else -1

    # How it is.

    @answers()
    def state(self, flags: int = 0) -> list[int]:
        return list(self._record.state)

    @answers()
    def isActive(self) -> int:
        return int(self._record.live is not None)

    @answers()
    def isPersistent(self) -> int:
        return int(self._record.kept is not None)

    @answers()
    def OSType(self) -> str:
        return 'hvm'

    @answers()
    def info(self) -> list[int]:
        record = self._record
        domain = rtvirt.parse_domain(record.document)
        memory = domain.memory_kib or 0
        return [record.state[0], memory, memory, vcpu_count(domain), 0]

    @answers()
    def maxMemory(self) -> int:
        return rtvirt.parse_domain(self._record.document).memory_kib or 0

    @answers()
    def maxVcpus(self) -> int:
        record = self._record
        require_active(record)
        return vcpu_count(rtvirt.parse_domain(record.document))

    @answers()
    def vcpusFlags(self, flags: int = 0) -> int:
        _, document = self._document(flags)
        return vcpu_count(rtvirt.parse_domain(document))

    @answers()
    def autostart(self) -> int:
        return int(self._record.autostart)

    @answers(writes=True)
    def setAutostart(self, autostart: int) -> int:
        record = self._record
        if record.kept is None:
            raise refusal(
                ErrorCode.OPERATION_INVALID,
                'cannot set autostart for transient domain',
            )
        record.autostart = bool(autostart)
        return 0

    @answers()
    def hasManagedSaveImage(self, flags: int = 0) -> int:
        _ = self._record
        return 0

    @answers()
    def XMLDesc(self, flags: int = 0) -> str:
        require_flags(flags, _every(XMLFlag), 'qemuDomainGetXMLDesc')
        if flags & XMLFlag.SECURE and self.link.is_read_only:
            raise refusal(
                ErrorCode.OPERATION_DENIED,
                'virDomainGetXMLDesc with secure flag',
            )
        record = self._record
        is_next = bool(flags & XMLFlag.INACTIVE)
        return element.describe(
            record.kept if is_next and record.kept else record.document,
            id=-1 if is_next else record.id,
            secure=bool(flags & XMLFlag.SECURE),
        )

    @answers()
    def metadata(self, type: int, uri: str | None, flags: int = 0) -> str:
        _, document = self._document(flags)
        text = element.read_metadata(document, type, uri)
        if text is None:
            raise refusal(
                ErrorCode.NO_DOMAIN_METADATA,
                'Requested metadata element is not present',
            )
        return text

    @answers(writes=True)
    def setMetadata(
        self,
        type: int,
        metadata: str | None,
        key: str | None,
        uri: str | None,
        flags: int = 0,
    ) -> int:
        self._change(
            flags,
            lambda document: element.set_metadata(
                document, type, metadata, key, uri
            ),
        )
        return 0

    # What becomes of it.

    @answers(writes=True)
    def create(self) -> int:
        self.link.driver.start(self._record, paused=False)
        return 0

    @answers(writes=True)
    def createWithFlags(self, flags: int = 0) -> int:
        require_flags(flags, START_FLAGS, 'qemuDomainCreateWithFlags')
        self.link.driver.start(
            self._record, paused=bool(flags & StartFlag.PAUSED)
        )
        return 0

    @answers(writes=True)
    def suspend(self) -> int:
        self.link.driver.suspend(self._record)
        return 0

    @answers(writes=True)
    def resume(self) -> int:
        self.link.driver.resume(self._record)
        return 0

    @answers(writes=True)
    def shutdown(self) -> int:
        self.link.driver.end(self._record, ShutoffReason.SHUTDOWN)
        return 0

    @answers(writes=True)
    def destroy(self) -> int:
        self.link.driver.end(self._record, ShutoffReason.DESTROYED)
        return 0

    @answers(writes=True)
    def destroyFlags(self, flags: int = 0) -> int:
        require_flags(flags, _every(DestroyFlag), 'qemuDomainDestroyFlags')
        self.link.driver.end(self._record, ShutoffReason.DESTROYED)
        return 0

    @answers(writes=True)
    def undefine(self) -> int:
        self.link.driver.undefine(self._record)
        return 0

    @answers(writes=True)
    def undefineFlags(self, flags: int = 0) -> int:
        require_flags(flags, _every(UndefineFlag), 'qemuDomainUndefineFlags')
        self.link.driver.undefine(self._record)
        return 0

    # Where its threads may run.

    @answers()
    def vcpuPinInfo(self, flags: int = 0) -> list[tuple[bool, ...]]:
        domain = rtvirt.parse_domain(self._document(flags)[1])
        return [
            self._cpu_map(pin_of(domain, vcpu))
            for vcpu in range(vcpu_count(domain))
        ]

    @answers()
    def emulatorPinInfo(self, flags: int = 0) -> tuple[bool, ...]:
        domain = rtvirt.parse_domain(self._document(flags)[1])
        return self._cpu_map(emulator_cpus(domain))

    @answers(writes=True)
    def pinVcpu(self, vcpu: int, cpumap: tuple[bool, ...]) -> int:
        require_active(self._record)
        self._pin(vcpu, cpumap, AffectFlag.LIVE)
        return 0

    @answers(writes=True)
    def pinVcpuFlags(
        self, vcpu: int, cpumap: tuple[bool, ...], flags: int = 0
    ) -> int:
        self._pin(vcpu, cpumap, flags)
        return 0

    def _pin(self, vcpu: int, cpumap: tuple[bool, ...], flags: int) -> None:
        _, document = self._document(flags)
        count = vcpu_count(rtvirt.parse_domain(document))
        if vcpu >= count:
            which = 'live' if flags & AffectFlag.LIVE else 'persistent'
            raise refusal(
                ErrorCode.INVALID_ARG,
                f'invalid argument: vcpu {vcpu} is out of range of {which} '
                f'cpu count {count}',
            )
        cpus = rtvirt.CPUSet(n for n, allowed in enumerate(cpumap) if allowed)
        self._change(
            flags, lambda document: element.pin_vcpu(document, vcpu, cpus)
        )

    def _cpu_map(self, cpus: rtvirt.CPUSet | None) -> tuple[bool, ...]:
        count = self.link.cpu_count
        return tuple(not cpus or cpu in cpus for cpu in range(count))

    # Its way to another host.

    @answers(writes=True)
    def migrate3(
        self,
        dconn: FakeConnection,
        params: Mapping[str, Any],
        flags: int = 0,
    ) -> FakeDomain:
        record = self._record
        require_active(record)
        live = params.get(MigrateParam.DEST_XML, record.document)
        kept = None
        if flags & MigrateFlag.PERSIST_DEST:
            kept = params.get(MigrateParam.PERSIST_XML, record.document)
        is_paused = record.state[0] == State.PAUSED
        with dconn.driver.lock:
            dconn.driver.receive(live, paused=is_paused, kept=kept)
        if flags & MigrateFlag.UNDEFINE_SOURCE and record.kept is not None:
            self.link.driver.undefine(record)
        self.link.driver.end(record, ShutoffReason.MIGRATED)
        return dconn.lookupByUUIDString(self._uuid)

    @answers(writes=True)
    def abortJob(self) -> int:
        _ = self._record
        raise refusal(
            ErrorCode.OPERATION_INVALID, 'no job is active on the domain'
        )
