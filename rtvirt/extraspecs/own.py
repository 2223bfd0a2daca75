# SPDX-License-Identifier: Apache-2.0
"""Rules: the ``rtvirt:`` extra specs, with each other and with nova's."""

from __future__ import annotations

from typing import Final

from rtvirt.exception import ConflictingExtraSpecs
from rtvirt.exception import CPUSetError
from rtvirt.extraspecs.catalog import EXTRA_SPECS
from rtvirt.extraspecs.cpu import needs_dedicated
from rtvirt.extraspecs.request import Request
from rtvirt.extraspecs.value import read_number
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.guest import EmulatorPolicy
from rtvirt.model.guest import HaltPoll
from rtvirt.model.guest import L3Policy

_PREFIX: Final = 'rtvirt:'
_PRIORITY: Final = 'rtvirt:priority'
_EMULATOR_PRIORITY: Final = 'rtvirt:emulator_priority'
_NAMES: Final = frozenset(n for n in EXTRA_SPECS if n.startswith(_PREFIX))
_NEED_REALTIME: Final = (
    'rtvirt:scheduler',
    _PRIORITY,
    'rtvirt:cache_mib',
    'rtvirt:memory_bandwidth',
    _EMULATOR_PRIORITY,
)
_NEED_DEDICATED: Final = {
    'rtvirt:l3_policy': L3Policy.NONE,
    'rtvirt:halt_poll': HaltPoll.HOST,
}
_DEFAULT_PRIORITY: Final = 1
_NONE: Final = FrozenDict[int, int]()
_MAX_TEXT: Final = 1 << 16


def check_own(
    request: Request,
    dedicated: int,
    realtime: CPUSet,
    emulator: EmulatorPolicy | None,
) -> None:
    """Refuse what has nothing to act upon.

    :param dedicated: the dedicated vCPUs, as a mask.
    :param realtime: the real-time vCPUs.
    :raises ConflictingExtraSpecs: naming what is missing.
    """
    specs = request.specs
    if _NAMES.isdisjoint(specs):
        return
    for key in _NEED_REALTIME:
        if specs.get(key, 0) != 0 and not realtime:
            raise _needs_realtime(request, key)
    for key, idle in _NEED_DEDICATED.items():
        if specs.get(key, idle) is not idle and not dedicated:
            raise needs_dedicated(request, key)
    if specs.get(_EMULATOR_PRIORITY) and emulator is EmulatorPolicy.SHARE:
        request.warn(
            f'{_EMULATOR_PRIORITY} puts the emulator threads before '
            'whatever else runs on the shared pCPUs: '
            'hw:emulator_threads_policy=isolate keeps them apart'
        )


def _needs_realtime(request: Request, key: str) -> ConflictingExtraSpecs:
    return request.conflict(
        'this needs real-time vCPUs, and the guest has none',
        key,
        'hw:cpu_realtime',
        expected='a guest with real-time vCPUs',
        hint=f'set hw:cpu_realtime=yes or remove {key}',
    )


def priorities(request: Request, realtime: CPUSet) -> FrozenDict[int, int]:
    """Return the priority of each real-time vCPU.

    :raises InvalidExtraSpec: if one is out of range, or names a vCPU that
        is not real-time or has another.
    """
    if not realtime.mask:
        return _NONE
    text: str | None = request.specs.get(_PRIORITY)
    if text is None:
        return FrozenDict(dict.fromkeys(realtime, _DEFAULT_PRIORITY))
    if len(text) > _MAX_TEXT:
        raise request.invalid(_PRIORITY)
    if '=' not in text:
        return FrozenDict(dict.fromkeys(realtime, _level(request, text)))
    chosen = dict.fromkeys(realtime, _DEFAULT_PRIORITY)
    seen = 0
    for item in text.split(','):
        which, _, level = item.partition('=')
        named = _named(request, which)
        if stray := named - realtime:
            raise request.invalid(
                _PRIORITY,
                f'priorities of the real-time vCPUs, {realtime}',
                f'vCPU {stray} is not real-time: see hw:cpu_realtime_mask',
            )
        if twice := named.mask & seen:
            raise request.invalid(
                _PRIORITY,
                'one priority for each vCPU',
                f'vCPU {CPUSet.from_mask(twice)} has two',
            )
        seen |= named.mask
        chosen.update(dict.fromkeys(named, _level(request, level)))
    return FrozenDict(chosen)


def _named(request: Request, text: str) -> CPUSet:
    """Return the vCPUs of one item: a number or a range of them."""
    try:
        named = CPUSet.parse(text)
    except CPUSetError:
        named = CPUSet()
    if not named:
        raise request.invalid(_PRIORITY)
    return named


def _level(request: Request, text: str) -> int:
    try:
        level = read_number(text)
    except ValueError:
        level = 0
    if not 1 <= level <= 99:
        raise request.invalid(_PRIORITY)
    return level
