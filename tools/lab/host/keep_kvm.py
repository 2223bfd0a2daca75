# SPDX-License-Identifier: Apache-2.0
"""Have one machine of KVM for as long as the emulated host is up.

The first one has the kernel patch its scheduler while it runs (the preempt
notifiers of KVM, a static key), and the end of the last one patches it back,
each time by way of a breakpoint. Until QEMU 8.1 an emulated pCPU that is just
about to translate that code may keep the breakpoint for ever, and the host
stands still. With one that stays, this is done once, while nothing else runs.

``/run/keep_kvm.pid`` names who holds it, once it is there.
"""

import fcntl
import os
import signal
from pathlib import Path

_KVM_CREATE_VM = 0xAE01


def main() -> None:
    """Leave a process behind that holds the machine."""
    try:
        kvm = os.open('/dev/kvm', os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    fcntl.ioctl(kvm, _KVM_CREATE_VM, 0)
    if holder := os.fork():
        Path('/run/keep_kvm.pid').write_text(f'{holder}\n')
        return
    signal.pause()


if __name__ == '__main__':
    main()
