# SPDX-License-Identifier: Apache-2.0
"""Rows: which CPUs the guest gets and what it sees of them."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Spec
from rtvirt.extraspecs.spec import with_image
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import ThreadPolicy

_POLICIES: Final = (
    *with_image(
        Spec(
            name='hw:cpu_policy',
            kind=Kind.WORD,
            values=tuple(CPUPolicy),
            default='shared',
            description=(
                'Whether vCPUs float over shared pCPUs, have a dedicated '
                'pCPU each, or some of them (mixed).'
            ),
            effect=(
                'Dedicated vCPUs are pinned one to one. The image may ask '
                'for less than the flavor, never for more.'
            ),
            since='2015.1',
            source='get_cpu_policy_constraint',
        ),
        since='2015.1',
    ),
    *with_image(
        Spec(
            name='hw:cpu_thread_policy',
            kind=Kind.WORD,
            values=tuple(ThreadPolicy),
            default='prefer',
            description=(
                'Whether dedicated vCPUs use sibling threads (require), '
                'avoid them (isolate) or take them as they come (prefer).'
            ),
            effect='Decides which pCPUs of a host cell are taken.',
            since='13.0.0',
            source='get_cpu_thread_policy_constraint',
        ),
        since='13.0.0',
    ),
    Spec(
        name='hw:emulator_threads_policy',
        kind=Kind.WORD,
        values=tuple(EmulatorPolicy),
        description=(
            'Where emulator threads run: on a pCPU reserved for them '
            "(isolate) or on the host's shared pCPUs (share). Without it: on "
            'the pCPUs of the vCPUs that are not real-time.'
        ),
        effect='Pins emulator and I/O threads; isolate takes one more pCPU.',
        since='16.0.0',
        source='get_emulator_thread_policy_constraint',
    ),
    Spec(
        name='hw:cpu_dedicated_mask',
        kind=Kind.MASK,
        description='The dedicated vCPUs of a mixed guest; the rest float.',
        effect='Pins these vCPUs. Needs hw:cpu_policy=mixed.',
        since='22.0.0',
        source='get_dedicated_cpu_constraint',
    ),
)

_REALTIME: Final = (
    Spec(
        name='hw:cpu_realtime',
        kind=Kind.TRUTH,
        default='no',
        description='Whether vCPUs run under a real-time scheduler.',
        effect=(
            'Schedules the vCPUs of the mask as rtvirt:scheduler and '
            'rtvirt:priority say, and locks memory.'
        ),
        since='13.0.0',
        source='is_realtime_enabled',
    ),
    *with_image(
        Spec(
            name='hw:cpu_realtime_mask',
            kind=Kind.MASK,
            default='all vCPUs',
            description=(
                "The real-time vCPUs. The image's mask replaces the flavor's. "
                'All vCPUs may be real-time only with '
                'hw:emulator_threads_policy.'
            ),
            effect='The vCPUs left out keep the emulator threads.',
            since='13.0.0',
            source='get_realtime_cpu_constraint',
        ),
        since='13.0.0',
    ),
)


def _topology(what: str, of: str) -> tuple[Spec, ...]:
    return (
        *with_image(
            Spec(
                name=f'hw:cpu_{what}',
                kind=Kind.NUMBER,
                minimum=1,
                is_lenient=True,
                description=f'How many {what} {of} the guest shall see.',
                effect=(
                    'Chooses among the topologies that multiply to the '
                    'number of vCPUs. One that cannot be is ignored.'
                ),
                since='2014.2',
                source='get_best_cpu_topology',
            ),
            since='2014.2',
        ),
        *with_image(
            Spec(
                name=f'hw:cpu_max_{what}',
                kind=Kind.NUMBER,
                minimum=1,
                is_lenient=True,
                description=f'How many {what} {of} the guest may see at most.',
                effect='No topology beyond it is chosen.',
                since='2014.2',
                source='get_cpu_topology_constraints',
            ),
            since='2014.2',
        ),
    )


_QUOTA: Final = (
    Spec(
        name='quota:cpu_shares',
        kind=Kind.NUMBER,
        minimum=0,
        maximum=(1 << 32) - 1,
        description='Weight of the guest among others; relative.',
        effect='Written as <shares>.',
        since='2013.1',
        source='nova.virt.libvirt.driver _update_guest_cputune',
    ),
    Spec(
        name='quota:cpu_period',
        kind=Kind.NUMBER,
        minimum=0,
        maximum=1_000_000,
        form='0, or a whole number from 1000 to 1000000',
        description=(
            'Enforcement period of the quota in microseconds; 0 leaves it to '
            'libvirt.'
        ),
        effect='Written as <period>.',
        since='2013.1',
        source='nova.virt.libvirt.driver _update_guest_cputune',
    ),
    Spec(
        name='quota:cpu_quota',
        kind=Kind.NUMBER,
        maximum=17_592_186_044_415,
        form=(
            '0, a negative number, or a whole number from 1000 to '
            '17592186044415'
        ),
        description=(
            'CPU time per period in microseconds; 0 leaves it to libvirt, a '
            'negative number is no limit.'
        ),
        effect='Written as <quota>.',
        since='2013.1',
        source='nova.virt.libvirt.driver _update_guest_cputune',
    ),
)

_PLACEMENT: Final = (
    Spec(
        name='resources{group}:PCPU',
        kind=Kind.NUMBER,
        is_lenient=True,
        description=(
            'Dedicated pCPUs: as many as vCPUs, one more with '
            'hw:emulator_threads_policy=isolate.'
        ),
        effect='The same as hw:cpu_policy=dedicated.',
        since='20.0.0',
        source='_get_vcpu_pcpu_resources',
    ),
    Spec(
        name='resources{group}:VCPU',
        kind=Kind.NUMBER,
        is_lenient=True,
        description='Shared pCPUs.',
        effect='The same as hw:cpu_policy=shared.',
        since='20.0.0',
        source='_get_vcpu_pcpu_resources',
    ),
    Spec(
        name='trait{group}:HW_CPU_HYPERTHREADING',
        kind=Kind.WORD,
        values=('required', 'forbidden'),
        is_lenient=True,
        description='Whether the host has sibling threads.',
        effect=(
            'required is the same as hw:cpu_thread_policy=require, '
            'forbidden as isolate.'
        ),
        since='20.0.0',
        source='_get_hyperthreading_trait',
    ),
    Spec(
        name='trait:HW_CPU_HYPERTHREADING',
        kind=Kind.WORD,
        values=('required',),
        is_lenient=True,
        description='Whether the host has sibling threads.',
        effect='The same as hw_cpu_thread_policy=require.',
        since='20.0.0',
        source='_get_hyperthreading_trait',
        is_image=True,
        twin='trait{group}:HW_CPU_HYPERTHREADING',
    ),
)

SPECS: Final = (
    *_POLICIES,
    *_REALTIME,
    *_topology('sockets', 'in all'),
    *_topology('cores', 'per socket'),
    *_topology('threads', 'per core'),
    *_QUOTA,
    *_PLACEMENT,
)
