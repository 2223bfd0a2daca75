# SPDX-License-Identifier: Apache-2.0
"""Rules: the sockets, cores and threads that the guest sees.

As nova's ``get_cpu_topology_constraints`` and ``get_best_cpu_topology``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rtvirt.extraspecs.request import Request
from rtvirt.model.guest import CPUTopology

_PARTS: Final = ('sockets', 'cores', 'threads')
_KEYS: Final = tuple(
    f'{prefix}cpu_{limit}{part}'
    for prefix in ('hw:', 'hw_')
    for limit in ('', 'max_')
    for part in _PARTS
)
_UNLIMITED: Final = 65536

_Triple = tuple[int, int, int]


def cpu_topology(request: Request) -> CPUTopology:
    """Return the topology that suits the flavor and the image best.

    :raises ExtraSpecError: if the image asks for more than the flavor
        allows, or no topology keeps the limits.
    """
    specs = request.specs
    properties = request.properties
    if not any(key in specs or key in properties for key in _KEYS):
        return CPUTopology(sockets=request.flavor.vcpus)
    limits = _limits(request)
    wanted = _wanted(request, limits)
    best = max(
        _possible(request.flavor.vcpus, limits),
        key=lambda have: (
            sum(map(_matches, wanted, have)),
            have[0] * have[1],
            have[0],
            have[2],
        ),
        default=None,
    )
    if best is None:
        raise request.conflict(
            f'{request.flavor.vcpus} vCPUs cannot be made of at most '
            f'{limits[0]} sockets, {limits[1]} cores and {limits[2]} threads',
            *_given(request, 'max_'),
            hint='raise a limit',
        )
    if any(map(_misses, wanted, best)):
        request.warn(
            f'{request.flavor.vcpus} vCPUs cannot have the sockets, cores '
            f'and threads asked for: they are {best[0]}, {best[1]}, {best[2]}'
        )
    sockets, cores, threads = best
    return CPUTopology(sockets=sockets, cores=cores, threads=threads)


def _matches(wanted: int, have: int) -> bool:
    return wanted != 0 and wanted == have


def _misses(wanted: int, have: int) -> bool:
    return wanted not in (0, have)


def _triple(request: Request, prefix: str) -> _Triple:
    values = request.specs if prefix[2] == ':' else request.properties
    sockets, cores, threads = (
        values.get(f'{prefix}{part}', 0) for part in _PARTS
    )
    return sockets, cores, threads


def _given(request: Request, limit: str) -> list[str]:
    names = [
        f'{prefix}cpu_{limit}{part}'
        for prefix in ('hw:', 'hw_')
        for part in _PARTS
    ]
    return [
        name
        for name in names
        if name in request.specs or name in request.properties
    ]


def _limits(request: Request) -> _Triple:
    flavor = _triple(request, 'hw:cpu_max_')
    image = _triple(request, 'hw_cpu_max_')
    for part, ours, theirs in zip(_PARTS, flavor, image, strict=True):
        if ours and theirs > ours:
            raise request.conflict(
                f'the flavor allows at most {ours} {part}, the image {theirs}',
                f'hw:cpu_max_{part}',
                f'hw_cpu_max_{part}',
                hint=f'lower hw_cpu_max_{part} or take another flavor',
            )
    sockets, cores, threads = (
        theirs or ours or _UNLIMITED
        for ours, theirs in zip(flavor, image, strict=True)
    )
    return sockets, cores, threads


def _wanted(request: Request, limits: _Triple) -> _Triple:
    """Return what is preferred; zeros stand for no preference.

    Whatever the image prefers puts all of the flavor's preferences aside.
    """
    image = _triple(request, 'hw_cpu_')
    for part, number, limit in zip(_PARTS, image, limits, strict=True):
        if number > limit:
            raise request.conflict(
                f'the image asks for {number} {part}, at most {limit} are '
                'allowed',
                f'hw_cpu_{part}',
                *_given(request, 'max_'),
                hint=f'lower hw_cpu_{part}',
            )
    if any(image):
        return image
    flavor = _triple(request, 'hw:cpu_')
    if any(map(int.__gt__, flavor, limits)):
        return 0, 0, 0
    return flavor


def _possible(vcpus: int, limits: _Triple) -> Iterator[_Triple]:
    """Yield every topology that multiplies to ``vcpus`` within limits."""
    for sockets in _divisors(vcpus):
        if sockets <= limits[0]:
            for cores in _divisors(vcpus // sockets):
                threads = vcpus // sockets // cores
                if cores <= limits[1] and threads <= limits[2]:
                    yield sockets, cores, threads


def _divisors(number: int) -> list[int]:
    low = [n for n in range(1, int(number**0.5) + 1) if not number % n]
    return low + [number // n for n in reversed(low) if n * n != number]
