# SPDX-License-Identifier: Apache-2.0
"""The domains of a libvirt that does not exist, and their states.

What it answers is what libvirt's QEMU driver answers (version 9.0); a test
asks libvirt's test driver the same, and knows where the two differ.
"""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field
from typing import Final

from lxml import etree

import rtvirt
from rtvirt.host.holding import holder_of
from rtvirt.model.pages import ORDINARY_KIB
from rtvirt.testing.capabilities import capabilities_xml
from rtvirt.testing.libvirt_error import make_error
from rtvirt.testing.libvirt_error import refusal
from rtvirt.testing.libvirt_names import ErrorCode
from rtvirt.testing.libvirt_names import PausedReason
from rtvirt.testing.libvirt_names import RunningReason
from rtvirt.testing.libvirt_names import ShutoffReason
from rtvirt.testing.libvirt_names import State

_OFF: Final = (int(State.SHUTOFF), int(ShutoffReason.UNKNOWN))


@dataclass
class Record:
    """What a libvirt knows of a domain.

    :ivar live: the document that it runs by; None where it does not run.
    :ivar kept: the document of its next start; None where it is transient.
    :ivar id: of its run; -1 where it does not run.
    :ivar state: the state and its reason.
    :ivar moved: vCPUs whose threads somebody moved, and where to.
    """

    name: str
    uuid: str
    live: str | None = None
    kept: str | None = None
    id: int = -1
    state: tuple[int, int] = _OFF
    autostart: bool = False
    moved: dict[int | None, rtvirt.CPUSet] = field(default_factory=dict)

    @property
    def document(self) -> str:
        """The document that it runs by, else that of its next start."""
        return self.live or self.kept or ''


@dataclass
class Fault:
    """How a call is to fail.

    :ivar after: how many go well before.
    :ivar times: how many fail then; 0 means all.
    """

    message: str
    code: int
    after: int
    times: int


class Driver:
    """A libvirt on a host.

    :param host: as it is without domains; the pages that are used, others
        than domains use.
    """

    def __init__(self, host: rtvirt.HostTopology) -> None:
        self.host = host
        self.capabilities = capabilities_xml(host)
        self.bare = rtvirt.HostTopology.from_capabilities(self.capabilities)
        self.lock = threading.RLock()
        self.records: dict[str, Record] = {}
        self.faults: dict[str, Fault] = {}
        self._last_id = 0

    def require_luck(self, call: str) -> None:
        """Raise the error that a call is to fail with."""
        fault = self.faults.get(call)
        if fault is None:
            return
        if fault.after:
            fault.after -= 1
            return
        fault.times -= 1
        if not fault.times:
            del self.faults[call]
        raise make_error(fault.code, fault.message)

    def find(self, uuid: str, name: str = '') -> Record:
        """Return the domain of a UUID."""
        try:
            return self.records[uuid]
        except KeyError:
            more = f' ({name})' if name else ''
            raise refusal(
                ErrorCode.NO_DOMAIN,
                f"no domain with matching uuid '{uuid}'{more}",
            ) from None

    def find_name(self, name: str) -> Record:
        """Return the domain of a name."""
        for record in self.records.values():
            if record.name == name:
                return record
        raise refusal(
            ErrorCode.NO_DOMAIN, f"no domain with matching name '{name}'"
        )

    def define(self, xml: str) -> Record:
        """Keep a domain; one that runs goes on as it is."""
        name, uuid, document = read_definition(xml)
        self._require_match(name, uuid)
        record = self.records.setdefault(uuid, Record(name, uuid))
        record.kept = document
        return record

    def create(self, xml: str, *, paused: bool) -> Record:
        """Start a domain from a document; it is not kept unless it was."""
        name, uuid, document = read_definition(xml)
        self._require_match(name, uuid)
        known = self.records.get(uuid)
        if known is not None and known.live is not None:
            raise refusal(
                ErrorCode.OPERATION_INVALID,
                f"domain '{name}' is already active",
            )
        record = known or Record(name, uuid)
        self._run(record, document, paused=paused)
        self.records[uuid] = record
        return record

    def start(self, record: Record, *, paused: bool) -> None:
        """Start a domain that is kept."""
        if record.live is not None:
            raise refusal(
                ErrorCode.OPERATION_INVALID, 'domain is already running'
            )
        self._run(record, record.document, paused=paused)

    def receive(self, xml: str, *, paused: bool, kept: str | None) -> None:
        """Take over a domain that has migrated here."""
        if kept is not None:
            self.define(kept)
        record = self.create(xml, paused=paused)
        if not paused:
            state = int(State.RUNNING), int(RunningReason.MIGRATED)
            record.state = state

    def suspend(self, record: Record) -> None:
        """Let the vCPUs of a domain stand still."""
        require_active(record)
        if record.state[0] != State.PAUSED:
            record.state = int(State.PAUSED), int(PausedReason.USER)

    def resume(self, record: Record) -> None:
        """Let them go on."""
        require_active(record)
        if record.state[0] == State.RUNNING:
            raise refusal(
                ErrorCode.OPERATION_INVALID, 'domain is already running'
            )
        record.state = int(State.RUNNING), int(RunningReason.UNPAUSED)

    def end(self, record: Record, why: ShutoffReason) -> None:
        """End the run of a domain; one that is not kept is gone."""
        require_active(record)
        record.live, record.id = None, -1
        record.moved.clear()
        record.state = int(State.SHUTOFF), int(why)
        if record.kept is None:
            del self.records[record.uuid]

    def undefine(self, record: Record) -> None:
        """Forget a domain; one that runs goes on until it ends."""
        if record.kept is None:
            raise refusal(
                ErrorCode.OPERATION_INVALID, 'cannot undefine transient domain'
            )
        record.kept = None
        if record.live is None:
            del self.records[record.uuid]

    def free_pages(self, cell_id: int, size_kib: int) -> int | None:
        """Return how many pages of a cell are free; None without such."""
        for cell in self.host.cells:
            for pool in cell.pages:
                if (cell.id, pool.size_kib) == (cell_id, size_kib):
                    return max(0, pool.free - self._used()[cell_id, size_kib])
        return None

    def _require_match(self, name: str, uuid: str) -> None:
        """Refuse what has the name of one and the UUID of another."""
        for record in self.records.values():
            if record.name == name and record.uuid != uuid:
                raise refusal(
                    ErrorCode.OPERATION_FAILED,
                    f"domain '{name}' already exists with uuid {record.uuid}",
                )
            if record.uuid == uuid and record.name != name:
                raise refusal(
                    ErrorCode.OPERATION_FAILED,
                    f"domain '{record.name}' is already defined with uuid "
                    f'{uuid}',
                )

    def _run(self, record: Record, document: str, *, paused: bool) -> None:
        self._require_room(rtvirt.parse_domain(document))
        self._last_id += 1
        record.id = self._last_id
        record.live = document
        record.state = (
            (int(State.PAUSED), int(PausedReason.USER))
            if paused
            else (int(State.RUNNING), int(RunningReason.BOOTED))
        )

    def _require_room(self, domain: rtvirt.Domain) -> None:
        """Refuse to start what QEMU or the kernel would refuse."""
        pinned = rtvirt.CPUSet(
            cpu for cpus in domain.cputune.vcpupins.values() for cpu in cpus
        )
        online = {cpu for cell in self.host.cells for cpu in cell.cpus}
        if not pinned <= online:
            raise refusal(
                ErrorCode.SYSTEM_ERROR,
                'cannot set CPU affinity on process 4711: Invalid argument',
            )
        for (cell, size), count in _huge_pages(domain, self.bare).items():
            free = self.free_pages(cell, size)
            if free is None:
                raise refusal(
                    ErrorCode.INTERNAL_ERROR,
                    f'Unable to find any usable hugetlbfs mount for {size} '
                    'KiB',
                )
            if count > free:
                raise refusal(
                    ErrorCode.INTERNAL_ERROR,
                    'process exited while connecting to monitor: '
                    'qemu-system-x86_64: unable to map backing store for '
                    'guest RAM: Cannot allocate memory',
                )

    def _used(self) -> Counter[tuple[int, int]]:
        """Return the huge pages that running domains use."""
        used: Counter[tuple[int, int]] = Counter()
        for _, domain in self.running():
            used.update(_huge_pages(domain, self.bare))
        return used

    def running(self) -> Iterator[tuple[Record, rtvirt.Domain]]:
        """Yield the domains that run, and the documents they run by."""
        for record in self.records.values():
            if record.live is not None:
                yield record, rtvirt.parse_domain(record.live)


def require_active(record: Record) -> None:
    """Refuse what only a running domain can do."""
    if record.live is None:
        raise refusal(ErrorCode.OPERATION_INVALID, 'domain is not running')


def read_definition(xml: str) -> tuple[str, str, str]:
    """Return name, UUID and document of a domain that is to be defined.

    Without a UUID it gets one. The ``id`` is that of another run.
    """
    root = read_element(xml)
    tag = str(root.tag)
    if tag != 'domain':
        raise refusal(
            ErrorCode.XML_ERROR,
            f"expecting root element of 'domain', not '{tag}'",
        )
    name = root.findtext('name', '')
    if not name:
        raise refusal(ErrorCode.NO_NAME, 'missing name information')
    root.attrib.pop('id', None)
    element = root.find('uuid')
    if element is None:
        element = etree.Element('uuid')
        element.text = str(uuid.uuid4())
        root.find('name').addnext(element)  # type: ignore[union-attr]
    known = read_uuid(element.text or '')
    if known is None:
        raise refusal(ErrorCode.INTERNAL_ERROR, 'malformed uuid element')
    element.text = known
    document = etree.tostring(root, encoding='unicode', with_tail=False)
    try:
        rtvirt.parse_domain(document)
    except rtvirt.DomainXMLError as error:
        raise refusal(ErrorCode.XML_ERROR, str(error)) from error
    return name, known, document


def read_uuid(text: str) -> str | None:
    """Return a UUID as libvirt writes it; None where it is none."""
    try:
        return str(uuid.UUID(text.strip()))
    except ValueError:
        return None


def read_element(xml: str) -> etree._Element:
    """Return the root of a document that somebody wrote."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        return etree.fromstring(xml.encode(), parser)
    except etree.XMLSyntaxError as error:
        # Without where, which libvirt says in another way.
        why = error.msg.partition(', line ')[0]
        raise refusal(
            ErrorCode.XML_DETAIL,
            f'(domain_definition):{error.lineno}: {why}',
        ) from error


def _huge_pages(
    domain: rtvirt.Domain, host: rtvirt.HostTopology
) -> Counter[tuple[int, int]]:
    return Counter(
        {
            (one.host_cell, one.page_size_kib): one.pages
            for one in holder_of(domain, host).holdings
            if one.page_size_kib > ORDINARY_KIB
        }
    )
