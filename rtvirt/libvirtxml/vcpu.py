# SPDX-License-Identifier: Apache-2.0
"""``<vcpu>`` and ``<vcpus>``: how many vCPUs there are, and their state."""

from __future__ import annotations

from typing import Annotated

from rtvirt.libvirtxml.element import Element
from rtvirt.libvirtxml.element import element
from rtvirt.libvirtxml.field import Attribute
from rtvirt.libvirtxml.field import Content
from rtvirt.libvirtxml.kind import CPUS
from rtvirt.libvirtxml.kind import INT
from rtvirt.libvirtxml.kind import TEXT
from rtvirt.libvirtxml.kind import YES_NO
from rtvirt.model.cpuset import CPUSet


@element('vcpu')
class VCPU(Element):
    """How many vCPUs there are, and where they float.

    :ivar placement: ``static``, or ``auto`` where numad chooses.
    :ivar cpuset: pCPUs of every thread that has none of its own.
    :ivar current: how many are plugged in at start; None means all.
    """

    placement: Annotated[str, Attribute('placement', TEXT)] = 'static'
    cpuset: Annotated[CPUSet | None, Attribute('cpuset', CPUS)] = None
    current: Annotated[int | None, Attribute('current', INT)] = None
    count: Annotated[int, Content(INT)]


@element('vcpu')
class VCPUState(Element):
    """Whether one vCPU is plugged in.

    :ivar order: in which it is, counted from 1.
    """

    enabled: Annotated[bool, Attribute('enabled', YES_NO)]
    hotpluggable: Annotated[bool | None, Attribute('hotpluggable', YES_NO)] = (
        None
    )
    order: Annotated[int | None, Attribute('order', INT)] = None
