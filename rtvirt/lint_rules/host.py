# SPDX-License-Identifier: Apache-2.0
"""H: what needs to know the host."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.base import Flaw
from rtvirt.lint_rules.base import RuleGroup
from rtvirt.lint_rules.base import rule
from rtvirt.lint_rules.view import pin_of
from rtvirt.lint_rules.view import realtime_vcpus
from rtvirt.lint_rules.view import vcpu_range
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.isolation import find_isolation
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.host import HostCell
from rtvirt.model.pages import format_kib


def _cells(facts: HostFacts | None) -> tuple[HostCell, ...]:
    """Return the host's cells; none where they are not known."""
    if facts is None or isinstance(facts.topology, Missing):
        return ()
    return facts.topology.cells


def _pins(domain: Domain) -> Iterator[tuple[str, CPUSet]]:
    """Yield the name and the pCPUs of everything that is pinned."""
    tune = domain.cputune
    for vcpu, cpus in tune.vcpupins.items():
        yield f'vCPU {vcpu}', cpus
    if tune.emulatorpin is not None:
        yield 'the emulator', tune.emulatorpin
    for number, cpus in tune.iothreadpins.items():
        yield f'I/O thread {number}', cpus
    if domain.vcpu and domain.vcpu.cpuset is not None:
        yield 'the domain', domain.vcpu.cpuset


@rule(
    'RL-H01',
    'Threads are pinned to pCPUs that are online',
    Severity.FATAL,
    subject='cputune',
    expected='pCPUs that the host has online',
    why='The domain does not start: "Unable to write to cpuset.cpus: '
    'Numerical result out of range", or "cannot set CPU affinity: Invalid '
    'argument".',
    mend='pin to other pCPUs, or bring these online',
    needs_host=True,
)
def cpus_are_online(domain: Domain, facts: HostFacts | None) -> Iterator[Flaw]:
    """Compare pins with the host's pCPUs."""
    online = CPUSet(cpu for cell in _cells(facts) for cpu in cell.cpus)
    for name, cpus in _pins(domain):
        if online and (missing := cpus - online):
            yield Flaw(actual=f'{name} is pinned to pCPUs {missing}')


@rule(
    'RL-H02',
    'Real-time vCPUs run on isolated pCPUs',
    Severity.ERROR,
    subject='cputune/vcpupin',
    expected='pCPUs that the kernel keeps other tasks from',
    why='Elsewhere the host\'s own tasks, its timer tick and its interrupts '
    'come in between.',
    mend='isolate these pCPUs (isolcpus=managed_irq,domain,... or a cpuset '
    'partition), or pin to isolated ones',
    needs_host=True,
)
def cpus_are_isolated(
    domain: Domain, facts: HostFacts | None
) -> Iterator[Flaw]:
    """Compare with the isolated set."""
    if facts is None:
        return
    isolated = find_isolation(facts).cpus
    for vcpu in realtime_vcpus(domain):
        if missing := (pin_of(domain, vcpu) or CPUSet()) - isolated:
            yield Flaw(actual=f'vCPU {vcpu} is on pCPUs {missing}')


@rule(
    'RL-H03',
    'Real-time vCPUs keep off pCPU 0',
    Severity.WARNING,
    subject='cputune/vcpupin',
    expected='another pCPU',
    why='pCPU 0 boots the machine and keeps work that cannot be moved: '
    'timekeeping, firmware interrupts, some workqueues.',
    mend='pin to another pCPU',
    needs_host=True,
)
def keep_off_cpu_0(domain: Domain, _facts: HostFacts | None) -> Iterator[Flaw]:
    """Look for pCPU 0."""
    for vcpu in realtime_vcpus(domain):
        if 0 in (pin_of(domain, vcpu) or CPUSet()):
            yield Flaw(actual=f'vCPU {vcpu} is on pCPU 0')


@rule(
    'RL-H04',
    'Siblings of real-time pCPUs are real-time too, or idle',
    Severity.WARNING,
    subject='cputune/vcpupin',
    expected='no other thread on the same core',
    why='Two threads of a core share its execution units and caches: what '
    'the one does, the other waits for.',
    mend='pin both threads of a core to real-time vCPUs, or switch SMT off',
    needs_host=True,
)
def siblings_are_idle(
    domain: Domain, facts: HostFacts | None
) -> Iterator[Flaw]:
    """Look for a core with a real-time vCPU and another thread on it."""
    realtime = realtime_vcpus(domain)
    mine = CPUSet()
    others = CPUSet()
    for vcpu in vcpu_range(domain):
        pin = pin_of(domain, vcpu) or CPUSet()
        if vcpu in realtime:
            mine |= pin
        elif len(pin) == 1:
            others |= pin
    others |= domain.cputune.emulatorpin or CPUSet()
    for cell in _cells(facts):
        for core in cell.siblings:
            if core & mine and (shared := core & others - mine):
                yield Flaw(
                    actual=f'pCPU {core & mine} is real-time, its sibling '
                    f'{shared} runs other threads of this domain'
                )


@rule(
    'RL-H05',
    'Memory and pCPUs are on the same node',
    Severity.WARNING,
    subject='numatune',
    expected='memory of the node that the pCPUs are on',
    why='Every access to another node\'s memory crosses the interconnect, '
    'which other guests use too.',
    mend='bind the memory to the nodes of the pins, or move the pins',
    needs_host=True,
)
def memory_is_near(domain: Domain, facts: HostFacts | None) -> Iterator[Flaw]:
    """Compare the nodes of pins and memory, guest cell by guest cell."""
    tune = domain.numatune
    for number, cell in domain.cpu.cells.items():
        memnode = tune.memnodes.get(number)
        nodes = memnode.nodeset if memnode else None
        if nodes is None and tune.memory:
            nodes = tune.memory.nodeset
        pins = CPUSet()
        for vcpu in cell.cpus or ():
            pins |= domain.cputune.vcpupins.get(vcpu, CPUSet())
        homes = CPUSet(c.id for c in _cells(facts) if c.cpus & pins)
        if nodes and homes and not homes <= nodes:
            yield Flaw(
                actual=f'guest cell {number}: vCPUs on node {homes}, memory '
                f'on node {nodes}'
            )


@rule(
    'RL-H06',
    'Memory is bound to nodes that exist',
    Severity.FATAL,
    subject='numatune',
    expected='nodes of the host',
    why='The domain does not start: the kernel refuses to bind its memory.',
    mend='name nodes that the host has',
    needs_host=True,
)
def nodes_exist(domain: Domain, facts: HostFacts | None) -> Iterator[Flaw]:
    """Compare with the host's nodes."""
    known = CPUSet(cell.id for cell in _cells(facts))
    tune = domain.numatune
    sets = [node.nodeset for node in tune.memnodes.values()]
    if tune.memory and tune.memory.nodeset:
        sets.append(tune.memory.nodeset)
    for nodes in sets:
        if known and (missing := nodes - known):
            yield Flaw(actual=f'the host has no node {missing}')


@rule(
    'RL-H07',
    'The nodes have as many huge pages',
    Severity.FATAL,
    subject='memoryBacking/hugepages',
    expected='enough free pages of that size on the node',
    why='The domain does not start: "unable to map backing store for guest '
    'RAM: Cannot allocate memory"; the total of all nodes is no help.',
    mend='reserve more pages on that node, or stop a guest that holds them',
    needs_host=True,
)
def pages_are_free(domain: Domain, facts: HostFacts | None) -> Iterator[Flaw]:
    """Count what each node must give."""
    pages = domain.memory_backing.hugepages
    cells = domain.cpu.cells
    wanted: Counter[tuple[int, int]] = Counter()
    for page in pages or ():
        for number in cells if page.nodeset is None else page.nodeset:
            memnode = domain.numatune.memnodes.get(number)
            if number in cells and memnode and len(memnode.nodeset) == 1:
                node = next(iter(memnode.nodeset))
                wanted[node, page.size_kib] += cells[number].memory_kib
    for cell in _cells(facts):
        free = {pool.size_kib: pool.free for pool in cell.pages}
        for (node, size_kib), memory_kib in wanted.items():
            count = memory_kib // size_kib
            if node == cell.id and free.get(size_kib, 0) < count:
                yield Flaw(
                    actual=f'node {node} has {free.get(size_kib, 0)} free '
                    f'pages of {format_kib(size_kib)}, {count} are wanted'
                )


@rule(
    'RL-H08',
    'A guest cell is inside one L3 cache',
    Severity.INFO,
    subject='cputune/vcpupin',
    expected='real-time vCPUs of a guest cell behind one L3',
    why='vCPUs behind two caches exchange data over the fabric, and share '
    'each cache with more neighbours.',
    mend='pin to pCPUs of one L3 (rtvirt:l3_policy)',
    needs_host=True,
)
def cell_has_one_cache(
    domain: Domain, facts: HostFacts | None
) -> Iterator[Flaw]:
    """Count the caches that each guest cell is spread over."""
    realtime = realtime_vcpus(domain)
    groups = {
        f'guest cell {number}': cell.cpus or CPUSet()
        for number, cell in domain.cpu.cells.items()
    } or {'the guest': CPUSet(realtime)}
    caches = [cache for cell in _cells(facts) for cache in cell.l3]
    for name, vcpus in groups.items():
        pins = CPUSet()
        for vcpu in vcpus:
            if vcpu in realtime:
                pins |= pin_of(domain, vcpu) or CPUSet()
        used = sum(1 for cache in caches if cache & pins)
        if used > 1:
            yield Flaw(actual=f'{name} is spread over {used} caches')


RULES = RuleGroup(
    (
        cpus_are_online,
        cpus_are_isolated,
        keep_off_cpu_0,
        siblings_are_idle,
        memory_is_near,
        nodes_exist,
        pages_are_free,
        cell_has_one_cache,
    )
)
