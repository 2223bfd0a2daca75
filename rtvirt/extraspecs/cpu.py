# SPDX-License-Identifier: Apache-2.0
"""Rules: CPU policy, thread policy and emulator threads.

As nova's ``numa_get_constraints`` and what it calls.
"""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.request import Request
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import ThreadPolicy

_RANK: Final = {
    CPUPolicy.SHARED: 0,
    CPUPolicy.MIXED: 1,
    CPUPolicy.DEDICATED: 2,
}
_TRAIT: Final = 'trait:HW_CPU_HYPERTHREADING'
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
    flavor: CPUPolicy | None = request.specs.get('hw:cpu_policy')
    image: CPUPolicy | None = request.properties.get('hw_cpu_policy')
    if flavor and image and _RANK[image] > _RANK[flavor]:
        raise request.conflict(
            f'the flavor has hw:cpu_policy={flavor}, the image '
            f'hw_cpu_policy={image}: an image may not ask for more than the '
            'flavor',
            'hw_cpu_policy',
            'hw:cpu_policy',
            expected=' or '.join(
                policy for policy in _RANK if _RANK[policy] <= _RANK[flavor]
            ),
            hint='take another flavor or change the image',
        )
    policy = flavor or image
    keys = [key for key in request.specs if key[:9] == 'resources']
    return (
        _policy_of_resources(request, keys, policy, emulator)
        if keys
        else policy
    )


def _policy_of_resources(
    request: Request,
    keys: list[str],
    policy: CPUPolicy | None,
    emulator: EmulatorPolicy | None,
) -> CPUPolicy | None:
    """Return the policy that ``resources:PCPU`` or ``:VCPU`` stand for."""
    vcpus = sum(request.specs[k] for k in keys if k.endswith(':VCPU'))
    pcpus = sum(request.specs[k] for k in keys if k.endswith(':PCPU'))
    if policy and (vcpus or pcpus):
        raise request.conflict(
            f'{keys[0]} and the CPU policy {policy} are both given',
            keys[0],
            'hw:cpu_policy'
            if 'hw:cpu_policy' in request.specs
            else 'hw_cpu_policy',
            hint='use one or the other',
        )
    if vcpus and pcpus:
        raise request.conflict(
            'resources:VCPU and resources:PCPU are both given',
            *keys,
            hint='use hw:cpu_policy=mixed for a guest that has both',
        )
    if pcpus:
        _check_pcpus(request, keys, pcpus, emulator)
        return CPUPolicy.DEDICATED
    return CPUPolicy.SHARED if vcpus else policy


def _check_pcpus(
    request: Request,
    keys: list[str],
    pcpus: int,
    emulator: EmulatorPolicy | None,
) -> None:
    wanted = request.flavor.vcpus
    why = 'vCPUs'
    if emulator is EmulatorPolicy.ISOLATE:
        wanted += 1
        why = 'vCPUs and one for hw:emulator_threads_policy=isolate'
    if pcpus != wanted:
        key = next(k for k in keys if k.endswith(':PCPU'))
        raise request.conflict(
            f'{key} asks for {pcpus} pCPUs, the guest needs {wanted}: its '
            f'{request.flavor.vcpus} {why}',
            key,
            'hw:emulator_threads_policy',
            expected=str(wanted),
            hint=f'set {key}={wanted}, or use hw:cpu_policy=dedicated',
        )


def thread_policy(request: Request) -> ThreadPolicy | None:
    """Return the CPU thread policy, None where nothing is asked.

    :raises ConflictingExtraSpecs: if flavor, image and trait disagree.
    """
    flavor: ThreadPolicy | None = request.specs.get('hw:cpu_thread_policy')
    image: ThreadPolicy | None = request.properties.get('hw_cpu_thread_policy')
    policy = flavor or image
    if image and policy is not image and policy is not ThreadPolicy.PREFER:
        raise request.conflict(
            f'the flavor has hw:cpu_thread_policy={flavor}, the image '
            f'hw_cpu_thread_policy={image}',
            'hw_cpu_thread_policy',
            'hw:cpu_thread_policy',
            expected=str(flavor),
            hint='take another flavor or change the image',
        )
    trait_key, trait = _hyperthreading_trait(request)
    if policy and trait:
        raise request.conflict(
            f'{trait_key} and the CPU thread policy {policy} are both given',
            trait_key,
            'hw:cpu_thread_policy' if flavor else 'hw_cpu_thread_policy',
            hint='use one or the other',
        )
    return _BY_TRAIT.get(trait, policy)


def _hyperthreading_trait(request: Request) -> tuple[str, str]:
    """Return the key and the value of the first trait, or empty strings."""
    for key, value in request.specs.items():
        if key[:5] == 'trait':
            return key, value or ''
    if request.properties.get(_TRAIT) == 'required':
        return _TRAIT, 'required'
    return '', ''


def check_policies(
    request: Request,
    policy: CPUPolicy | None,
    threads: ThreadPolicy | None,
    emulator: EmulatorPolicy | None,
) -> None:
    """Refuse what makes sense only for dedicated vCPUs.

    :raises ConflictingExtraSpecs: if the guest's vCPUs all float.
    """
    if policy in (CPUPolicy.DEDICATED, CPUPolicy.MIXED):
        return
    if threads:
        key = 'hw:cpu_thread_policy'
        if not request.specs.get(key):
            key = 'hw_cpu_thread_policy'
        if not request.properties.get(key):
            key = _hyperthreading_trait(request)[0] or 'hw:cpu_thread_policy'
        raise _needs_dedicated(request, key, f'the thread policy {threads}')
    if emulator is EmulatorPolicy.ISOLATE:
        key = 'hw:emulator_threads_policy'
        raise _needs_dedicated(request, key, f'{key}=isolate')


def _needs_dedicated(request: Request, key: str, what: str) -> Exception:
    return request.conflict(
        f'{what} needs dedicated vCPUs, and this guest has none',
        key,
        'hw:cpu_policy',
        hint='set hw:cpu_policy=dedicated',
    )
