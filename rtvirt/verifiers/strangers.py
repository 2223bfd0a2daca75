# SPDX-License-Identifier: Apache-2.0
"""X: nobody else is on the pCPUs of the domain's vCPUs.

Who counts as a stranger is told in :mod:`rtvirt.host.stranger`.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import Final

from rtvirt.libvirtxml.domain import Domain
from rtvirt.lint_rules.view import dedicated_cpus
from rtvirt.lint_rules.view import realtime_cpus
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Severity
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole
from rtvirt.verifiers.base import Gap
from rtvirt.verifiers.base import VerifierGroup
from rtvirt.verifiers.base import verifier
from rtvirt.verifiers.words import name_cpus
from rtvirt.verifiers.words import say_scheduling

_REALTIME: Final = 'which real-time vCPUs have'


@verifier(
    'RV-X01',
    'Real-time pCPUs have no thread of another domain',
    Severity.ERROR,
    why='Two vCPUs under FIFO on one pCPU wait for each other, for as long '
    'as a guest likes; an ordinary thread of the other domain starves there, '
    'and its guest with it. libvirt starts such domains without a word.',
)
def domains_keep_off(
    domain: Domain, observed: ObservedDomain
) -> Iterator[Gap]:
    """Look for threads of other domains beside real-time vCPUs."""
    realtime = realtime_cpus(domain)
    if isinstance(observed.strangers, Missing):
        # Absent: it was read by itself, without its neighbours.
        if realtime and not observed.strangers.is_absent:
            yield Gap(
                subject='strangers',
                expected=f'nobody else on {name_cpus(realtime)}',
                actual=f'{observed.strangers.path} is {observed.strangers}',
                mend='run it as root, on the host',
                is_undecided=True,
            )
        return
    found = intruders(domain, observed)
    for guest, threads in _group(found, lambda one: one.guest):
        if guest:
            yield Gap(
                subject=f'domain {guest}',
                expected=f'none of its threads on {name_cpus(realtime)}, '
                f'{_REALTIME}',
                actual=_say(threads),
                mend=f'keep domain {guest} off {name_cpus(realtime)}: '
                '<vcpupin>, <emulatorpin> and <iothreadpin>',
            )


@verifier(
    'RV-X02',
    'Real-time pCPUs have no task that was put there',
    Severity.ERROR,
    why='A task under a higher priority delays the vCPU; any other one '
    'starves behind it, or costs it the time that RT throttling gives away.',
)
def tasks_keep_off(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Look for pinned and real-time tasks beside real-time vCPUs."""
    realtime = realtime_cpus(domain)
    tasks = [one for one in intruders(domain, observed) if not one.guest]
    for pid, threads in _group(tasks, lambda one: str(one.pid)):
        process = threads[0].process
        elsewhere = threads[0].scheduling.cpus - realtime
        yield Gap(
            subject=f'process {process} ({pid})',
            expected=f'not on {name_cpus(realtime)}, {_REALTIME}',
            actual=_say(threads),
            mend=f'taskset -apc {elsewhere} {pid}'
            if elsewhere
            else f'taskset -apc LIST {pid}, with housekeeping pCPUs',
        )


@verifier(
    'RV-X03',
    'Dedicated pCPUs have no vCPU of another domain',
    Severity.ERROR,
    why='A dedicated vCPU was promised a pCPU for itself; now two guests '
    'take turns on it, and neither knows why it is slow.',
)
def vcpus_keep_off(domain: Domain, observed: ObservedDomain) -> Iterator[Gap]:
    """Look for vCPUs of other domains, where RV-X01 has not."""
    dedicated = dedicated_cpus(domain)
    if isinstance(observed.strangers, Missing):
        return
    told = {one.guest for one in intruders(domain, observed)}
    vcpus = [
        one
        for one in observed.strangers
        if one.role is ThreadRole.VCPU
        and one.scheduling.cpus & dedicated
        and one.guest not in told
    ]
    for guest, threads in _group(vcpus, lambda one: one.guest):
        yield Gap(
            subject=f'domain {guest}',
            expected=f'none of its vCPUs on {name_cpus(dedicated)}, which '
            'are dedicated',
            actual=_say(threads),
            mend=f'keep domain {guest} off {name_cpus(dedicated)}: <vcpupin>',
        )


def intruders(
    domain: Domain, observed: ObservedDomain
) -> tuple[Stranger, ...]:
    """Return the strangers on the pCPUs of real-time vCPUs."""
    realtime = realtime_cpus(domain)
    if isinstance(observed.strangers, Missing):
        return ()
    return tuple(
        one for one in observed.strangers if one.scheduling.cpus & realtime
    )


def _group(
    strangers: tuple[Stranger, ...] | list[Stranger],
    key: Callable[[Stranger], str],
) -> list[tuple[str, list[Stranger]]]:
    groups: dict[str, list[Stranger]] = {}
    for one in strangers:
        groups.setdefault(key(one), []).append(one)
    return [*groups.items()]


def _say(threads: list[Stranger]) -> str:
    # A vCPU first, for it says the most.
    first = min(threads, key=lambda one: one.role is not ThreadRole.VCPU)
    text = (
        f'{first.name} (tid {first.tid}) on {say_scheduling(first.scheduling)}'
    )
    more = len(threads) - 1
    if not more:
        return text
    return f'{text}, and {more} more thread{"s" if more > 1 else ""}'


VERIFIERS = VerifierGroup((domains_keep_off, tasks_keep_off, vcpus_keep_off))
