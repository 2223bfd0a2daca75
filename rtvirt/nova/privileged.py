# SPDX-License-Identifier: Apache-2.0
"""What nova-compute, which is not root, has read for it.

A daemon of oslo.privsep of its own. It reads and changes nothing, takes no
path from its caller, and reads of the process of a guest alone, which it
finds by the guest's UUID.

``CAP_SYS_PTRACE``: ``/proc/PID/numa_maps`` and ``/proc/PID/exe`` of another
user's process (kernel: ``ptrace_may_access``). ``CAP_DAC_READ_SEARCH``:
files of the host that are not for everyone, as libvirt's configuration.
``CAP_SYSLOG``: the kernel's log, where ``kernel.dmesg_restrict`` is on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from typing import Final

from oslo_privsep import capabilities
from oslo_privsep import comm
from oslo_privsep import daemon
from oslo_privsep import priv_context

from rtvirt.exception import HostError
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.read import read_facts
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.plain import dump
from rtvirt.model.plain import load

_VERSION: Final = 1
_UUID: Final = re.compile(r'[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}')
# Debian's and upstream's name, RHEL's, and what libvirt may be told to run.
_QEMU: Final = re.compile(r'qemu-system-[\w.-]+|qemu-kvm|kvm')

context = priv_context.PrivContext(
    'rtvirt.nova',
    cfg_section='rtvirt_privileged',
    pypath=f'{__name__}.context',
    capabilities=[
        capabilities.CAP_DAC_READ_SEARCH,
        capabilities.CAP_SYS_PTRACE,
        capabilities.CAP_SYSLOG,
    ],
)


def read_guest(uuid: str) -> ObservedDomain:
    """Read the threads and the memory of a running guest.

    :raises HostError: if it does not run here, or nobody can be asked.
    """
    answer = _ask(_read_guest, uuid)
    if 'error' in answer:
        raise HostError(answer['error'], hint=answer['hint'])
    return load(ObservedDomain, answer, schema_version=_VERSION)


def read_host() -> HostFacts:
    """Read the facts of this host.

    :raises HostError: if nobody can be asked.
    """
    return HostFacts.from_dict(_ask(_read_host))


def _ask(entry: Callable[..., str], *args: str) -> dict[str, Any]:
    """Return what the daemon answers; it is started where it must be."""
    try:
        answer: dict[str, Any] = json.loads(entry(*args))
    except (
        comm.PrivsepTimeout,
        daemon.FailedToDropPrivileges,
        daemon.ProtocolError,
        OSError,
    ) as error:
        raise HostError(
            f'the daemon that reads hosts and guests does not answer: {error}',
            hint='let rootwrap start it: install '
            'etc/nova/rootwrap.d/rtvirt.filters of rtvirt into '
            '/etc/nova/rootwrap.d, or set [rtvirt_privileged] helper_command',
        ) from error
    return answer


# Texts cross over: privsep's encoding knows neither tuples nor keys that
# are numbers, and of an error only its name and arguments.


@context.entrypoint  # type: ignore[untyped-decorator]
def _read_guest(uuid: str) -> str:
    try:
        return json.dumps(_observe(uuid))
    except HostError as error:
        return json.dumps({'error': str(error), 'hint': error.hint})


@context.entrypoint  # type: ignore[untyped-decorator]
def _read_host() -> str:
    return json.dumps(read_facts().to_dict())


def _observe(uuid: str) -> dict[str, object]:
    if not _UUID.fullmatch(uuid):
        raise HostError(
            f'{uuid!r:.60} is no UUID of a guest',
            hint='"openstack server list" tells those there are',
        )
    tree = DirectoryTree()
    guest = find_guests(tree).get(uuid)
    if guest is None:
        raise HostError(
            f'no process here is that of domain {uuid}',
            hint='look into the log that libvirt keeps of the domain',
        )
    try:
        program = Path(f'/proc/{guest.pid}/exe').readlink().name
    except OSError as error:
        raise HostError(
            f'process {guest.pid} of domain {uuid} cannot be looked at: '
            f'{error.strerror}',
            hint='give the privsep helper of rtvirt CAP_SYS_PTRACE',
        ) from error
    if not _QEMU.fullmatch(program.removesuffix(' (deleted)')):
        raise HostError(
            f'process {guest.pid} says it is domain {uuid}, and is '
            f'{program!r:.60}',
            hint=f'"ps -fp {guest.pid}" tells who has started it',
        )
    return {'schema_version': _VERSION, **dump(observe(tree, guest))}
