# SPDX-License-Identifier: Apache-2.0
"""Connections to libvirt; the only importer of libvirt-python."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.meaning import explain_error

# As virsh does: without an answer for half a minute, a call fails.
_KEEPALIVE_S: Final = 5
_KEEPALIVE_COUNT: Final = 6


@contextlib.contextmanager
def connect(uri: str, *, read_only: bool = True) -> Iterator[Any]:
    """Open a connection and close it in the end.

    libvirt's event loop runs meanwhile, which the embedded driver needs in
    order to start domains, and every other to notice a peer that died, or
    whose machine has gone without a word.

    :param uri: as in ``qemu:///system`` or ``test:///default``.
    :param read_only: ask for no more than reading; the embedded driver
        (``qemu:///embed``) knows no other than full access.
    :raises HostError: if libvirt-python is not installed, or libvirt does
        not answer.
    """
    libvirt = load_libvirt()
    _run_event_loop()
    with translated(f'cannot connect to {uri}'):
        connection = (libvirt.openReadOnly if read_only else libvirt.open)(uri)
    # A driver without a daemon has none to lose.
    with contextlib.suppress(libvirt.libvirtError):
        connection.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_COUNT)
    try:
        yield connection
    finally:
        with contextlib.suppress(libvirt.libvirtError):
            connection.close()


def load_libvirt() -> ModuleType:
    """Return the module ``libvirt``; its errors are raised, not printed.

    :raises HostError: if it is not installed.
    """
    try:
        import libvirt  # noqa: PLC0415 - it is an extra
    except ImportError:
        raise HostError(
            'libvirt-python is not installed',
            hint="install it: pip install 'rtvirt[libvirt]'",
        ) from None
    libvirt.registerErrorHandler(_say_nothing, None)
    return libvirt  # type: ignore[no-any-return]


def ask_monitor(domain: Any, command: str) -> str:
    """Send a QMP command to the QEMU of a domain and return its answer.

    libvirt marks the domain as tainted (``custom-monitor``), and logs it.

    :raises libvirt.libvirtError: if libvirt refuses.
    """
    import libvirt_qemu  # noqa: PLC0415 - it is an extra

    answer: str = libvirt_qemu.qemuMonitorCommand(domain, command, 0)
    return answer


@contextlib.contextmanager
def translated(what: str) -> Iterator[None]:
    """Make a HostError of a libvirt error raised inside.

    :param what: what was tried, as in "cannot start domain rt1".
    """
    libvirt = load_libvirt()
    try:
        yield
    except libvirt.libvirtError as error:
        means = explain_error(error.get_error_message() or str(error))
        raise HostError(f'{what}: {means.text}', hint=means.hint) from error


@functools.cache
def _run_event_loop() -> None:
    """Run libvirt's event loop in a thread, once in a process."""
    libvirt = load_libvirt()
    libvirt.virEventRegisterDefaultImpl()

    def run() -> None:
        while libvirt.virEventRunDefaultImpl() == 0:
            pass

    threading.Thread(target=run, name='libvirt-events', daemon=True).start()


def _say_nothing(_context: object, _error: object) -> None:
    """Keep libvirt from printing an error that is raised as well."""
