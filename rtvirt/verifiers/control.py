# SPDX-License-Identifier: Apache-2.0
"""C: the vCPUs have their part of caches and memory bandwidth."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from dataclasses import dataclass

from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.observed import ThreadRole
from rtvirt.model.plan import Plan
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.model.resctrl import CacheType
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier

Part = tuple[int, int, str]
"""Of which cache: its level, its bank and what it holds."""

_ROOT = '/sys/fs/resctrl'


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGroup:
    """What some vCPUs are to have for themselves.

    :ivar caches: KiB of each cache.
    :ivar bandwidth: percent of each node's memory bandwidth.
    """

    vcpus: CPUSet
    caches: Mapping[Part, int] = FrozenDict()
    bandwidth: Mapping[int, int] = FrozenDict()


def groups_of_plan(plan: Plan) -> tuple[WantedGroup, ...]:
    """Return what a plan gives its real-time vCPUs."""
    if not plan.is_controlled:
        return ()
    return (
        WantedGroup(
            vcpus=plan.realtime,
            caches=FrozenDict(_sizes(plan.caches)),
            bandwidth=FrozenDict(plan.memory_bandwidth),
        ),
    )


def groups_of_domain(domain: Domain) -> tuple[WantedGroup, ...]:
    """Return what ``<cachetune>`` and ``<memorytune>`` give vCPUs.

    libvirt makes one group of the two where they name the same vCPUs.
    """
    caches = {
        tune.vcpus: FrozenDict(
            {
                (part.level, part.id, part.type): part.size_kib
                for part in tune.caches
            }
        )
        for tune in domain.cputune.cachetunes
        if tune.caches
    }
    bandwidth = {
        tune.vcpus: FrozenDict({n.id: n.bandwidth for n in tune.nodes})
        for tune in domain.cputune.memorytunes
        if tune.nodes
    }
    return tuple(
        WantedGroup(
            vcpus=vcpus,
            caches=caches.get(vcpus, FrozenDict()),
            bandwidth=bandwidth.get(vcpus, FrozenDict()),
        )
        for vcpus in sorted({*caches, *bandwidth}, key=lambda s: (min(s), s))
    )


def _sizes(caches: Iterable[CacheAllocation]) -> dict[Part, int]:
    return {(p.level, p.bank, p.type.value): p.size_kib for p in caches}


def say_groups(groups: tuple[WantedGroup, ...]) -> str:
    """Return ``vCPUs 2-3: 4096 KiB of L3 0, 50 % of node 0``."""
    return '; '.join(map(_say_group, groups)) or 'nothing'


def _say_group(group: WantedGroup) -> str:
    parts = _say_caches(group.caches), _say_bandwidth(group.bandwidth)
    return f'vCPUs {group.vcpus}: {", ".join(filter(None, parts))}'


def _say_caches(caches: Mapping[Part, int]) -> str:
    return ', '.join(
        f'{size} KiB of L{level} {bank}'
        + ('' if kind == CacheType.BOTH else f' ({kind})')
        for (level, bank, kind), size in sorted(caches.items())
    )


def _say_bandwidth(bandwidth: Mapping[int, int]) -> str:
    return ', '.join(
        f'{percent} % of node {node}'
        for node, percent in sorted(bandwidth.items())
    )


@verifier(
    'RV-C01',
    'vCPUs with a part of the cache are in a group of their own',
    Severity.ERROR,
    why='In the host\'s own group a vCPU shares all of the cache with '
    'everybody; what was set aside for it lies idle.',
)
def vcpus_are_in_groups(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the resctrl group of vCPU threads with <cachetune>."""
    for wanted in groups_of_domain(domain):
        expected = f'a group with {say_groups((wanted,))}'
        if isinstance(observed.resctrl, Missing):
            why = observed.resctrl
            yield Gap(
                subject='resctrl',
                expected=expected,
                actual='resctrl is not mounted'
                if why.is_absent
                else f'{why.path} is {why}',
                mend=f'mount -t resctrl resctrl {_ROOT}, and start the '
                'domain anew'
                if why.is_absent
                else 'run it as root, on the host',
                is_undecided=not why.is_absent,
            )
            continue
        usual = _group_of(wanted, observed)
        for thread in _threads(wanted, observed):
            if not thread.resctrl or thread.resctrl != usual:
                yield Gap(
                    subject=f'vCPU {thread.number}',
                    expected=expected,
                    actual=f'group {thread.resctrl or "of the host"} (tid '
                    f'{thread.tid}, {thread.name})',
                    mend=f'echo {thread.tid} > {_ROOT}/{usual}/tasks'
                    if usual
                    else 'start the domain anew',
                )


@verifier(
    'RV-C02',
    'Groups have their caches',
    Severity.ERROR,
    why='With less than was planned the guest\'s working set falls out of '
    'the cache whenever a neighbour is busy.',
)
def caches_are_right(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the schemata of the vCPUs' groups with <cachetune>."""
    for wanted, group in _groups(domain, observed):
        have = _sizes(group.caches)
        found = {part: have.get(part, 0) for part in wanted.caches}
        if found != wanted.caches:
            yield _differs(
                group, _say_caches(wanted.caches), _say_caches(found)
            )


@verifier(
    'RV-C03',
    'Groups have their memory bandwidth',
    Severity.ERROR,
    why='Too little delays the vCPU at every miss of the cache; more than '
    'planned is taken from another guest.',
)
def bandwidth_is_right(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Compare the schemata of the vCPUs' groups with <memorytune>."""
    for wanted, group in _groups(domain, observed):
        found = {n: group.bandwidth.get(n, 0) for n in wanted.bandwidth}
        if found != wanted.bandwidth:
            yield _differs(
                group, _say_bandwidth(wanted.bandwidth), _say_bandwidth(found)
            )


def _threads(
    wanted: WantedGroup, observed: ObservedDomain
) -> Iterator[ObservedThread]:
    for thread in observed.threads:
        if thread.role is ThreadRole.VCPU and thread.number in wanted.vcpus:
            yield thread


def _group_of(wanted: WantedGroup, observed: ObservedDomain) -> str:
    """Return the group that most of the vCPUs are in."""
    names = [
        thread.resctrl
        for thread in _threads(wanted, observed)
        if isinstance(thread.resctrl, str) and thread.resctrl
    ]
    return max(sorted({*names}), key=names.count, default='')


def _groups(
    domain: Domain, observed: ObservedDomain
) -> Iterator[tuple[WantedGroup, ResctrlGroup]]:
    if isinstance(observed.resctrl, Missing):
        return  # RV-C01 says so
    groups = {group.name: group for group in observed.resctrl}
    for wanted in groups_of_domain(domain):
        name = _group_of(wanted, observed)
        if name:
            yield wanted, groups[name]


def _differs(group: ResctrlGroup, expected: str, actual: str) -> Gap:
    return Gap(
        subject=f'resctrl group {group.name}',
        expected=expected,
        actual=actual,
        mend=f'write it to {_ROOT}/{group.name}/schemata, or start the '
        'domain anew',
    )


VERIFIERS = VerifierGroup(
    (vcpus_are_in_groups, caches_are_right, bandwidth_is_right)
)
