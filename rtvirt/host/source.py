# SPDX-License-Identifier: Apache-2.0
"""A host, wherever it is described."""

from __future__ import annotations

import dataclasses
import json
import logging
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rtvirt.exception import HostError
from rtvirt.exception import RTVirtError
from rtvirt.host.facts.archive import is_packed
from rtvirt.host.facts.domain import read_domains as read_domain_files
from rtvirt.host.facts.domain import read_held
from rtvirt.host.facts.read import open_tree
from rtvirt.host.facts.read import read_facts
from rtvirt.host.facts.read import require_name
from rtvirt.host.facts.tree import Tree
from rtvirt.host.live import read_live
from rtvirt.host.live import read_live_domains
from rtvirt.host.sysfs import read_topology
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.host import HostTopology
from rtvirt.model.host_element import MAX_SIZE
from rtvirt.model.partition import ReservedPages
from rtvirt.model.partition import partition

LOG = logging.getLogger(__name__)

LOCAL_URI: Final = 'qemu:///system'
"""Whom the local machine is asked of first; its daemon, if it runs."""

_SPACE: Final = b' \t\r\n'
_SOURCES: Final = (
    'name a file with capabilities XML or what "rtvirt host show -f json" '
    'printed, a snapshot, or a libvirt URI as in qemu:///system'
)


def read_host(
    source: str | None = None,
    *,
    dedicated: CPUSet | None = None,
    shared: CPUSet | None = None,
    pinned: CPUSet | None = None,
    reserved: Iterable[ReservedPages] = (),
) -> HostTopology:
    """Read a host and deal out its pCPUs and pages.

    :param source: a libvirt URI (``qemu+ssh://compute7/system``), a file
        with capabilities XML or with the JSON of ``rtvirt host show``, or
        a copy of a host's files: a directory, a snapshot (``.tar.gz``), a
        sosreport, packed or not. None is the local machine: what libvirt
        says, where it answers, else what the kernel says.
    :param dedicated: pCPUs for dedicated vCPUs.
    :param shared: pCPUs for floating vCPUs. With neither set they are
        dealt out as the source says: every pCPU is both, but JSON may say
        otherwise.
    :param pinned: dedicated pCPUs that are taken, beside those that the
        source itself tells of.
    :param reserved: pages kept from guests.
    :raises HostError: if the source cannot be read.
    :raises ConfigError: if a set or a reservation names what is not there.
    """
    return partition(
        _read(source),
        dedicated=dedicated,
        shared=shared,
        pinned=pinned or CPUSet(),
        reserved=reserved,
    )


def read_domains(source: str | None = None) -> tuple[Domain, ...]:
    """Read the domains on a host, running or not, by name.

    :param source: as :func:`read_host` takes it; capabilities XML tells of
        no domain, nor does a local machine without libvirt.
    :raises HostError: if the source cannot be read.
    """
    if source is None:
        try:
            return read_live_domains(LOCAL_URI)
        except HostError as error:
            LOG.info('%s; no domain is shown', error)
            return ()
    if '://' in source:
        return read_live_domains(source)
    require_name(source)
    path = Path(source)
    try:
        if path.is_dir() or is_packed(_read_file(path)):
            return read_domain_files(open_tree(source))
    except RTVirtError as error:
        raise HostError(
            f'{source}: {error}', hint=error.hint or _SOURCES
        ) from error
    return ()


def read_any_facts(source: str) -> HostFacts:
    """Return what any source but this machine tells of a host.

    :param source: as for :func:`read_host`. All but a copy of a host's
        files tell no more than its topology.
    :raises HostError: if the source cannot be read.
    """
    path = Path(source)
    if '://' in source or (path.is_file() and not is_packed(_read_file(path))):
        return HostFacts(topology=_read(source))
    return read_facts(source)


def _read(source: str | None) -> HostTopology:
    if source is None:
        return _read_local()
    if '://' in source:
        return read_live(source)
    require_name(source)
    path = Path(source)
    try:
        data = None if path.is_dir() else _read_file(path)
        if data is None or is_packed(data):
            host = _read_copy(open_tree(source))
        elif data.lstrip(_SPACE).startswith(b'{'):
            host = parse_host(data)
        else:
            host = HostTopology.from_capabilities(data)
    except RTVirtError as error:
        raise HostError(
            f'{source}: {error}', hint=error.hint or _SOURCES
        ) from error
    name = path.name.removesuffix('.tar.gz').removesuffix('.tar.xz')
    return with_name(host, Path(name).stem or source)


def parse_host(text: bytes) -> HostTopology:
    """Return the host that ``rtvirt host show -f json`` printed.

    :raises HostError: if it is no JSON.
    :raises ModelError: naming the key that is missing or wrong.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HostError(f'it is no JSON: {error}', hint=_SOURCES) from None
    return HostTopology.from_dict(data)


def with_name(host: HostTopology, name: str) -> HostTopology:
    """Return the host, of this name if it has none of its own."""
    return host if host.name else dataclasses.replace(host, name=name)


def _read_copy(tree: Tree) -> HostTopology:
    """Read a copy of a host's files, and what its domains hold there."""
    host = read_topology(tree)
    held = read_held(tree, [cell.cpus for cell in host.cells])
    if isinstance(held, Missing):
        LOG.warning('%s is %s: no pCPU counts as taken', held.path, held)
        return host
    return dataclasses.replace(
        host,
        cells=tuple(
            dataclasses.replace(cell, pinned=cell.dedicated & held)
            for cell in host.cells
        ),
    )


def _read_local() -> HostTopology:
    try:
        host = read_live(LOCAL_URI)
    except HostError as error:
        LOG.info('%s; reading /sys instead', error)
        return dataclasses.replace(read_topology(), name=platform.node())
    LOG.info('the host is what %s tells', LOCAL_URI)
    return host


def _read_file(path: Path) -> bytes:
    """Return what a file holds.

    :raises HostError: if it cannot be read, or is too long.
    """
    try:
        with path.open('rb') as file:
            data = file.read(MAX_SIZE + 1)
    except FileNotFoundError:
        raise HostError(
            'there is no such file',
            hint=_SOURCES,
        ) from None
    except OSError as error:
        raise HostError(
            f'it cannot be read: {error.strerror}',
            hint='name a file that you may read',
        ) from None
    except ValueError as error:
        raise HostError(
            f'this is no name of a file: {error}', hint=_SOURCES
        ) from None
    return data
