# SPDX-License-Identifier: Apache-2.0
"""A story that is played to libvirts, to see whether they answer alike."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any
from typing import Final

import rtvirt

PAUSED: Final = 1
INACTIVE: Final = 2
SECURE: Final = 1
TITLE, ELEMENT = 1, 2
CONFIG: Final = 2
UUID: Final = '7d5b6b0e-5c1e-4a44-9d33-0123456789ab'
OTHER: Final = '7d5b6b0e-5c1e-4a44-9d33-ba9876543210'
_ANY_UUID: Final = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')

DOMAIN: Final = """\
<domain type='{kind}'><name>{name}</name>{uuid}<memory unit='MiB'>64</memory>
<vcpu>{vcpus}</vcpu><cputune>{tune}</cputune>
<os><type arch='{arch}'>hvm</type></os>
<devices><emulator>/usr/bin/qemu-system-x86_64</emulator></devices></domain>
"""
PIN: Final = "<vcpupin vcpu='0' cpuset='{}'/>"

Answer = tuple[str, object]


class Story:
    """What a libvirt answers, call by call.

    :param connection: one that may write, without domains.
    :param reader: one for reading only.
    :param error: the class of its errors.
    :ivar answers: by what was asked.
    """

    def __init__(
        self,
        connection: Any,
        reader: Any,
        error: type[Exception],
        kind: str,
        arch: str,
    ) -> None:
        self.connection = connection
        self.reader = reader
        self.answers: dict[str, Answer] = {}
        self._error = error
        self.kind = kind
        self._arch = arch

    def xml(
        self, name: str, uuid: str = '', tune: str = '', vcpus: int = 1
    ) -> str:
        return DOMAIN.format(
            kind=self.kind,
            arch=self._arch,
            name=name,
            uuid=uuid and f'<uuid>{uuid}</uuid>',
            tune=tune,
            vcpus=vcpus,
        )

    def ask(self, what: str, call: Callable[[], Any]) -> Any:
        """Note what a call returns, or its error."""
        assert what not in self.answers, what
        try:
            answer = call()
        except self._error as error:
            code = error.get_error_code()  # type: ignore[attr-defined]
            # Below the first line libvirt shows where in the XML.
            text = _ANY_UUID.sub('UUID', str(error).partition('\n')[0])
            self.answers[what] = (f'error {code}', text)
            return None
        shown = answer if isinstance(answer, int | str | list) else None
        self.answers[what] = ('answer', shown)
        return answer

    def look(self, when: str, domain: Any) -> None:
        """Note how a domain is."""
        for name in ('state', 'isActive', 'isPersistent'):
            self.ask(f'{when}: {name}', getattr(domain, name))
        self.ask(
            f'{when}: has an id', partial(_has_id, self.connection, domain)
        )
        for flags in (0, INACTIVE):
            self.ask(
                f'{when}: document {flags}',
                partial(_show, domain, flags),
            )
        self.ask(
            f'{when}: listed',
            lambda: [one.name() for one in self.connection.listAllDomains()],
        )
        for flag in (1, 2, 4, 8, 16, 32, 64):
            self.ask(
                f'{when}: listed by {flag}',
                partial(_names, self.connection, flag),
            )


def _has_id(connection: Any, domain: Any) -> int:
    # A handle keeps the id that it saw; another sees that of now.
    return int(connection.lookupByUUIDString(domain.UUIDString()).ID() >= 0)


def _show(domain: Any, flags: int) -> list[str]:
    return _essence(domain.XMLDesc(flags))


def _names(connection: Any, flags: int = 0) -> list[str]:
    return [domain.name() for domain in connection.listAllDomains(flags)]


def _essence(xml: str) -> list[str]:
    """Return of a document what libvirt does not add."""
    domain = rtvirt.parse_domain(xml)
    return [
        domain.name,
        domain.virt_type,
        domain.uuid or '',
        str(domain.memory_kib),
        str(domain.vcpu and domain.vcpu.count),
        str(sorted(domain.cputune.vcpupins.items())),
        str(" id='" in xml.partition('>')[0].replace('"', "'")),
    ]


def play_definitions(story: Story) -> None:
    """Look up, define, define anew and forget."""
    ask, to = story.ask, story.connection
    ask('look up nobody', lambda: to.lookupByName('nobody'))
    ask('look up no UUID', lambda: to.lookupByUUIDString(OTHER))
    ask('look up nonsense', lambda: to.lookupByUUIDString('x'))
    ask('look up no id', lambda: to.lookupByID(4711))
    for what, xml in {
        'no XML': '<domain',
        'another root': '<network/>',
        'no name': f"<domain type='{story.kind}'/>",
        'no UUID': story.xml('a', uuid='x'),
    }.items():
        ask(f'define {what}', partial(to.defineXML, xml))
    a = to.defineXML(story.xml('a', UUID, PIN.format(0)))
    story.look('defined', a)
    ask('its UUID', a.UUIDString)
    for name in ('OSType', 'maxMemory', 'hasManagedSaveImage'):
        ask(f'its {name}', getattr(a, name))
    ask('its info', lambda: a.info()[:4])
    ask('its vCPUs', lambda: a.vcpusFlags(CONFIG))
    ask('its vCPUs now', a.maxVcpus)
    ask('alive', to.isAlive)
    for name in ('listDefinedDomains', 'numOfDefinedDomains'):
        ask(name, getattr(to, name))
    for name in ('listDomainsID', 'numOfDomains'):
        ask(name, getattr(to, name))
    ask('its name', lambda: to.lookupByUUIDString(UUID.upper()).name())
    ask('no UUID, name taken', lambda: to.defineXML(story.xml('a')))
    ask('name taken', lambda: to.defineXML(story.xml('a', OTHER)))
    ask('UUID taken', lambda: to.defineXML(story.xml('b', UUID)))
    ask('start name taken', lambda: to.createXML(story.xml('a'), 0))
    ask('unknown flags', lambda: to.defineXMLFlags(story.xml('a'), 1 << 20))
    to.defineXML(story.xml('a', UUID, PIN.format(1)))
    story.look('defined anew', a)
    ask('no metadata', lambda: a.metadata(ELEMENT, 'urn:x', CONFIG))
    ask('no title', lambda: a.metadata(TITLE, None, CONFIG))
    text = '<x><y z="1"/>1</x>'
    a.setMetadata(ELEMENT, text, 'p', 'urn:x', CONFIG)
    a.setMetadata(TITLE, 'One', None, None, CONFIG)
    ask('metadata', lambda: a.metadata(ELEMENT, 'urn:x', CONFIG).split())
    ask('title', lambda: a.metadata(TITLE, None, CONFIG))
    a.setMetadata(ELEMENT, None, 'p', 'urn:x', CONFIG)
    ask('metadata gone', lambda: a.metadata(ELEMENT, 'urn:x', CONFIG))
    ask('autostart', a.autostart)
    reader = story.reader.lookupByName('a')
    ask('may read', lambda: _essence(reader.XMLDesc()))
    ask('may not read secrets', lambda: reader.XMLDesc(SECURE))
    ask('may not start', reader.create)
    ask('may not define', lambda: story.reader.defineXML(story.xml('c')))
    a.undefine()
    ask('forgotten', lambda: to.lookupByName('a'))
    for name in ('state', 'isActive', 'isPersistent', 'create', 'undefine'):
        ask(f'forgotten: {name}', getattr(a, name))
    ask('forgotten: document', a.XMLDesc)
    ask('forgotten: name', a.name)


def play_runs(story: Story, *, paused: bool) -> None:
    """Start, suspend, resume, end; kept and not kept.

    :param paused: whether this libvirt starts domains paused.
    """
    ask, to = story.ask, story.connection
    a = to.defineXML(story.xml('a', UUID, PIN.format(0)))
    for name in ('destroy', 'suspend', 'resume', 'shutdown'):
        ask(f'off: {name}', getattr(a, name))
    if paused:
        ask('start paused', lambda: a.createWithFlags(PAUSED))
        story.look('paused', a)
    else:
        ask('start', a.create)
        story.look('running', a)
        ask('suspend', a.suspend)
    ask('start again', a.create)
    ask('resume', a.resume)
    story.look('resumed', a)
    ask('resume again', a.resume)
    ask('create again', lambda: to.createXML(story.xml('a', UUID), 0))
    ask('suspend it', a.suspend)
    story.look('suspended', a)
    to.defineXML(story.xml('a', UUID, PIN.format(1)))
    story.look('defined anew while it runs', a)
    ask('flags that nobody knows', lambda: a.createWithFlags(1 << 20))
    ask('destroy', a.destroy)
    story.look('ended', a)
    a.create()
    ask('undefine', a.undefine)
    story.look('not kept', a)
    ask('destroy for good', a.destroy)
    story.look('gone', a)
    b = to.createXML(story.xml('b', OTHER), PAUSED if paused else 0)
    story.look('transient', b)
    ask('keep it', lambda: to.defineXML(story.xml('b', OTHER)).name())
    story.look('kept after all', b)
    b.destroy()
    ask('create from a document', lambda: to.createXML(b.XMLDesc(), 0).name())
    story.look('created from its document', b)
    b.destroy()
    b.undefine()
    c = to.createXML(story.xml('c', UUID), 0)
    ask('undefine transient', c.undefine)
    ask('keep autostart', lambda: c.setAutostart(1))
    ask('persistent metadata', lambda: c.metadata(TITLE, None, CONFIG))
    if c.isActive():
        c.destroy()
    story.look('all gone', c)


def play_pins(story: Story) -> None:
    """Pin a vCPU of a domain that runs, and of one that does not."""
    ask, to = story.ask, story.connection
    a = to.defineXML(story.xml('a', UUID, PIN.format(0), vcpus=2))
    ask('pins', lambda: [[*pin] for pin in a.vcpuPinInfo()])
    ask('pin off', lambda: a.pinVcpu(0, (False, True)))
    ask('live pins', lambda: a.vcpuPinInfo(1))
    a.create()
    ask('pin live', lambda: a.pinVcpu(1, (True, False)))
    ask('pin nobody', lambda: a.pinVcpu(7, (True, False)))
    story.look('pinned live', a)
    ask('pins live', lambda: [[*pin] for pin in a.vcpuPinInfo()])
    a.destroy()
    story.look('as it was', a)
    ask('pin config', lambda: a.pinVcpuFlags(0, (False, True), CONFIG))
    a.undefine()
