# SPDX-License-Identifier: Apache-2.0
"""Guests on their way to another host."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class MigratingGuest:
    """nova's guest, whose document is tuned right before it is sent.

    :param guest: a ``nova.virt.libvirt.guest.Guest``.
    :param retune: returns a document for the destination, tuned.
    """

    def __init__(self, guest: Any, retune: Callable[[str], str]) -> None:
        self._guest = guest
        self._retune = retune

    def __getattr__(self, name: str) -> Any:
        return getattr(self._guest, name)

    def migrate(
        self, *args: Any, destination_xml: str | None = None, **kwargs: Any
    ) -> Any:
        """Send the guest."""
        if destination_xml is not None:
            destination_xml = self._retune(destination_xml)
        return self._guest.migrate(
            *args, destination_xml=destination_xml, **kwargs
        )
