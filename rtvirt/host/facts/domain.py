# SPDX-License-Identifier: Apache-2.0
"""Read the running domains from libvirt's own state files.

``/run/libvirt/qemu/NAME.xml`` holds the live XML of each domain inside a
``<domstatus>`` element. It is there without asking the daemon, and it is in
a copy of the host's files.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_names
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.libvirt import RunningDomain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.frozendict import FrozenDict

STATE: Final = '/run/libvirt/qemu'
_LIMIT: Final = 1 << 22
_MAX_DOMAINS: Final = 4096


def read_running_domains(tree: Tree) -> tuple[RunningDomain, ...] | Missing:
    """Read every domain libvirt has a state file of.

    A file that is no such XML is passed over: libvirt keeps others there.
    """
    names = read_names(tree, STATE)
    if isinstance(names, Missing):
        return names
    found = []
    unreadable: Missing | None = None
    for name in names[:_MAX_DOMAINS]:
        if not name.endswith('.xml'):
            continue
        content = tree.read(f'{STATE}/{name}', _LIMIT)
        if isinstance(content, Missing):
            unreadable = unreadable or content
            continue
        domain = parse_running_domain(content)
        if domain is not None:
            found.append(domain)
    # Not to have seen one domain is not to know what runs.
    return unreadable or tuple(found)


def parse_running_domain(content: bytes) -> RunningDomain | None:
    """Return the domain of a state file, None where there is none."""
    domain = find_domain(content)
    if domain is None:
        return None
    try:
        return _running_domain(domain)
    except ValueError:
        return None


def find_domain(content: bytes) -> etree._Element | None:
    """Return the ``<domain>`` of a document; entities stay unexpanded."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return None
    return root if root.tag == 'domain' else root.find('domain')


def _running_domain(domain: etree._Element) -> RunningDomain:
    """Read the threads' places.

    :raises ValueError: if a number or a list of CPUs is none.
    """
    vcpu = domain.find('vcpu')
    iothreads = domain.findtext('iothreads')
    emulator = domain.find('cputune/emulatorpin')
    pmu = domain.find('features/pmu')
    return RunningDomain(
        name=domain.findtext('name') or '',
        vcpus=parse_int((None if vcpu is None else vcpu.text) or '1'),
        cpus=_cpus(vcpu, 'cpuset'),
        pins=_pins(domain, 'vcpupin', 'vcpu'),
        emulator=_cpus(emulator, 'cpuset'),
        iothreads=parse_int(iothreads or '0'),
        iothread_pins=_pins(domain, 'iothreadpin', 'iothread'),
        priorities=_priorities(domain),
        pmu=None if pmu is None else pmu.get('state', 'on') == 'on',
    )


def _cpus(element: etree._Element | None, attribute: str) -> CPUSet:
    text = None if element is None else element.get(attribute)
    return CPUSet.parse(text or '')


def _pins(
    domain: etree._Element, tag: str, key: str
) -> FrozenDict[int, CPUSet]:
    return FrozenDict(
        {
            parse_int(pin.get(key, '')): _cpus(pin, 'cpuset')
            for pin in domain.iterfind(f'cputune/{tag}')
        }
    )


def _priorities(domain: etree._Element) -> FrozenDict[int, int]:
    found = {}
    for sched in domain.iterfind('cputune/vcpusched'):
        if sched.get('scheduler') in ('fifo', 'rr'):
            for vcpu in _cpus(sched, 'vcpus'):
                found[vcpu] = parse_int(sched.get('priority', ''))
    return FrozenDict(found)
