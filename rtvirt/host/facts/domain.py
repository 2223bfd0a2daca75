# SPDX-License-Identifier: Apache-2.0
"""Read the domains of a host from libvirt's own files.

``/run/libvirt/qemu/NAME.xml`` holds the live XML of each running domain
inside a ``<domstatus>`` element, ``/etc/libvirt/qemu/NAME.xml`` that of each
domain that is kept. They are there without asking the daemon, and they are
in a copy of the host's files.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from lxml import etree

from rtvirt.exception import DomainXMLError
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_names
from rtvirt.host.holding import held_by
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.libvirt import RunningDomain
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import malformed
from rtvirt.model.frozendict import FrozenDict

STATE: Final = '/run/libvirt/qemu'
"""Of the domains that run."""

DEFINED: Final = '/etc/libvirt/qemu'
"""Of the domains that are kept."""

_LIMIT: Final = 1 << 22
_MAX_DOMAINS: Final = 4096


def read_running_domains(tree: Tree) -> tuple[RunningDomain, ...] | Missing:
    """Read every domain libvirt has a state file of."""
    domains = _read_domains(tree, STATE)
    if isinstance(domains, Missing):
        return domains
    return tuple(running_domain(domain) for domain in domains)


def read_held(tree: Tree, cells: Iterable[CPUSet] = ()) -> CPUSet | Missing:
    """Return the pCPUs that domains, running or not, have for themselves.

    :param cells: the pCPUs of each host cell, where they are known.
    """
    held = CPUSet()
    every = [*cells]
    for directory in (STATE, DEFINED):
        domains = _read_domains(tree, directory)
        if not isinstance(domains, Missing):
            for domain in domains:
                held |= held_by(domain, every)
        elif not domains.is_absent:
            return domains
    return held


def read_domains(tree: Tree) -> tuple[Domain, ...]:
    """Return the documents of all domains that can be read, by name.

    Of a domain that runs, the one that it runs by.
    """
    found: dict[str, Domain] = {}
    for directory in (DEFINED, STATE):
        domains = _read_domains(tree, directory)
        if not isinstance(domains, Missing):
            found.update((domain.name, domain) for domain in domains)
    return tuple(found[name] for name in sorted(found))


def _read_domains(tree: Tree, directory: str) -> tuple[Domain, ...] | Missing:
    """Read the domains in a directory of libvirt's.

    A file without a domain is passed over: libvirt keeps others there.
    """
    names = read_names(tree, directory)
    if isinstance(names, Missing):
        return names
    found = []
    for name in names[:_MAX_DOMAINS]:
        if name.endswith('.xml'):
            domain = _read_domain(tree, f'{directory}/{name}')
            # Not to have seen one domain is not to know what there is.
            if isinstance(domain, Missing):
                return domain
            if domain is not None:
                found.append(domain)
    return tuple(found)


def _read_domain(tree: Tree, path: str) -> Domain | Missing | None:
    content = tree.read(path, _LIMIT)
    if isinstance(content, Missing):
        return None if content.is_absent else content
    element = find_domain(content)
    if element is None:
        return None
    try:
        return parse_domain(etree.tostring(element))
    except DomainXMLError as error:
        return malformed(path, str(error))


def read_root(content: bytes) -> etree._Element | None:
    """Return the root of a document; entities stay unexpanded.

    None where it is no XML.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False
    )
    try:
        return etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        return None


def find_domain(content: bytes) -> etree._Element | None:
    """Return the ``<domain>`` of a document."""
    root = read_root(content)
    if root is None:
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
