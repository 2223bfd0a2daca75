# SPDX-License-Identifier: Apache-2.0
"""What a domain holds at its destination before it gets there."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from typing import Final

from rtvirt import plugins
from rtvirt.conf.settings import Settings
from rtvirt.configurators.base import is_host_side
from rtvirt.configurators.builder import build
from rtvirt.exception import HostError
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.lifecycle.create import locked
from rtvirt.lifecycle.handle import exists
from rtvirt.lifecycle.place import place
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.pages import PageSize
from rtvirt.model.plan import Plan

LOG = logging.getLogger(__name__)

_WORDS: Final = (PageSize.LARGE, PageSize.ANY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A place at the destination.

    :ivar host: its name.
    :ivar live: the document that it runs by there.
    :ivar kept: the document that it starts from there the next time.
    :ivar is_kept: whether there is to be a next time.
    """

    name: str
    host: str
    plan: Plan
    live: str
    kept: str
    is_kept: bool


@contextlib.contextmanager
def hold(
    handle: Any,
    old: Plan,
    destination: Any,
    settings: Settings,
    pinned: CPUSet,
) -> Iterator[Claim]:
    """Hold at the destination what a domain needs, until it is there.

    It is defined there. If it does not get there, nothing of it is left.

    :param handle: the domain, at the source.
    :param old: its plan there.
    :raises FitError: if it does not fit.
    """
    libvirt = load_libvirt()
    name = handle.name()
    with locked(destination, settings):
        with translated('cannot read the destination'):
            host = destination.getHostname()
        _require_no(name, destination, host)
        guest = with_its_pages(old)
        placed = place(destination, guest, settings, pinned=pinned)
        plan = dataclasses.replace(placed, guest=old.guest)
        claim = _claim(handle, plan, host)
        with translated(f'cannot define domain {name!r:.80} on {host}'):
            target = destination.defineXMLFlags(
                claim.kept, libvirt.VIR_DOMAIN_DEFINE_VALIDATE
            )
    try:
        yield claim
    except BaseException:
        _give_back(target, name, host)
        raise
    if not claim.is_kept:
        with translated(f'cannot make domain {name!r:.80} transient'):
            _forget(target)


def _give_back(target: Any, name: str, host: str) -> None:
    """Undefine a domain that has not got there, or say that it cannot be.

    Whatever the source says: where it runs it is not forgotten.
    """
    try:
        with translated('it cannot be undefined'):
            if not target.isActive():
                _forget(target)
    except HostError as error:
        LOG.warning(
            'domain %r may still be defined on %s, and hold its place there: '
            '%s',
            name,
            host,
            error,
        )


def _require_no(name: str, destination: Any, host: str) -> None:
    if exists(destination, name):
        raise HostError(
            f'there is a domain {name!r:.80} on {host} already',
            hint='a domain is not migrated to where it is; one that is left '
            f'from before: rtvirt domain destroy --undefine {name} --connect '
            'URI',
        )


def _claim(handle: Any, plan: Plan, host: str) -> Claim:
    libvirt = load_libvirt()
    flags = libvirt.VIR_DOMAIN_XML_SECURE | libvirt.VIR_DOMAIN_XML_MIGRATABLE
    name = handle.name()
    with translated(f'cannot read domain {name!r:.80}'):
        live = handle.XMLDesc(flags)
        kept = handle.XMLDesc(flags | libvirt.VIR_DOMAIN_XML_INACTIVE)
        is_kept = bool(handle.isPersistent())
    return Claim(
        name=name,
        host=host,
        plan=plan,
        live=retune(plan, live),
        kept=retune(plan, kept),
        is_kept=is_kept,
    )


def _forget(target: Any) -> None:
    """Undefine a domain; what belongs to it stays, for it runs elsewhere."""
    libvirt = load_libvirt()
    try:
        target.undefineFlags(
            libvirt.VIR_DOMAIN_UNDEFINE_KEEP_NVRAM
            | libvirt.VIR_DOMAIN_UNDEFINE_KEEP_TPM
        )
    except libvirt.libvirtError as error:
        # A driver that keeps no such things knows no such flags.
        if error.get_error_code() != libvirt.VIR_ERR_INVALID_ARG:
            raise
        target.undefine()


def with_its_pages(plan: Plan) -> GuestRequirement:
    """Return the guest, which wants pages of the sizes that it has.

    QEMU has no other way to receive them than as they are sent, and the
    document names their size.
    """
    sizes = {cell.guest_cell: cell.page_size_kib for cell in plan.cells}
    return dataclasses.replace(
        plan.guest,
        cells=tuple(
            dataclasses.replace(cell, page_size=sizes[cell.id])
            if cell.page_size in _WORDS
            else cell
            for cell in plan.guest.cells
        ),
    )


def retune(plan: Plan, xml: str) -> str:
    """Return a document that carries out a plan, for the same guest."""
    domain = parse_domain(xml)
    configurators = plugins.configurators()
    build(plan, domain, [one for one in configurators if is_host_side(one)])
    if domain.vcpu is not None:
        # Where it floats; the number of vCPUs is the guest's.
        domain.vcpu = domain.vcpu.but(cpuset=plan.floating or None)
    return domain.to_xml()
