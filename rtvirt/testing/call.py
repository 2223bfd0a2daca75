# SPDX-License-Identifier: Apache-2.0
"""What every call of a libvirt that does not exist does first."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from typing import Final
from typing import Protocol
from typing import TypeVar
from typing import cast

from rtvirt.testing.driver import Driver
from rtvirt.testing.libvirt_error import refusal
from rtvirt.testing.libvirt_names import ErrorCode

Method = TypeVar('Method', bound=Callable[..., Any])

CALLS: Final[set[str]] = set()
"""The calls that there are, by their name in libvirt-python."""


class Link(Protocol):
    """A connection, as far as calls depend on it."""

    driver: Driver
    is_open: bool
    is_read_only: bool


def require_writable(link: Link, name: str) -> None:
    """Refuse a call on a connection for reading only.

    :param name: of the call, as in ``create``.
    """
    if link.is_read_only:
        raise refusal(
            ErrorCode.OPERATION_DENIED,
            f'read only access prevents virDomain{name[0].upper()}{name[1:]}',
        )


def require_flags(flags: int, known: int, name: str) -> None:
    """Refuse flags that a call does not know."""
    if flags & ~known:
        raise refusal(
            ErrorCode.INVALID_ARG,
            f'unsupported flags ({flags & ~known:#x}) in function {name}',
        )


def answers(*, writes: bool = False) -> Callable[[Method], Method]:
    """Make a call of a method whose object has a ``link``.

    It fails where it was told to, one at a time.

    :param writes: whether a connection for reading only is refused it.
    """

    def wrap(method: Method) -> Method:
        name = method.__name__
        CALLS.add(name)

        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            link: Link = self.link
            with link.driver.lock:
                if not link.is_open:
                    raise refusal(
                        ErrorCode.INVALID_CONN,
                        f'virConnect{name[0].upper()}{name[1:]}',
                    )
                if writes:
                    require_writable(link, name)
                link.driver.require_luck(name)
                return method(self, *args, **kwargs)

        return cast('Method', call)

    return wrap
