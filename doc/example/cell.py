# SPDX-License-Identifier: Apache-2.0
"""A program that uses rtvirt: controllers of a plant, each a guest."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import rtvirt


def controller(axes: int) -> rtvirt.Flavor:
    """Return the flavor of a controller with a real-time vCPU per axis."""
    return rtvirt.Flavor(
        name=f'controller-{axes}',
        vcpus=axes + 1,
        memory_mib=2048,
        extra_specs={
            'hw:cpu_policy': 'dedicated',
            'hw:cpu_realtime': 'yes',
            'hw:cpu_realtime_mask': '^0',
            'hw:mem_page_size': '1GB',
        },
    )


def place_all(
    axes: Iterable[int], host: rtvirt.HostTopology
) -> dict[str, rtvirt.Plan]:
    """Place a controller for each machine, the largest first.

    :raises FitError: if one does not fit beside the others.
    """
    plans = {}
    for number, count in enumerate(sorted(axes, reverse=True), 1):
        name = f'machine-{number}'
        guest = rtvirt.parse_guest(controller(count))
        plans[name] = rtvirt.fit(guest, host)
        host = host.claim(plans[name], name)
    return plans


def start_all(
    axes: Iterable[int], settings: rtvirt.Settings
) -> list[rtvirt.StartedDomain]:
    """Start a controller for each machine: all of them, or none.

    :raises FitError: if one does not fit beside the others.
    :raises HostError: if libvirt cannot start one.
    """
    started: list[rtvirt.StartedDomain] = []
    try:
        for number, count in enumerate(sorted(axes, reverse=True), 1):
            guest = rtvirt.parse_guest(controller(count))
            render = partial(rtvirt.domain_xml, name=f'machine-{number}')
            started.append(
                rtvirt.create_domain(guest, render, settings=settings)
            )
    except rtvirt.RTVirtError:
        for one in started:
            name = one.running.domain.name
            rtvirt.destroy_domain(
                settings.connection_uri or 'qemu:///system',
                name,
                undefine=True,
            )
        raise
    return started
