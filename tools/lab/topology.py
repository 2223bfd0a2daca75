# SPDX-License-Identifier: Apache-2.0
"""The machines that can be emulated, by name."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field
from typing import Final

from rtvirt.model.cpuset import CPUSet
from tools.lab.recipe import Kernel


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """An emulated machine, and what it is set up for.

    :ivar cells: the pCPUs of each cell.
    :ivar threads: siblings in a core.
    :ivar sockets: 0 where each cell is one, or all of them where they
        differ in size.
    :ivar processor: features, as QEMU's ``-cpu`` takes them. An L3 cache
        would be one for the socket, across its cells.
    :ivar memory_mib: of each cell.
    :ivar virt_type: what guests in it are, ``qemu`` where there is no SVM.
    :ivar dedicated: pCPUs for real-time guests; empty where nothing is
        tuned.
    :ivar pages: pages of 1 GiB, which the kernel spreads over the cells.
    :ivar kernel: what it boots.
    :ivar parameters: more for the kernel's command line.
    :ivar description: one line for people.
    """

    name: str
    description: str
    cells: tuple[CPUSet, ...]
    threads: int = 1
    sockets: int = 0
    processor: str = '-hypervisor,l3-cache=off'
    virt_type: str = 'kvm'
    memory_mib: int = 5120
    dedicated: CPUSet = field(default_factory=CPUSet)
    pages: int = 0
    kernel: Kernel = Kernel.RT
    parameters: str = 'mitigations=off'

    @property
    def cpus(self) -> CPUSet:
        """All pCPUs."""
        return CPUSet(cpu for cell in self.cells for cpu in cell)


# The talk's guest is on pCPUs 2-5 of cell 0; each cell keeps a pCPU for the
# host.
_TALK: Final = (CPUSet.parse('0,2-5'), CPUSet.parse('1,6-7'))

TALK: Final = Topology(
    name='talk',
    description='8 pCPUs in 2 cells, 2-7 for guests, pages of 1 GiB',
    cells=_TALK,
    dedicated=CPUSet.parse('2-7'),
    pages=4,
)
UNTUNED: Final = Topology(
    name='untuned',
    description='the same machine, as it is installed',
    cells=_TALK,
)
# Linux takes the siblings of an AMD processor from a feature that QEMU does
# not emulate, and those of Intel's from one that it does; but KVM looks for
# SVM on AMD's alone.
SMT: Final = Topology(
    name='smt',
    processor='vendor=GenuineIntel,family=6,model=26,-hypervisor,l3-cache=off',
    virt_type='qemu',
    description='4 cores of 2 siblings in 2 cells, 2-3 and 6-7 for guests',
    cells=(CPUSet.parse('0-3'), CPUSet.parse('4-7')),
    threads=2,
    dedicated=CPUSet.parse('2-3,6-7'),
    pages=4,
)
FOUR_CELLS: Final = Topology(
    name='four-cells',
    description='8 pCPUs in 4 cells, the odd ones for guests',
    cells=tuple(CPUSet((cpu, cpu + 1)) for cpu in range(0, 8, 2)),
    memory_mib=4096,
    dedicated=CPUSet.parse('1,3,5,7'),
    pages=4,
)
DESTINATION: Final = Topology(
    name='destination',
    description='8 pCPUs in 2 cells, 4-7 of cell 1 for guests',
    cells=(CPUSet.parse('0-3'), CPUSet.parse('4-7')),
    memory_mib=3072,
    dedicated=CPUSet.parse('4-7'),
    pages=2,
)
CGROUP_RT: Final = Topology(
    name='cgroup-rt',
    description='as talk, with CONFIG_RT_GROUP_SCHED and cgroup v1',
    cells=_TALK,
    dedicated=CPUSet.parse('2-7'),
    pages=4,
    kernel=Kernel.GROUP_SCHEDULING,
    parameters='mitigations=off systemd.unified_cgroup_hierarchy=0',
)

TOPOLOGIES: Final = {
    topology.name: topology
    for topology in (TALK, UNTUNED, SMT, FOUR_CELLS, DESTINATION, CGROUP_RT)
}
