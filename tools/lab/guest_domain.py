# SPDX-License-Identifier: Apache-2.0
"""The domain of a guest in the lab, and the wait until it is up."""

from __future__ import annotations

import time
from typing import Final

from tools.lab import recipe
from tools.lab.error import LabError
from tools.lab.machine import EmulatedHost

_NAME: Final = 'rt1'
_PROMPT: Final = 'guest#'
_POLL_S: Final = 2


def template(name: str, virt_type: str = 'kvm') -> bytes:
    """Return the document that a guest is rendered into."""
    text = (recipe.GUEST / 'template.xml').read_text()
    text = text.replace("type='kvm'", f"type='{virt_type}'")
    return text.replace(_NAME, name).encode()


def wait_for_shell(
    host: EmulatedHost, name: str, timeout_s: int = 180
) -> None:
    """Return when a guest has shown the prompt of its shell.

    Nobody may be on its console until then: an emulated serial port that is
    talked to while the kernel boots sometimes stays silent for good.

    :raises LabError: if it has not in time.
    """
    deadline = time.monotonic() + timeout_s
    log = f'/run/{name}.console'
    while _PROMPT not in host.run('cat', log).stdout:
        if time.monotonic() > deadline:
            raise LabError(f'{name} has no shell after {timeout_s} s')
        time.sleep(_POLL_S)
