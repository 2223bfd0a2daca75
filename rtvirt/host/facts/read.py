# SPDX-License-Identifier: Apache-2.0
"""Read everything that is known of a host, in one pass."""

from __future__ import annotations

import os
from pathlib import Path

from rtvirt.exception import HostError
from rtvirt.exception import ModelError
from rtvirt.host.facts.archive import read_archive
from rtvirt.host.facts.cgroup import read_cgroup_facts
from rtvirt.host.facts.cpu import read_cpu_facts
from rtvirt.host.facts.cpu import read_cpu_ids
from rtvirt.host.facts.cpu import read_sockets
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.interrupt import read_interrupt_facts
from rtvirt.host.facts.interrupt import read_network_facts
from rtvirt.host.facts.kernel import read_kernel_facts
from rtvirt.host.facts.kernel import read_scheduler_facts
from rtvirt.host.facts.kvm import read_kvm_facts
from rtvirt.host.facts.libvirt import read_libvirt_facts
from rtvirt.host.facts.manifest import with_manifest
from rtvirt.host.facts.memory import read_memory_facts
from rtvirt.host.facts.nova import read_nova_facts
from rtvirt.host.facts.power import read_power_facts
from rtvirt.host.facts.service import read_service_facts
from rtvirt.host.facts.service import read_tuned_facts
from rtvirt.host.facts.single import read_fields
from rtvirt.host.facts.sos import COMMANDS
from rtvirt.host.facts.sos import SOSTree
from rtvirt.host.facts.task import read_tasks
from rtvirt.host.facts.tree import Tree
from rtvirt.host.sysfs import read_topology
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.kernel import WatchdogFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.service import FirmwareFacts
from rtvirt.model.host import HostTopology


def read_facts(root: str | os.PathLike[str] = '/') -> HostFacts:
    """Read the facts of a host.

    :param root: ``/`` for this host; a directory that has a host's files
        at their places; a snapshot or a sosreport, packed (``.tar.gz``,
        ``.tar.xz``) or unpacked.
    :raises HostError: if the root cannot be read, or is an archive that
        nobody should unpack.
    """
    return read_tree(open_tree(root))


def open_tree(root: str | os.PathLike[str]) -> Tree:
    """Open a host's files, wherever they lie.

    :raises HostError: as :func:`read_facts`.
    """
    require_name(os.fspath(root))
    is_archive = Path(root).is_file()
    tree = with_manifest(
        read_archive(root) if is_archive else DirectoryTree(root)
    )
    return SOSTree(tree) if tree.names(COMMANDS) else tree


def require_name(source: str) -> None:
    """Refuse the empty name: as a path it would mean this directory.

    :raises HostError: if it is empty.
    """
    if not source:
        raise HostError(
            'the name of the host is empty',
            hint='name a snapshot, or the root of a host; . is this directory',
        )


def read_tree(tree: Tree) -> HostFacts:
    """Read the facts of the host whose files these are."""
    ids = read_cpu_ids(tree)
    cpu = read_cpu_facts(tree)
    topology = _read_topology(tree)
    tasks = read_tasks(tree)
    return HostFacts(
        kernel=read_kernel_facts(tree),
        scheduler=read_scheduler_facts(tree, ids),
        watchdog=WatchdogFacts(**read_fields(tree, WatchdogFacts)),
        topology=topology,
        sockets=read_sockets(tree, topology),
        cpu=cpu,
        power=read_power_facts(tree, ids, cpu.efficiency),
        memory=read_memory_facts(tree),
        kvm=read_kvm_facts(tree),
        cgroup=read_cgroup_facts(tree),
        interrupt=read_interrupt_facts(tree),
        network=read_network_facts(tree),
        tasks=tasks,
        service=read_service_facts(tree, tasks),
        tuned=read_tuned_facts(tree),
        firmware=FirmwareFacts(**read_fields(tree, FirmwareFacts)),
        nova=read_nova_facts(tree),
        libvirt=read_libvirt_facts(tree, tasks, _cells_of(topology)),
    )


def _cells_of(topology: HostTopology | Missing) -> list[CPUSet]:
    if isinstance(topology, Missing):
        return []
    return [cell.cpus for cell in topology.cells]


def _read_topology(tree: Tree) -> HostTopology | Missing:
    try:
        return read_topology(tree)
    except (HostError, ModelError) as error:
        return malformed('/sys/devices/system/cpu', str(error))
