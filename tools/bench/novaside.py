# SPDX-License-Identifier: Apache-2.0
"""nova's objects for the same hosts and flavors, and calls of its code."""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    # nova imports eventlet, which announces its end.
    warnings.simplefilter('ignore')
    import nova.conf
    from nova import objects
    from nova.virt import hardware

    from rtvirt.tests.nova.topology import host_topology

from rtvirt import Flavor
from rtvirt import HostTopology

objects.register_all()
nova.conf.CONF([], project='nova', default_config_files=[])

IMAGE = objects.ImageMeta.from_dict(
    {
        'id': 'c0ffee00-0000-4000-8000-000000000000',
        'name': 'image',
        'properties': {},
    }
)


def to_flavor(flavor: Flavor) -> objects.Flavor:
    """Return nova's object for a flavor."""
    return objects.Flavor(
        name=flavor.name,
        flavorid=flavor.name,
        vcpus=flavor.vcpus,
        memory_mb=flavor.memory_mib,
        root_gb=flavor.disk_gib,
        ephemeral_gb=0,
        swap=0,
        extra_specs=dict(flavor.extra_specs),
    )


def parse(flavor: objects.Flavor) -> objects.InstanceNUMATopology:
    """Derive what a flavor requires, with all of nova's checks."""
    return hardware.numa_get_constraints(flavor, IMAGE)


def find_realtime(flavor: objects.Flavor) -> set[int]:
    """Return the real-time vCPUs of a flavor."""
    found: set[int] = hardware.get_realtime_cpu_constraint(flavor, IMAGE)
    return found


def to_request(flavor: Flavor) -> objects.InstanceNUMATopology:
    """Return what nova derives from a flavor."""
    return parse(to_flavor(flavor))


to_host = host_topology
"""As the tests have it that hold rtvirt's fit against nova's."""


def fit(
    host: objects.NUMATopology,
    request: objects.InstanceNUMATopology,
    **kwargs: object,
) -> objects.InstanceNUMATopology | None:
    """Fit with nova; the request is changed."""
    return hardware.numa_fit_instance_to_host(host, request, None, **kwargs)


def claim(
    host: objects.NUMATopology, fitted: objects.InstanceNUMATopology
) -> objects.NUMATopology:
    """Return the host with the guest on it."""
    return hardware.numa_usage_from_instance_numa(host, fitted)


def release(
    host: objects.NUMATopology, fitted: objects.InstanceNUMATopology
) -> objects.NUMATopology:
    """Return the host without the guest."""
    return hardware.numa_usage_from_instance_numa(host, fitted, free=True)


def is_sound(host: HostTopology, fitted: objects.InstanceNUMATopology) -> bool:
    """Whether nova's answer can be true: its own defects make some false.

    Each dedicated vCPU must have one free pCPU of the host cell that its
    guest cell was given, and the cell's memory must fit there.
    """
    for got in fitted.cells:
        cell = host.cell(got.id)
        pins = set((got.cpu_pinning or {}).values())
        if len(pins) != len(got.pcpuset) or not pins <= set(cell.free):
            return False
        for pool in cell.pages:
            if pool.size_kib == got.pagesize and (
                got.memory * 1024 > pool.free * pool.size_kib
            ):
                return False
    return True
