# SPDX-License-Identifier: Apache-2.0
"""The facts of a machine that programs can be run on."""

from __future__ import annotations

import base64
import binascii
import shlex
from typing import Final

from rtvirt.host.facts.read import read_tree
from rtvirt.host.facts.tree import MappingTree
from rtvirt.measure.machine import Machine
from rtvirt.model.facts.host import HostFacts

_CPU: Final = '/sys/devices/system/cpu'
_FILES: Final = (
    '/proc/cmdline',
    '/proc/cpuinfo',
    '/proc/sys/kernel/hostname',
    '/proc/sys/kernel/nmi_watchdog',
    '/proc/sys/kernel/osrelease',
    '/proc/sys/kernel/sched_rt_period_us',
    '/proc/sys/kernel/sched_rt_runtime_us',
    '/proc/sys/kernel/soft_watchdog',
    '/proc/sys/kernel/timer_migration',
    '/proc/version',
    f'{_CPU}/isolated',
    f'{_CPU}/nohz_full',
    f'{_CPU}/online',
    '/sys/class/dmi/id/product_name',
    '/sys/devices/system/clocksource/clocksource0/current_clocksource',
    '/sys/kernel/realtime',
)

# A line per file that is there: its name, a blank, its content in base64.
_READ: Final = (
    'for f in {files}; do [ -r $f ] && '
    'echo "$f $(base64 <$f | tr -d "\\n")"; done; true'
)


def read_guest_facts(machine: Machine) -> HostFacts:
    """Read what tells guests apart: kernel, command line, processor.

    :raises MeasureError: if the machine does not answer.
    """
    script = _READ.format(files=shlex.join(_FILES))
    done = machine.run(['sh', '-c', script], 60)
    files = {}
    for line in done.stdout.splitlines():
        path, _, content = line.partition(' ')
        if path in _FILES:
            try:
                files[path] = base64.b64decode(content, validate=True)
            except binascii.Error:
                continue
    return read_tree(MappingTree(files))
