# SPDX-License-Identifier: Apache-2.0
"""M: the guest's memory has its pages, on its node, and stays in RAM."""

from __future__ import annotations

from collections.abc import Iterator

from rtvirt.exception import CPUSetError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import value_or
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.proof import MemoryProof
from rtvirt.verifiers.proof import prove_memory
from rtvirt.verifiers.wanted import memory_of_domain
from rtvirt.verifiers.words import say_pages

_PAGES = 'memoryBacking/hugepages'
_NODES = 'numatune'
_LOCKED = 'memoryBacking/locked'
_AS_ROOT = 'run it as root, on the host'


@verifier(
    'RV-M01',
    'The guest has its huge pages',
    Severity.ERROR,
    why='On ordinary pages the guest takes misses of the TLB, and page '
    'faults where the memory is not locked.',
)
def pages_are_right(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the number of pages of each size with <hugepages>."""
    proof = _prove(domain, observed)
    huge = proof.planned.huge
    if huge is None:
        yield Gap(
            subject=_PAGES,
            expected='huge pages of a known size',
            actual='the document leaves it to the host',
            mend='name the size: <page size="2048" unit="KiB"/>',
            is_undecided=True,
        )
    elif isinstance(proof.actual, Missing):
        yield _hidden(proof.actual, _PAGES, say_pages(huge))
    elif not proof.sizes_ok:
        yield Gap(
            subject=_PAGES,
            expected=say_pages(huge),
            actual=say_pages(proof.actual),
            mend='reserve the pages on that node (rtvirt host tune '
            '--hugepages) and start the domain anew',
        )


@verifier(
    'RV-M02',
    'The guest\'s huge pages lie on its nodes',
    Severity.ERROR,
    why='Every access to another node\'s memory takes longer, and waits for '
    'what else crosses the interconnect.',
)
def nodes_are_right(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the nodes of the pages with <numatune>."""
    proof = _prove(domain, observed)
    if proof.sizes_ok and not proof.pages_ok:
        yield Gap(
            subject=_NODES,
            expected=say_pages(proof.planned.huge or ()),
            actual=say_pages(value_or(proof.actual, ())),
            mend='bind it with <numatune> mode strict, and start the domain '
            'anew; or: migratepages '
            f'{observed.pid} FROM TO',
        )


@verifier(
    'RV-M03',
    'The guest\'s memory is locked',
    Severity.ERROR,
    why='Memory that is not locked can be swapped out, and its first touch '
    'is a page fault.',
)
def memory_is_locked(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare VmLck with the guest's memory, where <locked/> is set."""
    proof = _prove(domain, observed)
    expected = f'{proof.planned.memory_kib >> 10} MiB or more locked'
    if proof.locked_ok:
        return
    if isinstance(proof.locked_kib, Missing):
        yield _hidden(proof.locked_kib, _LOCKED, expected)
    else:
        yield Gap(
            subject=_LOCKED,
            expected=expected,
            actual=f'{proof.locked_kib >> 10} MiB are locked',
            mend='raise RLIMIT_MEMLOCK of libvirtd (<memtune> hard_limit), '
            'and start the domain anew',
        )


@verifier(
    'RV-M04',
    'The guest\'s memory is bound to its nodes',
    Severity.ERROR,
    why='Memory that lies right by chance alone moves with the next '
    'balancing, or with the next shortage on its node.',
)
def memory_is_bound(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Compare the policy of the guest's mappings with <numatune>."""
    wanted = memory_of_domain(domain)
    memory = observed.memory
    if isinstance(memory, Missing) or wanted.huge is None or not wanted.nodes:
        return
    pages = memory.huge if wanted.huge else memory.ordinary
    if isinstance(pages, Missing):
        return  # RV-M01 says so
    policies = {page.policy for page in pages}
    loose = {p for p in policies if not _is_bound(p, wanted.nodes)}
    if not wanted.huge:
        # QEMU's own memory, which is bound to nothing, is among it: what
        # decides is that none is bound while the guest's is in use.
        is_in_use = memory.resident_kib > wanted.memory_kib
        loose = loose if is_in_use and loose == policies else set()
    if loose:
        yield Gap(
            subject=_NODES,
            expected=f'bound to node {wanted.nodes}',
            actual=f'policy {", ".join(sorted(loose))}',
            mend='bind it with <numatune> mode strict, and start the domain '
            'anew',
        )


def _is_bound(policy: str, nodes: CPUSet) -> bool:
    """Whether a policy of ``numa_maps`` leaves these nodes only.

    ``bind:0-1``, or with a flag ``bind=static:0``.
    """
    mode, _, text = policy.partition(':')
    if mode.partition('=')[0] != 'bind':
        return False
    try:
        return CPUSet.parse(text) <= nodes
    except CPUSetError:
        return False


def _prove(domain: Domain, observed: ObservedDomain) -> MemoryProof:
    return prove_memory(memory_of_domain(domain), observed.memory)


def _hidden(why: Missing, subject: str, expected: str) -> Gap:
    return Gap(
        subject=subject,
        expected=expected,
        actual=f'{why.path} is {why}',
        mend=_AS_ROOT,
        is_undecided=True,
    )


VERIFIERS = VerifierGroup(
    (pages_are_right, nodes_are_right, memory_is_locked, memory_is_bound)
)
