# SPDX-License-Identifier: Apache-2.0
"""Which thread runs which vCPU: as QEMU says, or as libvirt noted.

The names of threads tell as well (:func:`rtvirt.host.qemu.classify`), but
names are only names. QEMU itself answers ``query-cpus-fast``; libvirt passes
it on, and marks the domain as tainted (``custom-monitor``) for the rest of
its life, so that is done only where the caller wants it. libvirt has asked
the same when it plugged each vCPU in, and keeps the answer in its state file
of the domain, which root may read and which harms nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.connection import ask_monitor
from rtvirt.host.connection import translated
from rtvirt.host.facts.domain import STATE
from rtvirt.host.facts.domain import read_root
from rtvirt.host.facts.tree import Tree
from rtvirt.model.facts.missing import Missing
from rtvirt.model.observed import ThreadRole

Key = tuple[ThreadRole, int]
"""A role and a number: which vCPU, which I/O thread."""

_LIMIT: Final = 1 << 22
_IOTHREAD: Final = re.compile(r'iothread([0-9]{1,5})')
_MAX_TID: Final = 1 << 22
_DO_NOT_ASK: Final = (
    'leave --ask-qemu out: what libvirt has noted tells the threads as well'
)


def ask_qemu(domain: Any) -> Mapping[int, Key]:
    """Ask QEMU for the threads of vCPUs and I/O threads, by thread.

    :param domain: libvirt's object, of a connection that may write.
    :raises HostError: if libvirt refuses, or QEMU answers nonsense.
    """
    found: dict[int, Key] = {}
    for vcpu in _ask(domain, 'query-cpus-fast'):
        found[_number(vcpu, 'thread-id', 1)] = (
            ThreadRole.VCPU,
            _number(vcpu, 'cpu-index', 0),
        )
    for thread in _ask(domain, 'query-iothreads'):
        # Only libvirt's own have its names.
        if match := _IOTHREAD.fullmatch(str(thread.get('id'))):
            tid = _number(thread, 'thread-id', 1)
            found[tid] = ThreadRole.IOTHREAD, int(match[1])
    return found


def _ask(domain: Any, command: str) -> list[dict[str, Any]]:
    what = f'cannot ask the QEMU of domain {domain.name()!r:.80}: {command}'
    with translated(what):
        text = ask_monitor(domain, json.dumps({'execute': command}))
    try:
        answer = json.loads(text)['return']
        return [dict(item) for item in answer]
    except (KeyError, TypeError, ValueError) as error:
        raise HostError(
            f'{what}: it answers {text!r:.80}', hint=_DO_NOT_ASK
        ) from error


def _number(answer: Mapping[str, Any], name: str, least: int) -> int:
    value = answer.get(name)
    if type(value) is not int or not least <= value <= _MAX_TID:
        raise HostError(
            f'QEMU names a thread whose {name} is {value!r:.40}',
            hint=_DO_NOT_ASK,
        )
    return value


def read_noted(tree: Tree, pid: int, name: str) -> Mapping[int, Key] | None:
    """Return the vCPUs' threads as libvirt noted them, by thread.

    The file is looked up from where the domain's process stands: a libvirt
    in a container has its own ``/run``. None where it cannot be read, or
    is of another process.
    """
    path = f'/proc/{pid}/root{STATE}/{name}.xml'
    content = tree.read(path, _LIMIT)
    if isinstance(content, Missing):
        return None
    root = read_root(content)
    if root is None or root.tag != 'domstatus' or root.get('pid') != str(pid):
        return None
    found: dict[int, Key] = {}
    for vcpu in root.iterfind('vcpus/vcpu'):
        number, tid = vcpu.get('id', ''), vcpu.get('pid', '')
        if re.fullmatch('[0-9]{1,5}', number) and re.fullmatch(
            '[1-9][0-9]{0,8}', tid
        ):
            found[int(tid)] = ThreadRole.VCPU, int(number)
    return found or None
