# SPDX-License-Identifier: Apache-2.0
"""libvirt-python's module and error, and what stands in where it is not."""

from __future__ import annotations

import importlib
import types
from typing import Final
from typing import TypeAlias

from rtvirt.testing.libvirt_names import NAMES
from rtvirt.testing.libvirt_names import ErrorCode
from rtvirt.testing.libvirt_names import ErrorDomain

_VERSION: Final = 9000000
_LEVEL: Final = 2

Raw: TypeAlias = tuple[int, int, str, int, str, str | None, None, int, int]
"""What libvirt-python keeps of an error, in the order of virError."""

_PREFIXES: Final = {
    ErrorCode.INTERNAL_ERROR: 'internal error: ',
    ErrorCode.NO_SUPPORT: 'this function is not supported by the connection '
    'driver: ',
    ErrorCode.NO_CONNECT: 'no connection driver available for ',
    ErrorCode.INVALID_CONN: 'invalid connection pointer in ',
    ErrorCode.OPERATION_FAILED: 'operation failed: ',
    ErrorCode.OPERATION_DENIED: 'operation forbidden: ',
    ErrorCode.OPERATION_INVALID: 'Requested operation is not valid: ',
    ErrorCode.XML_ERROR: 'XML error: ',
    ErrorCode.NO_DOMAIN: 'Domain not found: ',
    ErrorCode.NO_DOMAIN_METADATA: 'metadata not found: ',
    ErrorCode.CONFIG_UNSUPPORTED: 'unsupported configuration: ',
}
"""How libvirt begins the messages of a code."""


class libvirtError(Exception):  # noqa: N801 - libvirt-python's name
    """Stands in for ``libvirt.libvirtError``.

    :param defmsg: what to say where libvirt says nothing.
    """

    err: Raw | None = None

    def __init__(self, defmsg: str) -> None:
        super().__init__(defmsg)

    def get_error_code(self) -> int | None:
        """Return one of ``VIR_ERR_*``."""
        return self.err[0] if self.err else None

    def get_error_domain(self) -> int | None:
        """Return one of ``VIR_FROM_*``."""
        return self.err[1] if self.err else None

    def get_error_message(self) -> str | None:
        """Return the message."""
        return self.err[2] if self.err else None

    def get_error_level(self) -> int | None:
        """Return 2, an error."""
        return self.err[3] if self.err else None

    def get_str1(self) -> str | None:
        """Return the form of the message."""
        return self.err[4] if self.err else None

    def get_str2(self) -> str | None:
        """Return what was put into it."""
        return self.err[5] if self.err else None


def load_module() -> tuple[types.ModuleType, bool]:
    """Return the module ``libvirt``, and whether it is the real one."""
    try:
        return importlib.import_module('libvirt'), True
    except ImportError:
        return _STAND_IN, False


def refusal(code: ErrorCode, detail: str) -> Exception:
    """Return the error by which libvirt refuses something.

    :param detail: what libvirt adds to the words that each code has.
    """
    return make_error(code, _PREFIXES.get(code, '') + detail)


def make_error(code: int, message: str) -> Exception:
    """Return a ``libvirt.libvirtError``.

    :param message: all of it.
    """
    module, is_real = load_module()
    if is_real:
        # What happened before in this thread would be its message.
        module.virResetLastError()
    error = module.libvirtError(message)
    error.err = (
        *(int(code), int(ErrorDomain.QEMU), message, _LEVEL),
        *('%s', message, None, -1, -1),
    )
    made: Exception = error
    return made


def _make_stand_in() -> types.ModuleType:
    """Return a module with what programs use of libvirt-python."""
    module = types.ModuleType('libvirt', 'Stands in for libvirt-python.')
    module.__dict__.update(
        NAMES,
        libvirtError=libvirtError,
        getVersion=lambda: _VERSION,
        registerErrorHandler=lambda _handler, _context: None,
        virResetLastError=lambda: None,
        virEventRegisterDefaultImpl=lambda: 0,
        # There is nothing to wait for: whoever runs the loop, ends.
        virEventRunDefaultImpl=lambda: -1,
    )
    return module


_STAND_IN: Final = _make_stand_in()
