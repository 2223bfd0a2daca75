# SPDX-License-Identifier: Apache-2.0
"""Rules: the sockets, cores and threads that the guest sees.

As nova's ``get_cpu_topology_constraints`` and ``get_best_cpu_topology``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from collections.abc import Mapping
from typing import Any
from typing import Final

from rtvirt.extraspecs.request import Request
from rtvirt.model.guest import CPUTopology

_PARTS: Final = ('sockets', 'cores', 'threads')


def _names(stem: str) -> tuple[str, ...]:
    return tuple(stem + part for part in _PARTS)


_WANTED: Final = _names('hw:cpu_')
_LIMITS: Final = _names('hw:cpu_max_')
_IMAGE_WANTED: Final = _names('hw_cpu_')
_IMAGE_LIMITS: Final = _names('hw_cpu_max_')
_KEYS: Final = frozenset(_WANTED + _LIMITS + _IMAGE_WANTED + _IMAGE_LIMITS)
_UNLIMITED: Final = 65536

_Triple = tuple[int, int, int]


def cpu_topology(request: Request) -> CPUTopology:
    """Return the topology that suits the flavor and the image best.

    :raises ExtraSpecError: if the image asks for more than the flavor
        allows, or no topology keeps the limits.
    """
    vcpus = request.flavor.vcpus
    if _KEYS.isdisjoint(request.specs) and (
        not request.properties or _KEYS.isdisjoint(request.properties)
    ):
        return _sockets(vcpus)
    limits = _limits(request)
    wanted = _wanted(request, limits)
    sockets, cores, threads = _best(request, limits, wanted)
    for part, want, have in zip(
        _PARTS, wanted, (sockets, cores, threads), strict=True
    ):
        if want not in (0, have):
            request.warn(
                f'{vcpus} vCPUs cannot have {want} {part} as asked: they '
                f'have {have}'
            )
    return CPUTopology(sockets=sockets, cores=cores, threads=threads)


# Most guests have it, and it takes a tenth of the time of the simplest one.
@functools.cache
def _sockets(vcpus: int) -> CPUTopology:
    return CPUTopology(sockets=vcpus)


def _limits(request: Request) -> _Triple:
    """Return the most sockets, cores and threads that are allowed."""
    limits = []
    for key, image_key in zip(_LIMITS, _IMAGE_LIMITS, strict=True):
        ours = request.specs.get(key, 0)
        theirs = request.properties.get(image_key, 0)
        if ours < 0:
            raise request.invalid(key)
        if ours and theirs > ours:
            raise request.conflict(
                'the image allows more than the flavor',
                key,
                image_key,
                expected=f'{image_key} of at most {ours}',
                hint=f'lower {image_key} or take another flavor',
            )
        limits.append(theirs or ours or _UNLIMITED)
    sockets, cores, threads = limits
    return sockets, cores, threads


def _wanted(request: Request, limits: _Triple) -> _Triple:
    """Return what is preferred; zeros stand for no preference.

    Whatever the image prefers puts all of the flavor's preferences aside;
    one of the flavor's beyond a limit does so too.
    """
    image = _triple(request.properties, _IMAGE_WANTED)
    for key, wish, limit in zip(_IMAGE_WANTED, image, limits, strict=True):
        if wish > limit:
            raise request.conflict(
                f'the image asks for {wish}, at most {limit} are allowed',
                key,
                *_LIMITS,
                *_IMAGE_LIMITS,
                expected=f'at most {limit}',
                hint=f'lower {key} or take another flavor',
            )
    if any(image):
        return image
    flavor = _triple(request.specs, _WANTED)
    return (0, 0, 0) if any(map(int.__gt__, flavor, limits)) else flavor


def _triple(values: Mapping[str, Any], keys: tuple[str, ...]) -> _Triple:
    sockets, cores, threads = (values.get(key, 0) for key in keys)
    return sockets, cores, threads


def _best(request: Request, limits: _Triple, wanted: _Triple) -> _Triple:
    """Return the possible topology with most wishes met.

    Among equals: most cores in all, then most sockets.
    """
    best = max(
        _possible(request.flavor.vcpus, limits),
        key=lambda have: (
            sum(map(int.__eq__, wanted, have)),
            have[0] * have[1],
            have[0],
        ),
        default=None,
    )
    if best is None:
        raise request.conflict(
            f'{request.flavor.vcpus} vCPUs cannot be made of at most '
            f'{limits[0]} sockets, {limits[1]} cores each and {limits[2]} '
            'threads each',
            *_LIMITS,
            *_IMAGE_LIMITS,
            expected=f'limits that allow {request.flavor.vcpus} vCPUs',
            hint='raise one of them',
        )
    return best


def _possible(vcpus: int, limits: _Triple) -> Iterator[_Triple]:
    """Yield every topology that multiplies to ``vcpus`` within limits."""
    for sockets in _divisors(vcpus):
        if sockets <= limits[0]:
            for cores in _divisors(vcpus // sockets):
                threads = vcpus // sockets // cores
                if cores <= limits[1] and threads <= limits[2]:
                    yield sockets, cores, threads


def _divisors(number: int) -> set[int]:
    low = [n for n in range(1, math.isqrt(number) + 1) if not number % n]
    return {*low, *(number // n for n in low)}
