# SPDX-License-Identifier: Apache-2.0
"""A dictionary that cannot change, for the fields of frozen values."""

from __future__ import annotations

from typing import Any
from typing import NoReturn
from typing import TypeVar

K = TypeVar('K')
V = TypeVar('V')


class FrozenDict(dict[K, V]):
    """A hashable ``dict`` without mutators.

    A subclass of ``dict`` and not a proxy, so that it can be pickled,
    copied, dumped as JSON and read at the speed of a ``dict``. ``copy()``
    and ``|`` give a plain ``dict``, to be changed.
    """

    __slots__ = ()

    def _refuse(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise TypeError(f'{type(self).__name__} cannot be changed')

    __setitem__ = _refuse
    __delitem__ = _refuse
    __ior__ = _refuse
    clear = _refuse
    pop = _refuse
    popitem = _refuse
    setdefault = _refuse
    update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __copy__(self) -> FrozenDict[K, V]:
        return self

    def __reduce__(self) -> tuple[type, tuple[dict[K, V]]]:
        # dict's own way would fill the copy through __setitem__.
        return type(self), (dict(self),)
