# SPDX-License-Identifier: Apache-2.0
"""Rules: which vCPUs are real-time, which are dedicated."""

from __future__ import annotations

from typing import Final

from rtvirt.exception import CPUSetError
from rtvirt.extraspecs.cpu import needs_dedicated
from rtvirt.extraspecs.request import Request
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.cpuset import parse_terms
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy

_REALTIME: Final = 'hw:cpu_realtime'
_MASK: Final = 'hw:cpu_realtime_mask'
_IMAGE_MASK: Final = 'hw_cpu_realtime_mask'
_DEDICATED: Final = 'hw:cpu_dedicated_mask'
_POLICY: Final = 'hw:cpu_policy'
_IMAGE_POLICY: Final = 'hw_cpu_policy'
_EMULATOR: Final = 'hw:emulator_threads_policy'
_NONE: Final = CPUSet()


def realtime_vcpus(
    request: Request, emulator: EmulatorPolicy | None
) -> CPUSet:
    """Return the real-time vCPUs; none where real time is off.

    As nova's ``get_realtime_cpu_constraint``. The flavor's mask is checked
    also where real time is off or the image replaces it.

    :raises ExtraSpecError: if a mask is malformed, empty or out of range,
        or leaves the emulator threads no vCPU.
    """
    key = _MASK
    text: str | None = request.specs.get(_MASK)
    mask = _resolve(request, _MASK, text, is_bounded=True) if text else None
    if not request.specs.get(_REALTIME):
        if text:
            request.warn(f'{_MASK} has no effect without {_REALTIME}=yes')
        return _NONE
    if image := request.properties.get(_IMAGE_MASK):
        key = _IMAGE_MASK
        mask = _resolve(request, key, image, is_bounded=True)
    everything = (1 << request.flavor.vcpus) - 1
    if mask is None:
        mask = everything
    if not mask:
        raise request.invalid(
            key,
            'a mask that leaves at least one vCPU real-time',
            f'set {_REALTIME}=no for a guest without real-time vCPUs',
        )
    if mask == everything and not emulator:
        raise request.conflict(
            f'all {request.flavor.vcpus} vCPUs are real-time, and nothing '
            'says where the emulator threads run',
            key,
            _REALTIME,
            expected='a mask that leaves out a vCPU, as in ^0',
            hint=f'set {_MASK}=^0 or {_EMULATOR}=isolate',
        )
    return CPUSet.from_mask(mask)


def _resolve(
    request: Request, key: str, text: str, *, is_bounded: bool
) -> int:
    """Return the vCPUs of a mask; one that begins with ``^`` takes off.

    :param is_bounded: whether also what is taken off must be a vCPU.
    """
    vcpus = request.flavor.vcpus
    try:
        included, excluded = parse_terms(text)
    except CPUSetError as error:
        raise request.invalid(key, hint=error.hint) from None
    if text.lstrip()[:1] == '^':
        included |= (1 << vcpus) - 1
    mask = included & ~excluded
    named = included | excluded if is_bounded else mask
    if named >> vcpus:
        beyond = CPUSet.from_mask(named >> vcpus << vcpus)
        raise request.invalid(
            key,
            f'vCPUs from 0 to {vcpus - 1}',
            f'the flavor has {vcpus} vCPUs: take {beyond} off the mask',
        )
    return mask


def dedicated_vcpus(
    request: Request, policy: CPUPolicy | None, realtime: int
) -> int:
    """Return the dedicated vCPUs as a mask.

    :param realtime: the real-time vCPUs, as a mask.
    :raises ExtraSpecError: if policy and masks do not go together.
    """
    text: str | None = request.specs.get(_DEDICATED)
    mask = _dedicated_mask(request, text) if text else 0
    if policy is CPUPolicy.MIXED:
        return _mixed(request, mask, realtime)
    if mask:
        raise request.conflict(
            f'only mixed guests have the mask, and this one is '
            f'{policy or CPUPolicy.SHARED}',
            _DEDICATED,
            _POLICY,
            _IMAGE_POLICY,
            expected=f'{_POLICY}=mixed',
            hint=f'set {_POLICY}=mixed or remove {_DEDICATED}',
        )
    if policy is CPUPolicy.DEDICATED:
        return (1 << request.flavor.vcpus) - 1
    if realtime:
        raise needs_dedicated(request, _REALTIME)
    return 0


def _mixed(request: Request, mask: int, realtime: int) -> int:
    if mask and realtime:
        raise request.conflict(
            'the real-time vCPUs of a mixed guest are its dedicated ones',
            _DEDICATED,
            _REALTIME,
            expected='one or the other',
            hint=f'remove {_DEDICATED} or {_REALTIME}',
        )
    if not (mask or realtime):
        raise request.conflict(
            'nothing says which vCPUs of a mixed guest are dedicated',
            _POLICY,
            _IMAGE_POLICY,
            expected=f'{_DEDICATED} or {_REALTIME}=yes',
            hint=f'set {_DEDICATED}, or {_REALTIME}=yes and {_MASK}',
        )
    return mask or realtime


def _dedicated_mask(request: Request, text: str) -> int:
    """Return ``hw:cpu_dedicated_mask``: some of the vCPUs, not all.

    As nova's ``get_dedicated_cpu_constraint``, whatever the policy.
    """
    mask = _resolve(request, _DEDICATED, text, is_bounded=False)
    if not mask or mask == (1 << request.flavor.vcpus) - 1:
        raise request.invalid(
            _DEDICATED,
            'a mask that leaves some vCPUs dedicated and some shared',
            f'set {_POLICY}=dedicated or shared for a guest of one sort',
        )
    return mask
