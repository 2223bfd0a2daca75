# SPDX-License-Identifier: Apache-2.0
"""How often each latency occurred.

Two arrays and no dictionary: ten million buckets take 160 MB and are added
up, merged and searched in seconds without any package.
"""

from __future__ import annotations

import itertools
import operator
from array import array
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.exception import ModelError
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import require
from rtvirt.model.check import require_int

_NONE: Final[Mapping[int, int]] = {}
_KEYS: Final = frozenset(
    {'values', 'counts', 'width', 'floor', 'underflow', 'limit', 'overflow'}
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=True)
class Histogram:
    """Counts of latencies, in whole units of the tool's.

    What a tool knows of a sample is its bucket, or that it lies outside of
    all of them. Nothing is lost: ``total`` is every sample.

    :ivar values: the buckets that hold samples, ascending. A bucket holds
        the latencies from its value to ``width - 1`` above it.
    :ivar counts: of each of these buckets, how many samples.
    :ivar width: of every bucket.
    :ivar floor: the underflow's samples are below it.
    :ivar underflow: samples that were too small to be told apart.
    :ivar limit: the overflow's samples are at least that.
    :ivar overflow: samples that were too large to be told apart.
    """

    values: array[int]
    counts: array[int]
    width: int = 1
    floor: int = 0
    underflow: int = 0
    limit: int | None = None
    overflow: int = 0

    def __post_init__(self) -> None:
        require_int('width', self.width, 1)
        require_int('floor', self.floor, 0)
        require_int('underflow', self.underflow, 0)
        require_int('overflow', self.overflow, 0)
        if self.limit is not None:
            require_int('limit', self.limit, 0)
        require(
            len(self.values) == len(self.counts),
            f'{len(self.values)} buckets have {len(self.counts)} counts',
        )
        self._check_order()

    def _check_order(self) -> None:
        """Check that buckets ascend, apart, and inside of the bounds."""
        values = self.values
        if values:
            require(values[0] >= 0, f'a latency is {values[0]}')
            require(min(self.counts) > 0, 'a bucket has no samples')
            gap = min(
                map(operator.sub, itertools.islice(values, 1, None), values),
                default=self.width,
            )
            require(gap >= self.width, 'buckets do not ascend, or overlap')
            require(
                not self.underflow or values[0] >= self.floor,
                f'the bucket {values[0]} is below the floor {self.floor}',
            )
        if self.overflow:
            require(self.limit is not None, 'the overflow has no limit')
            # mypy cannot know what require() has made sure of.
            limit = self.limit or 0
            require(
                not values or values[-1] < limit,
                f'a bucket is above the limit {limit} of the overflow',
            )

    @classmethod
    def from_counts(
        cls,
        counts: Mapping[int, int] | Iterable[tuple[int, int]] = _NONE,
        *,
        width: int = 1,
        floor: int = 0,
        underflow: int = 0,
        limit: int | None = None,
        overflow: int = 0,
    ) -> Self:
        """Make one of counts by bucket, in any order; nought is left out.

        :raises ModelError: if a number is none of a histogram.
        """
        pairs = counts.items() if isinstance(counts, Mapping) else counts
        try:
            held = sorted(pair for pair in pairs if pair[1])
            values = array('q', map(operator.itemgetter(0), held))
            numbers = array('q', map(operator.itemgetter(1), held))
        except (OverflowError, TypeError) as error:
            raise ModelError(
                'a bucket or a count is no whole number of 64 bits'
            ) from error
        return cls(
            values=values,
            counts=numbers,
            width=width,
            floor=floor,
            underflow=underflow,
            limit=limit,
            overflow=overflow,
        )

    @property
    def counted(self) -> int:
        """How many samples are in buckets."""
        return sum(self.counts)

    @property
    def total(self) -> int:
        """How many samples there are."""
        return self.underflow + self.counted + self.overflow

    def items(self) -> Iterator[tuple[int, int]]:
        """Yield value and count of each bucket, ascending."""
        return zip(self.values, self.counts, strict=True)

    def __hash__(self) -> int:
        return hash((self.values.tobytes(), self.counts.tobytes()))

    def to_plain(self) -> dict[str, Any]:
        """Return numbers and lists."""
        return {
            'values': self.values.tolist(),
            'counts': self.counts.tolist(),
            'width': self.width,
            'floor': self.floor,
            'underflow': self.underflow,
            'limit': self.limit,
            'overflow': self.overflow,
        }

    @classmethod
    def from_plain(cls, data: Any, path: str) -> Self:
        """Read what :meth:`to_plain` returned.

        :raises ModelError: naming the path of what is wrong.
        """
        if not isinstance(data, Mapping) or set(data) != _KEYS:
            raise ModelError(
                f'{path} is no histogram: expected the keys '
                f'{", ".join(sorted(_KEYS))}',
                path=path,
            )
        fields = dict(data)
        for name in ('values', 'counts'):
            fields[name] = _load_array(data[name], f'{path}.{name}')
        try:
            return cls(**fields)
        except ModelError as error:
            raise ModelError(f'{path}: {error}', path=path) from error


def _load_array(data: Any, path: str) -> array[int]:
    try:
        if isinstance(data, list) and bool not in set(map(type, data)):
            return array('q', data)
    except (OverflowError, TypeError):
        pass
    raise ModelError(
        f'{path} is no list of whole numbers up to {MAX_INT}', path=path
    )
