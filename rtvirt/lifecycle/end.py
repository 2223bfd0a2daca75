# SPDX-License-Identifier: Apache-2.0
"""End a domain, and forget it."""

from __future__ import annotations

from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.lifecycle.handle import find


def destroy_domain(uri: str, name: str, *, undefine: bool = False) -> None:
    """End a domain as a power cut would; whoever made it.

    One that is defined keeps its pCPUs and pages until it is undefined.

    :param undefine: forget it too; its disks stay. One that does not run
        is only forgotten.
    :raises HostError: if there is no such domain, or nothing to do.
    """
    libvirt = load_libvirt()
    with connect(uri, read_only=False) as connection:
        handle = find(connection, name)
        with translated(f'cannot read domain {name!r:.80}'):
            is_active = handle.isActive()
            is_persistent = handle.isPersistent()
        if not is_active and not undefine:
            raise HostError(
                f'domain {name!r:.80} does not run',
                hint='forget it, so that what it holds is free: rtvirt domain '
                f'destroy --undefine {name}',
            )
        if is_active:
            with translated(f'cannot end domain {name!r:.80}'):
                handle.destroy()
        if undefine and is_persistent:
            with translated(f'cannot undefine domain {name!r:.80}'):
                handle.undefineFlags(
                    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
                    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
                )
