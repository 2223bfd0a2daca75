# SPDX-License-Identifier: Apache-2.0
"""Rules: which vCPUs are real-time, which are dedicated."""

from __future__ import annotations

from rtvirt.exception import CPUSetError
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.request import invalid
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import CPUPolicy
from rtvirt.model.guest import EmulatorPolicy

_MASK = 'hw:cpu_realtime_mask'
_IMAGE_MASK = 'hw_cpu_realtime_mask'
_DEDICATED = 'hw:cpu_dedicated_mask'


def realtime_vcpus(request: Request, emulator: EmulatorPolicy | None) -> int:
    """Return the real-time vCPUs as a mask, 0 where real time is off.

    As nova's ``get_realtime_cpu_constraint``. The flavor's mask is checked
    also where real time is off or the image replaces it.

    :raises ExtraSpecError: if a mask is malformed, empty or out of range,
        or leaves the emulator threads no vCPU.
    """
    specs = request.specs
    own = specs.get(_MASK)
    mask = _resolve(request, _MASK, own, is_bounded=True) if own else 0
    if not specs.get('hw:cpu_realtime'):
        if own:
            request.warn(f'{_MASK} has no effect without hw:cpu_realtime=yes')
        return 0
    key = _MASK
    if image := request.properties.get(_IMAGE_MASK):
        key = _IMAGE_MASK
        mask = _resolve(request, key, image, is_bounded=True)
    everything = (1 << request.flavor.vcpus) - 1
    if not (own or image):
        mask = everything
    if not mask:
        raise request.invalid(
            key, 'a mask that leaves at least one vCPU real-time'
        )
    if mask == everything and not emulator:
        raise request.conflict(
            'all vCPUs are real-time and nothing says where the emulator '
            'threads shall run',
            key,
            'hw:emulator_threads_policy',
            expected='a mask that leaves out a vCPU, as in ^0',
            hint=f'set {_MASK}=^0 or hw:emulator_threads_policy=isolate',
        )
    return mask


def _resolve(
    request: Request, key: str, text: str, *, is_bounded: bool
) -> int:
    """Return the vCPUs of a mask; one that begins with ``^`` takes off."""
    vcpus = request.flavor.vcpus
    try:
        if text.lstrip()[:1] == '^':
            mask = CPUSet.parse(f'0-{vcpus - 1},{text}').mask
        else:
            mask = CPUSet.parse(text).mask
        if '^' in text and is_bounded:
            named = CPUSet.parse(text.replace('^', '')).mask
        else:
            named = mask
    except CPUSetError as error:
        expected = EXTRA_SPECS[_MASK].expected
        raise invalid(key, text, expected, error.hint) from None
    if named >> vcpus:
        beyond = CPUSet.from_mask(named >> vcpus << vcpus)
        raise request.invalid(
            key,
            f'vCPUs from 0 to {vcpus - 1}',
            f'the flavor has no vCPU {beyond}',
        )
    return mask


def dedicated_vcpus(
    request: Request, policy: CPUPolicy | None, realtime: int
) -> int:
    """Return the dedicated vCPUs as a mask.

    :raises ExtraSpecError: if policy and masks do not go together.
    """
    text = request.specs.get(_DEDICATED)
    mask = _dedicated_mask(request, text) if text else 0
    everything = (1 << request.flavor.vcpus) - 1
    if policy is CPUPolicy.MIXED:
        return _mixed(request, mask, realtime)
    if mask:
        raise request.conflict(
            f'{_DEDICATED} needs hw:cpu_policy=mixed, the CPU policy is '
            f'{policy or CPUPolicy.SHARED}',
            _DEDICATED,
            'hw:cpu_policy',
            hint=f'set hw:cpu_policy=mixed or remove {_DEDICATED}',
        )
    if policy is CPUPolicy.DEDICATED:
        return everything
    if realtime:
        raise request.conflict(
            'real-time vCPUs must be dedicated, and the CPU policy is '
            f'{policy or CPUPolicy.SHARED}',
            'hw:cpu_realtime',
            'hw:cpu_policy',
            hint='set hw:cpu_policy=dedicated',
        )
    return 0


def _mixed(request: Request, mask: int, realtime: int) -> int:
    if mask and realtime:
        raise request.conflict(
            'a mixed guest with real-time vCPUs has these dedicated and no '
            'others',
            _DEDICATED,
            'hw:cpu_realtime',
            hint=f'remove {_DEDICATED}',
        )
    if not (mask or realtime):
        raise request.conflict(
            'a mixed guest must say which vCPUs are dedicated',
            'hw:cpu_policy',
            _DEDICATED,
            _MASK,
            hint=f'set {_DEDICATED}, or hw:cpu_realtime=yes and {_MASK}',
        )
    return mask or realtime


def _dedicated_mask(request: Request, text: str) -> int:
    """Return ``hw:cpu_dedicated_mask``, a part of the vCPUs and not all."""
    mask = _resolve(request, _DEDICATED, text, is_bounded=False)
    if not mask or mask == (1 << request.flavor.vcpus) - 1:
        raise request.invalid(
            _DEDICATED, 'a mask that leaves some vCPUs dedicated, some shared'
        )
    return mask
