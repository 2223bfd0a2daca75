# SPDX-License-Identifier: Apache-2.0
"""Make ready what the demo's guest needs of this machine."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from rtvirt.cli.document import read_mapping
from rtvirt.cli.guest import read_guest
from rtvirt.demo.embed import embedded_libvirt
from rtvirt.demo.hugepages import mounted_hugetlbfs
from rtvirt.demo.hugepages import reserved_pages
from rtvirt.exception import FitError
from rtvirt.exception import HostError
from rtvirt.fitting.engine import fit
from rtvirt.host.source import read_host
from rtvirt.model.flavor import Flavor
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostCell
from rtvirt.model.plan import PlannedCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the guest stands on.

    :ivar flavor: the file to plan with: the one that was given, or a copy
        that asks for ordinary pages.
    :ivar driver: libvirt's embedded QEMU driver; None where it cannot be.
    :ivar notes: what is special about this machine, in sentences.
    """

    flavor: Path
    driver: Any
    notes: tuple[str, ...]


def prepare(flavor: Path, root: Path, stack: contextlib.ExitStack) -> Ground:
    """Reserve pages and open libvirt, as far as this machine lets one.

    :param root: an empty directory.
    :param stack: takes on what gives all of it back.
    :raises RTVirtError: if the file is no flavor.
    """
    guest = read_guest(str(flavor), None)
    notes = []
    mount = None
    if any(isinstance(cell.page_size, int) for cell in guest.cells):
        try:
            mount, note = _take_pages(guest, root, stack)
        except HostError as error:
            flavor = _without_huge_pages(flavor, root)
            note = f'{error}: this copy asks for ordinary pages'
        notes.append(note)
    driver = None
    try:
        _require_root()
        driver = stack.enter_context(embedded_libvirt(root, hugetlbfs=mount))
    except HostError as error:
        notes.append(f'{error}: nothing can be started, only rehearsed')
    return Ground(flavor=flavor, driver=driver, notes=tuple(notes))


def _require_root() -> None:
    if os.geteuid() != 0:
        raise HostError(
            'only root can start real-time guests', hint='run it with sudo'
        )


def _take_pages(
    guest: GuestRequirement, root: Path, stack: contextlib.ExitStack
) -> tuple[Path | None, str]:
    """Reserve the guest's huge pages; return their mount, and a sentence.

    :raises HostError: if they cannot be had; then nothing is reserved.
    """
    cells = _place(guest)
    if not cells:
        return None, 'no pages are reserved: the guest fits nowhere'
    with contextlib.ExitStack() as trial:
        added = 0
        for cell in cells:
            added += trial.enter_context(
                reserved_pages(cell.host_cell, cell.page_size_kib, cell.pages)
            )
        mount = root / 'hugepages'
        if os.geteuid() == 0:
            size_kib = cells[0].page_size_kib
            trial.enter_context(mounted_hugetlbfs(mount, size_kib))
        stack.push(trial.pop_all())
    size = f'{cells[0].page_size_kib // 1024} MiB'
    if added:
        return mount, (
            f'{added} pages of {size} were reserved for this guest; they are '
            'given back in the end'
        )
    return mount, f'enough pages of {size} are free'


def _place(guest: GuestRequirement) -> tuple[PlannedCell, ...]:
    """Return where the guest would go if only pages were short."""
    host = read_host()
    cells = tuple(_with_pages(cell, guest) for cell in host.cells)
    try:
        return fit(guest, dataclasses.replace(host, cells=cells)).cells
    except FitError:
        return ()


def _with_pages(cell: HostCell, guest: GuestRequirement) -> HostCell:
    """Return the cell with as many pages as the guest could want."""
    return dataclasses.replace(
        cell,
        pages=tuple(
            dataclasses.replace(
                pool,
                total=pool.total + guest.memory_mib * 1024 // pool.size_kib,
            )
            for pool in cell.pages
        ),
    )


def _without_huge_pages(flavor: Path, root: Path) -> Path:
    """Write a copy of the flavor that asks for ordinary pages."""
    given = Flavor.from_dict(read_mapping(str(flavor), 'flavor'))
    copy = root / flavor.name
    specs = {**given.extra_specs, 'hw:mem_page_size': 'small'}
    text = yaml.safe_dump(
        {
            'name': given.name,
            'vcpus': given.vcpus,
            'ram': given.memory_mib,
            'disk': given.disk_gib,
            'properties': specs,
        },
        sort_keys=False,
    )
    copy.write_text(text, encoding='utf-8')
    return copy
