# SPDX-License-Identifier: Apache-2.0
"""What nova makes of a flavor and an image: its API's checks and compute's."""

import functools
import re
from typing import Any
from unittest import mock

import nova.conf
from nova import exception
from nova import objects
from nova.api.validation.extra_specs import validators
from nova.virt import hardware
from nova.virt.libvirt import config
from nova.virt.libvirt import driver

from rtvirt.tests.flavors import Case

objects.register_all()
nova.conf.CONF([], project='nova', default_config_files=[])
nova.conf.CONF.set_override('virt_type', 'kvm', 'libvirt')

_IMAGE_ID = 'c0ffee00-0000-4000-8000-000000000000'
_PAGE_WORDS = {
    hardware.MEMPAGES_SMALL: 'small',
    hardware.MEMPAGES_LARGE: 'large',
    hardware.MEMPAGES_ANY: 'any',
}


class RefusedError(Exception):
    """nova says no; the cause says why."""


def flavor_of(case: Case) -> Any:
    """Return nova's object of a case's flavor."""
    return objects.Flavor(
        name='f',
        flavorid='f',
        vcpus=case.vcpus,
        memory_mb=case.memory_mib,
        root_gb=1,
        ephemeral_gb=0,
        swap=0,
        extra_specs=dict(case.specs),
    )


def image_of(case: Case) -> Any:
    """Return nova's object of a case's image."""
    return objects.ImageMeta.from_dict(
        {'id': _IMAGE_ID, 'name': 'i', 'properties': dict(case.image)}
    )


def outcome(case: Case) -> dict[str, Any]:
    """Return the facts of a case, named as ``rtvirt.tests.outcome`` does.

    Refused as what the flavor API refuses: an unknown ``hw:`` name. Then
    what ``nova.compute.api`` checks at a boot
    (``_validate_flavor_image_numa_pci``, ``_validate_and_build_base_options``)
    and what nova-compute reads.

    :raises RefusedError: if any part of nova refuses it.
    """
    try:
        return _outcome(case)
    # A bare ValueError is among what nova answers with.
    except (exception.NovaException, ValueError, NotImplementedError) as error:
        raise RefusedError(f'{type(error).__name__}: {error}') from error


@functools.cache
def is_known(name: str) -> bool:
    """Return whether the flavor API knows the name of an extra spec."""
    return any(
        re.fullmatch(validator.name_regex, name)
        for validator in validators.VALIDATORS.values()
    )


def _outcome(case: Case) -> dict[str, Any]:
    for name in case.specs:
        if name.startswith('hw:') and not is_known(name):
            raise exception.ValidationError(name)
    flavor = flavor_of(case)
    image = image_of(case)
    hardware.get_mem_encryption_constraint(flavor, image)
    hardware.get_cpu_topology_constraints(flavor, image)
    hardware.get_vif_multiqueue_constraint(flavor, image)
    numa = hardware.numa_get_constraints(flavor, image)
    topology = hardware.get_best_cpu_topology(flavor, image)
    realtime = hardware.get_realtime_cpu_constraint(flavor, image)
    locked = hardware.get_locked_memory_constraint(flavor, image)
    return {
        **_numa_facts(numa),
        'realtime': hardware.format_cpu_spec(realtime or set()),
        'locked': bool(realtime or locked),
        'pmu': hardware.get_pmu_constraint(flavor, image),
        'hidden': _is_hidden(flavor, image),
        'pci': hardware.get_pci_numa_policy_constraint(flavor, image) or None,
        'topology': (topology.sockets, topology.cores, topology.threads),
        'quota': _quota(flavor),
    }


def _numa_facts(numa: Any) -> dict[str, Any]:
    if numa is None:
        return {
            'policy': 'shared', 'threads': None, 'emulator': None, 'cells': [],
        }  # fmt: skip
    first = numa.cells[0]
    return {
        'policy': first.cpu_policy or 'shared',
        'threads': first.cpu_thread_policy,
        'emulator': numa.emulator_threads_policy,
        'cells': [
            (
                hardware.format_cpu_spec(cell.cpuset),
                hardware.format_cpu_spec(cell.pcpuset),
                cell.memory,
                _PAGE_WORDS.get(cell.pagesize, cell.pagesize or None),
            )
            for cell in numa.cells
        ],
    }


def _is_hidden(flavor: Any, image: Any) -> bool:
    guest = config.LibvirtConfigGuest()
    driver.LibvirtDriver._set_features(mock.Mock(), guest, None, image, flavor)
    return any(
        isinstance(feature, config.LibvirtConfigGuestFeatureKvmHidden)
        for feature in guest.features
    )


def _quota(flavor: Any) -> tuple[int | None, ...]:
    """Return shares, period and quota as libvirt would see them.

    Zero is libvirt's "not given" for the latter two, any negative quota its
    "no limit".
    """
    guest = config.LibvirtConfigGuest()
    driver.LibvirtDriver._update_guest_cputune(mock.Mock(), guest, flavor)
    tune = guest.cputune or config.LibvirtConfigGuestCPUTune()
    quota = tune.quota and max(tune.quota, -1)
    return tune.shares, tune.period or None, quota or None
