# SPDX-License-Identifier: Apache-2.0
"""Run the command line and stop before its n-th call of libvirt.

``python -m rtvirt.tests.stepping LOG NUMBER SIGNAL -- ARGUMENTS`` sends
itself the signal: SIGKILL, to see what is left of a command that died there,
or SIGSTOP, to do something to libvirt meanwhile. The calls are numbered from
1 and their names written to LOG; 0 stops nowhere.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any
from typing import TextIO

import libvirt

from rtvirt.cli.app import main

# What is called in another thread, when Python cleans up, or asks nobody.
_OTHERS = (
    'virEvent',
    'virRegister',
    'virConnectClose',
    'virDomainGetName',
    'virGetLastError',
)


class Stepping:
    """Stands before libvirt's C functions and counts their calls."""

    def __init__(
        self, module: Any, log: TextIO, number: int, kind: signal.Signals
    ) -> None:
        self._module = module
        self._log = log
        self._left = number
        self._kind = kind

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        if (
            not callable(value)
            or not name.startswith('vir')
            or name.startswith(_OTHERS)
            or name.endswith('Free')
        ):
            return value
        return self._counted(name, value)

    def _counted(
        self, name: str, call: Callable[..., Any]
    ) -> Callable[..., Any]:
        def counted(*args: Any) -> Any:
            self._log.write(f'{name}\n')
            self._log.flush()
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), self._kind)
            return call(*args)

        return counted


if __name__ == '__main__':
    path, number, kind, _, *argv = sys.argv[1:]
    # For good, so that the file outlives the function that opens it.
    log = open(path, 'w', encoding='ascii')  # noqa: SIM115, PTH123
    libvirt.libvirtmod = Stepping(
        libvirt.libvirtmod, log, int(number), signal.Signals[kind]
    )
    sys.exit(main(argv))
