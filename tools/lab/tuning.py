# SPDX-License-Identifier: Apache-2.0
"""The lab's set-up: what an administrator does with `rtvirt host tune`.

The files go where they say. GRUB's becomes the kernel's command line, since
the emulated host has no boot loader; a profile of tuned is activated by the
file that `tuned-adm profile` writes.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Final

from rtvirt import plugins
from rtvirt.checks.run import table
from rtvirt.checks.tune import GRUB
from rtvirt.checks.tune import QEMU
from rtvirt.checks.tune import TUNED
from rtvirt.checks.tune import Wishes
from rtvirt.checks.tune import tuning_files
from rtvirt.model.frozendict import FrozenDict
from tools.lab.recipe import Kernel
from tools.lab.topology import Topology

_GIB_KIB: Final = 1 << 20

_QEMU_CONF: Final = """\
# The emulated host runs its guests as root, so that they may lock memory.
user = "root"
group = "root"
security_driver = "none"
namespaces = []
remember_owner = 0
"""

_LIBVIRTD_CONF: Final = """\
# The lab's port is the only way in.
listen_tls = 0
listen_tcp = 1
listen_addr = "0.0.0.0"
tcp_port = "16509"
auth_tcp = "none"
auth_unix_ro = "none"
auth_unix_rw = "none"
"""

# Debian's tuned has no scheduler plug-in without perf's module for Python;
# these are the priorities of its profile realtime-virtual-host.
_PRIORITIES: Final = """\
#!/bin/sh
ps -e -o pid=,comm= | while read -r pid name; do
    case $name in
    ksoftirqd/*) chrt -f -p 2 "$pid" ;;
    ktimers/*) chrt -f -p 3 "$pid" ;;
    rcuc/* | rcub/*) chrt -f -p 4 "$pid" ;;
    esac
done
"""


def tuned_files(topology: Topology) -> dict[str, str]:
    """Return what `rtvirt host tune` prints for a topology, by path.

    A host with real-time group scheduling is tuned as if it had none: what
    that leads to is what it is there for.
    """
    if not topology.dedicated:
        return {}
    pages = FrozenDict({_GIB_KIB: topology.pages} if topology.pages else {})
    rows = table(plugins.host_checks())
    wishes = Wishes(
        dedicated=topology.dedicated,
        online=topology.cpus,
        pages=pages,
        is_realtime=topology.kernel is Kernel.RT,
    )
    return {file.path: file.text(rows) for file in tuning_files(wishes)}


def installed(files: Mapping[str, str]) -> dict[str, str]:
    """Return the files of a host on which these are installed.

    :param files: of `rtvirt host tune`, by path.
    """
    whole = {
        '/etc/libvirt/libvirtd.conf': _LIBVIRTD_CONF,
        **files,
        QEMU: _QEMU_CONF + files.get(QEMU, ''),
    }
    if TUNED in files:
        whole['/etc/tuned/active_profile'] = 'realtime-virtual-host\n'
        whole['/etc/tuned/profile_mode'] = 'manual\n'
        whole['/etc/lab/priorities'] = _PRIORITIES
    return whole


def kernel_parameters(files: Mapping[str, str]) -> str:
    """Return what GRUB would give to the kernel."""
    script = f'{files.get(GRUB, "")}\nprintf %s "$GRUB_CMDLINE_LINUX"'
    return subprocess.run(
        ['sh', '-eu'],
        input=f'GRUB_CMDLINE_LINUX=\n{script}',
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()
