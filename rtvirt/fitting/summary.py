# SPDX-License-Identifier: Apache-2.0
"""Why a guest does not fit a host, in a few words that many hosts share.

For a log of a thousand hosts, to be counted: the words name what the guest
asks for and not how much of it this host has.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Iterator

from rtvirt.fitting.demand import CellDemand
from rtvirt.fitting.demand import prepare
from rtvirt.fitting.emulator import find_emulator_reason
from rtvirt.fitting.engine import Affinity
from rtvirt.fitting.reason import find_reasons
from rtvirt.fitting.refusal import find_general_reasons
from rtvirt.fitting.terms import SMTIsolate
from rtvirt.fitting.terms import Terms
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import ThreadPolicy
from rtvirt.model.host import HostTopology
from rtvirt.model.limits import Limits
from rtvirt.model.pages import format_kib
from rtvirt.model.reason import FitReason
from rtvirt.model.reason import ReasonCode

_WORDS = {
    ReasonCode.DEDICATED_CPUS: 'too few free dedicated pCPUs',
    ReasonCode.SHARED_CPUS: 'too few shared pCPUs',
    ReasonCode.MEMORY: 'too little free memory',
    ReasonCode.L3: 'too few free pCPUs in one L3 cache',
    ReasonCode.CACHE: 'too little L3 cache left',
    ReasonCode.MEMORY_BANDWIDTH: 'too little memory bandwidth left',
    ReasonCode.EMULATOR: 'no pCPU for the emulator threads',
    ReasonCode.AFFINITY: 'no room near the devices or networks asked for',
    ReasonCode.ASSIGNMENT: 'room for each guest cell, but not for all of them',
    ReasonCode.HOST_CELLS: 'fewer host cells than the guest has cells',
    ReasonCode.ACCEPT: 'no plan was accepted',
}


def summarize(
    guest: GuestRequirement,
    host: HostTopology,
    *,
    limits: Limits | None = None,
    affinity: Affinity = (),
    smt_isolate: str = SMTIsolate.CORES,
) -> str:
    """Return in a few words why the guest, which must not fit, does not.

    What every host cell lacks comes before what only some of them lack, and
    what one guest cell lacks is enough. Where there is room everywhere it
    is the affinity, or what the caller knows of beside it.
    """
    demand = prepare(guest)
    if not demand.cells:
        return _WORDS[ReasonCode.SHARED_CPUS]
    if find_emulator_reason(demand, host):
        return _WORDS[ReasonCode.EMULATOR]
    terms = Terms(demand, host, limits, SMTIsolate(smt_isolate))
    if demand.policy is ThreadPolicy.REQUIRE and not _has_siblings(terms):
        return 'no SMT'
    if len(demand.cells) <= len(host.cells):
        for want in demand.kinds:
            if text := _lack(want, terms):
                return text
    near = [frozenset(ids) for ids in affinity]
    return _WORDS[next(find_general_reasons(terms, near)).code]


def _lack(want: CellDemand, terms: Terms) -> str:
    """Return what keeps a guest cell from every host cell, if so."""
    common: dict[str, None] | None = None
    every: dict[str, None] = {}
    for vacancy in terms.host.vacancies:
        words = dict.fromkeys(
            _phrases(find_reasons(want, vacancy, terms), terms)
        )
        if not words:
            return ''
        every |= words
        common = words if common is None else _both(common, words)
    if common:
        return _on(' and '.join(common), 'every', terms)
    return _on(' or '.join(every), 'each', terms)


def _both(one: dict[str, None], other: dict[str, None]) -> dict[str, None]:
    return {word: None for word in one if word in other}


def _on(text: str, which: str, terms: Terms) -> str:
    if len(terms.host.cells) == 1:
        return text
    return f'{text} on {which} host cell'


def _phrases(reasons: Iterable[FitReason], terms: Terms) -> Iterator[str]:
    for reason in reasons:
        size = terms.demand.cells[0].page_size
        asked = format_kib(size) if type(size) is int else ''
        if reason.code is ReasonCode.PAGES:
            yield f'too few free {asked} pages'.replace('  ', ' ')
        elif reason.code is ReasonCode.PAGE_SIZE:
            yield f'no {asked or size} pages'
        elif reason.code is ReasonCode.THREAD_POLICY:
            yield _thread_phrase(terms)
        else:
            yield _WORDS[reason.code]


def _thread_phrase(terms: Terms) -> str:
    policy = terms.demand.policy
    if terms.refuse_smt and _has_siblings(terms):
        return f'SMT, which thread policy {policy} cannot have'
    return f'too few free cores for thread policy {policy}'


def _has_siblings(terms: Terms) -> bool:
    return any(
        vacancy.layout.threads_per_core > 1 for vacancy in terms.host.vacancies
    )
