# SPDX-License-Identifier: Apache-2.0
"""Rows: features of the guest that rtvirt writes or checks."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Spec
from rtvirt.extraspecs.spec import with_image

_HIDE: Final = 'Whether the hypervisor hides itself from the guest.'
_HIDDEN: Final = 'Written as <kvm><hidden>. One of the three suffices.'

SPECS: Final = (
    *with_image(
        Spec(
            name='hw:pmu',
            kind=Kind.TRUTH,
            description='Whether the guest has a PMU.',
            effect='Written as <pmu>.',
            since='20.0.0',
            source='get_pmu_constraint',
        ),
        since='20.0.0',
    ),
    Spec(
        name='hw:hide_hypervisor_id',
        kind=Kind.TRUTH,
        default='no',
        description=_HIDE,
        effect=_HIDDEN,
        since='22.0.0',
        source='nova.virt.libvirt.driver _set_features',
        twin='img_hide_hypervisor_id',
    ),
    Spec(
        name='hide_hypervisor_id',
        kind=Kind.TRUTH,
        default='no',
        description=f'{_HIDE} The deprecated name.',
        effect=_HIDDEN,
        since='18.0.0',
        source='nova.virt.libvirt.driver _set_features',
        twin='img_hide_hypervisor_id',
    ),
    Spec(
        name='img_hide_hypervisor_id',
        kind=Kind.TRUTH,
        default='no',
        description=_HIDE,
        effect=_HIDDEN,
        since='16.0.0',
        source='nova.virt.libvirt.driver _set_features',
        is_image=True,
        twin='hw:hide_hypervisor_id',
    ),
    *with_image(
        Spec(
            name='hw:vif_multiqueue_enabled',
            kind=Kind.TRUTH,
            default='no',
            description='Whether virtio network devices have many queues.',
            effect='Flavor and image must agree; the rest is left to nova.',
            since='25.0.0',
            source='get_vif_multiqueue_constraint',
        ),
        since='12.0.0',
    ),
)
