# SPDX-License-Identifier: Apache-2.0
"""Read the running domains from libvirt's own state files.

``/run/libvirt/qemu/NAME.xml`` holds the live XML of each domain inside a
``<domstatus>`` element. It is there without asking the daemon, and it is in
a copy of the host's files.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from rtvirt.exception import DomainXMLError
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_names
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.libvirt import RunningDomain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import malformed
from rtvirt.model.frozendict import FrozenDict

STATE: Final = '/run/libvirt/qemu'
_LIMIT: Final = 1 << 22
_MAX_DOMAINS: Final = 4096


def read_running_domains(tree: Tree) -> tuple[RunningDomain, ...] | Missing:
    """Read every domain libvirt has a state file of.

    A file without a domain is passed over: libvirt keeps others there.
    """
    names = read_names(tree, STATE)
    if isinstance(names, Missing):
        return names
    found = []
    unreadable: Missing | None = None
    for name in names[:_MAX_DOMAINS]:
        if not name.endswith('.xml'):
            continue
        path = f'{STATE}/{name}'
        content = tree.read(path, _LIMIT)
        domain = (
            content if isinstance(content, Missing) else _parse(content, path)
        )
        if isinstance(domain, RunningDomain):
            found.append(domain)
        elif domain is not None:
            unreadable = unreadable or domain
    # Not to have seen one domain is not to know what runs.
    return unreadable or tuple(found)


def _parse(content: bytes, path: str) -> RunningDomain | Missing | None:
    """Return the domain of a state file, None where there is none."""
    domain = find_domain(content)
    if domain is None:
        return None
    try:
        return running_domain(parse_domain(etree.tostring(domain)))
    except DomainXMLError as error:
        return malformed(path, str(error))


def find_domain(content: bytes) -> etree._Element | None:
    """Return the ``<domain>`` of a document; entities stay unexpanded."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return None
    domain = root if root.tag == 'domain' else root.find('domain')
    if domain is not None:
        domain.tail = None
    return domain


def running_domain(domain: Domain) -> RunningDomain:
    """Return where the threads of a domain may run."""
    tune = domain.cputune
    vcpu = domain.vcpu
    return RunningDomain(
        name=domain.name,
        vcpus=1 if vcpu is None else vcpu.count,
        cpus=(vcpu.cpuset if vcpu else None) or CPUSet(),
        pins=tune.vcpupins,
        emulator=tune.emulatorpin or CPUSet(),
        iothreads=domain.iothreads or 0,
        iothread_pins=tune.iothreadpins,
        priorities=FrozenDict(
            {
                vcpu: sched.priority or 0
                for sched in tune.vcpuscheds
                if sched.scheduler in ('fifo', 'rr')
                for vcpu in sched.cpus
            }
        ),
        pmu=domain.features.pmu,
    )
