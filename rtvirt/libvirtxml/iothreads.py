# SPDX-License-Identifier: Apache-2.0
"""``<iothreadids>``: I/O threads with ids that somebody chose."""

from __future__ import annotations

from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.kind import INT


@element('iothread')
class IOThread(Element):
    """One I/O thread, and how many workers it may have."""

    pool_min: Annotated[int | None, Attribute('thread_pool_min', INT)] = None
    pool_max: Annotated[int | None, Attribute('thread_pool_max', INT)] = None
