# SPDX-License-Identifier: Apache-2.0
"""Domains by name, as libvirt-python has them."""

from __future__ import annotations

from typing import Any
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.exception import HostError
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain

_STATES: Final = (
    'no state',
    'running',
    'blocked',
    'paused',
    'shutting down',
    'shut off',
    'crashed',
    'suspended',
)
"""libvirt's virDomainState, in its order."""


def find(connection: Any, name: str) -> Any:
    """Return libvirt's handle of a domain.

    :raises HostError: if there is none of this name.
    """
    with translated(f'domain {name!r:.80}'):
        return connection.lookupByName(name)


def exists(connection: Any, name: str) -> bool:
    """Whether there is a domain of this name."""
    libvirt = load_libvirt()
    with translated(f'domain {name!r:.80}'):
        try:
            connection.lookupByName(name)
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return False
            raise
    return True


def read_document(handle: Any, flags: int = 0) -> Domain:
    """Return a domain's document.

    :param flags: libvirt's VIR_DOMAIN_XML_*.
    :raises HostError: if libvirt does not tell.
    """
    name = handle.name()
    with translated(f'cannot read domain {name!r:.80}'):
        text = handle.XMLDesc(flags)
    try:
        return parse_domain(text)
    except DomainXMLError as error:
        raise HostError(
            f'domain {name!r:.80}: {error}', hint=error.hint
        ) from error


def read_state(handle: Any) -> str:
    """Return the state of a domain: ``running``, ``paused``, ...

    :raises HostError: if libvirt does not tell.
    """
    with translated(f'cannot read domain {handle.name()!r:.80}'):
        state = handle.state()[0]
    return _STATES[state] if 0 <= state < len(_STATES) else str(state)
