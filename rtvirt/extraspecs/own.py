# SPDX-License-Identifier: Apache-2.0
"""Rules: the ``rtvirt:`` extra specs, with each other and with nova's."""

from __future__ import annotations

from typing import Final

from rtvirt.exception import CPUSetError
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.value import read_number
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import HaltPoll
from rtvirt.model.guest import L3Policy

_PRIORITY: Final = 'rtvirt:priority'
_DEFAULT_PRIORITY: Final = 1
_MAX_TEXT: Final = 1 << 16
_NEED_REALTIME: Final = (
    'rtvirt:scheduler',
    _PRIORITY,
    'rtvirt:cache_mib',
    'rtvirt:memory_bandwidth',
)


def check_own(
    request: Request,
    dedicated: int,
    realtime: int,
    emulator: EmulatorPolicy | None,
) -> None:
    """Refuse ``rtvirt:`` extra specs that have nothing to act upon.

    :param dedicated: the dedicated vCPUs, as a mask.
    :param realtime: the real-time vCPUs, as a mask.
    :raises ConflictingExtraSpecs: naming what is missing.
    """
    specs = request.specs
    if not realtime:
        for key in _NEED_REALTIME:
            if key in specs:
                raise _needs_realtime(request, key)
    if specs.get('rtvirt:emulator_priority'):
        if not realtime:
            raise _needs_realtime(request, 'rtvirt:emulator_priority')
        if emulator is EmulatorPolicy.SHARE:
            request.warn(
                'rtvirt:emulator_priority lets the emulator threads crowd out '
                'other guests on the shared pCPUs: '
                'hw:emulator_threads_policy=isolate keeps them apart'
            )
    if not dedicated:
        for key, idle in (
            ('rtvirt:l3_policy', L3Policy.NONE),
            ('rtvirt:halt_poll', HaltPoll.HOST),
        ):
            if specs.get(key, idle) is not idle:
                raise request.conflict(
                    f'{key}={specs[key]} needs dedicated vCPUs, and this '
                    'guest has none',
                    key,
                    'hw:cpu_policy',
                    hint='set hw:cpu_policy=dedicated',
                )


def _needs_realtime(request: Request, key: str) -> Exception:
    return request.conflict(
        f'{key} needs real-time vCPUs, and this guest has none',
        key,
        'hw:cpu_realtime',
        hint='set hw:cpu_realtime=yes',
    )


def priorities(request: Request, realtime: int) -> FrozenDict[int, int]:
    """Return the priority of each real-time vCPU.

    :param realtime: the real-time vCPUs, as a mask.
    :raises InvalidExtraSpec: if a priority is out of range or names a vCPU
        that is not real-time or has one already.
    """
    text = request.specs.get(_PRIORITY)
    vcpus = CPUSet.from_mask(realtime)
    if text is None:
        return FrozenDict(dict.fromkeys(vcpus, _DEFAULT_PRIORITY))
    if len(text) > _MAX_TEXT:
        raise request.invalid(_PRIORITY, EXTRA_SPECS[_PRIORITY].expected)
    if '=' not in text:
        return FrozenDict(dict.fromkeys(vcpus, _one(request, text)))
    chosen = dict.fromkeys(vcpus, _DEFAULT_PRIORITY)
    seen = 0
    for item in text.split(','):
        which, _, priority = item.partition('=')
        try:
            named = CPUSet.parse(which)
        except CPUSetError:
            named = CPUSet()
        if not named:
            raise request.invalid(_PRIORITY, EXTRA_SPECS[_PRIORITY].expected)
        if stray := named.mask & ~realtime:
            raise request.invalid(
                _PRIORITY,
                f'priorities of the real-time vCPUs {vcpus}',
                f'vCPU {CPUSet.from_mask(stray)} is not real-time',
            )
        if twice := named.mask & seen:
            raise request.invalid(
                _PRIORITY,
                'one priority for each vCPU',
                f'vCPU {CPUSet.from_mask(twice)} has two',
            )
        seen |= named.mask
        chosen.update(dict.fromkeys(named, _one(request, priority)))
    return FrozenDict(chosen)


def _one(request: Request, text: str) -> int:
    try:
        priority = read_number(text)
    except ValueError:
        priority = 0
    if not 1 <= priority <= 99:
        raise request.invalid(_PRIORITY, EXTRA_SPECS[_PRIORITY].expected)
    return priority
