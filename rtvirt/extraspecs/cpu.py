# SPDX-License-Identifier: Apache-2.0
"""Rules: CPU policy, thread policy and emulator threads.

As nova's ``numa_get_constraints`` and what it calls.
"""

from __future__ import annotations

from typing import Final

from rtvirt.exception import ConflictingExtraSpecs
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.unlisted import group_name
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import ThreadPolicy

_POLICY: Final = 'hw:cpu_policy'
_IMAGE_POLICY: Final = 'hw_cpu_policy'
_THREADS: Final = 'hw:cpu_thread_policy'
_IMAGE_THREADS: Final = 'hw_cpu_thread_policy'
_EMULATOR: Final = 'hw:emulator_threads_policy'
_PCPU: Final = 'resources:PCPU'
_VCPU: Final = 'resources:VCPU'
_TRAIT: Final = 'trait:HW_CPU_HYPERTHREADING'

_RANK: Final = {
    CPUPolicy.SHARED: 0,
    CPUPolicy.MIXED: 1,
    CPUPolicy.DEDICATED: 2,
}
_BY_TRAIT: Final = {
    'required': ThreadPolicy.REQUIRE,
    'forbidden': ThreadPolicy.ISOLATE,
}


def cpu_policy(
    request: Request, emulator: EmulatorPolicy | None
) -> CPUPolicy | None:
    """Return the CPU policy, None where nothing is asked.

    :raises ConflictingExtraSpecs: if the image asks for more than the
        flavor, or resources contradict the policy or the vCPUs.
    """
    specs = request.specs
    flavor: CPUPolicy | None = specs.get(_POLICY)
    image: CPUPolicy | None = request.properties.get(_IMAGE_POLICY)
    if flavor and image and _RANK[image] > _RANK[flavor]:
        allowed = [word for word, rank in _RANK.items() if rank < _RANK[image]]
        raise request.conflict(
            'the image asks for more than the flavor allows',
            _IMAGE_POLICY,
            _POLICY,
            expected=' or '.join(allowed),
            hint='take another flavor or change the image',
        )
    if _PCPU in specs or _VCPU in specs:
        return _policy_of_resources(request, flavor or image, emulator)
    return flavor or image


def _policy_of_resources(
    request: Request,
    policy: CPUPolicy | None,
    emulator: EmulatorPolicy | None,
) -> CPUPolicy | None:
    """Return the policy that ``resources:PCPU`` or ``:VCPU`` stand for."""
    pcpus: int = request.specs.get(_PCPU, 0)
    vcpus: int = request.specs.get(_VCPU, 0)
    keys = _keys_of(request, _PCPU, _VCPU)
    if policy and (pcpus or vcpus):
        raise request.conflict(
            'resources and a CPU policy are both given',
            *keys,
            _POLICY,
            _IMAGE_POLICY,
            expected='one or the other',
            hint=f'remove {keys[0]}: the policy says it all',
        )
    if pcpus and vcpus:
        raise request.conflict(
            'dedicated and shared pCPUs are both asked for',
            *keys,
            expected='one or the other',
            hint=f'set {_POLICY}=mixed for a guest that has both',
        )
    if pcpus:
        _check_pcpus(request, pcpus, emulator)
        return CPUPolicy.DEDICATED
    return CPUPolicy.SHARED if vcpus else policy


def _check_pcpus(
    request: Request, pcpus: int, emulator: EmulatorPolicy | None
) -> None:
    wanted = request.flavor.vcpus
    why = 'one for each vCPU'
    if emulator is EmulatorPolicy.ISOLATE:
        wanted += 1
        why += f' and one for {_EMULATOR}=isolate'
    if pcpus != wanted:
        key = _keys_of(request, _PCPU)[0]
        raise request.conflict(
            f'{pcpus} pCPUs are asked for, {wanted} are needed: {why}',
            *_keys_of(request, _PCPU),
            _EMULATOR,
            expected=str(wanted),
            hint=f'set {key}={wanted}, or {_POLICY}=dedicated in its place',
        )


def _keys_of(request: Request, *names: str) -> list[str]:
    """Return the extra specs of any request group, as they are written."""
    return [
        key for key in request.flavor.extra_specs if group_name(key) in names
    ]


def thread_policy(request: Request) -> ThreadPolicy | None:
    """Return the CPU thread policy, None where nothing is asked.

    :raises ConflictingExtraSpecs: if flavor, image and trait disagree.
    """
    flavor: ThreadPolicy | None = request.specs.get(_THREADS)
    image: ThreadPolicy | None = request.properties.get(_IMAGE_THREADS)
    if image and flavor not in (None, ThreadPolicy.PREFER, image):
        raise request.conflict(
            'flavor and image disagree',
            _IMAGE_THREADS,
            _THREADS,
            expected=str(flavor),
            hint='take another flavor or change the image',
        )
    policy = flavor or image
    if _TRAIT in request.specs:
        trait: str | None = request.specs[_TRAIT]
    elif request.properties.get(_TRAIT) == 'required':
        trait = 'required'
    else:
        return policy
    if policy and trait:
        key = _trait_key(request)
        raise request.conflict(
            'the trait and a CPU thread policy are both given',
            key,
            _THREADS,
            _IMAGE_THREADS,
            expected='one or the other',
            hint=f'remove {key}: the policy says it all',
        )
    return _BY_TRAIT.get(trait or '', policy)


def _trait_key(request: Request) -> str:
    return (*_keys_of(request, _TRAIT), _TRAIT)[0]


def check_policies(
    request: Request,
    policy: CPUPolicy | None,
    threads: ThreadPolicy | None,
    emulator: EmulatorPolicy | None,
) -> None:
    """Refuse for floating vCPUs what makes sense only for dedicated ones.

    :raises ConflictingExtraSpecs: naming what needs them.
    """
    if policy is CPUPolicy.DEDICATED or policy is CPUPolicy.MIXED:
        return
    if threads:
        keys = request.present(_THREADS, _IMAGE_THREADS)
        raise needs_dedicated(request, (*keys, _trait_key(request))[0])
    if emulator is EmulatorPolicy.ISOLATE:
        raise needs_dedicated(request, _EMULATOR)


def needs_dedicated(request: Request, key: str) -> ConflictingExtraSpecs:
    """Return the error for a guest without the dedicated vCPUs it needs."""
    return request.conflict(
        'this needs dedicated vCPUs, and the guest has none',
        key,
        _POLICY,
        _IMAGE_POLICY,
        expected='a guest with dedicated vCPUs',
        hint=f'set {_POLICY}=dedicated or remove {key}',
    )
