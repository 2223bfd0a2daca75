# SPDX-License-Identifier: Apache-2.0
"""Everything that is needed to judge a measurement, now or in ten years."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import Self

from rtvirt.latency.result import LatencyResult
from rtvirt.latency.sample import HostSample
from rtvirt.latency.verdict import Budget
from rtvirt.latency.verdict import Verdict
from rtvirt.latency.verdict import judge
from rtvirt.model.check import require
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.finding import Finding
from rtvirt.model.frozendict import FrozenDict
from rtvirt.model.host import HostTopology
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.plain import dump
from rtvirt.model.plain import load
from rtvirt.model.plan import Plan

SCHEMA_VERSION: Final = 1

_NOTHING: Final[FrozenDict[int, int]] = FrozenDict()


class Where(enum.StrEnum):
    """How the machine was reached that ran the tool."""

    LOCAL = 'local'
    SSH = 'ssh'
    CONSOLE = 'console'
    AGENT = 'agent'
    FILE = 'file'
    """The tool was run by somebody, and its result given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactsDigest:
    """What a host or a guest was, in short.

    :ivar digest: SHA-256 of its facts as :func:`facts_digest` has them:
        two machines with the same were set up alike.
    :ivar summary: what a person compares first (``kernel``, ``cmdline``,
        ``model``, ``isolated``, ...), by name; what could not be read is
        not in it.
    """

    digest: str
    summary: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was measured.

    :ivar name: the host's, the guest's or the file's.
    :ivar cpus: the CPUs that the tool was told to measure: pCPUs of a host,
        vCPUs of a guest.
    :ivar realtime: those of them that are real-time; None where nobody said.
    :ivar pins: of each measured CPU its pCPU on the host that was watched,
        where there is just one.
    :ivar is_emulated: whether the guest's processor is emulated: then
        every latency in here says nothing about the guest.
    """

    where: Where
    name: str
    cpus: CPUSet
    realtime: CPUSet | None = None
    pins: Mapping[int, int] = _NOTHING
    is_emulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One measurement and everything around it.

    :ivar result: the histograms, and the tool's command line.
    :ivar arguments: what rtvirt started, word by word; empty for a file.
    :ivar load: what ran beside it, word by word; empty for nothing.
    :ivar started: date and time with its offset from UTC (RFC 3339).
    :ivar planned_s: how long it was to measure.
    :ivar measured_s: how long it did.
    :ivar is_complete: whether it was not stopped before its time.
    :ivar host: the host, where it was rtvirt's own.
    :ivar topology: its cells, cores and pages, as they were then.
    :ivar checks: what checks of the host found; None where none was run.
    :ivar guest: the guest, where it let rtvirt read its facts.
    :ivar plan: where the guest was to be.
    :ivar observed: where it was.
    :ivar findings: of the verification of the running domain; None where
        there was none to verify.
    :ivar samples: of the host, in the order of time.
    :ivar budgets: what it was judged by.
    :ivar verdicts: and how.
    """

    result: LatencyResult
    target: Target
    arguments: tuple[str, ...] = ()
    load: tuple[str, ...] = ()
    started: str = ''
    planned_s: float | None = None
    measured_s: float | None = None
    is_complete: bool = True
    host: FactsDigest | None = None
    topology: HostTopology | None = None
    checks: tuple[Finding, ...] | None = None
    guest: FactsDigest | None = None
    plan: Plan | None = None
    observed: ObservedDomain | None = None
    findings: tuple[Finding, ...] | None = None
    samples: tuple[HostSample, ...] = ()
    budgets: tuple[Budget, ...] = ()
    verdicts: tuple[Verdict, ...] = ()

    def __post_init__(self) -> None:
        for value in (self.planned_s, self.measured_s):
            require(
                value is None or (math.isfinite(value) and value >= 0),
                f'a duration is {value} s',
            )

    def judge(self) -> tuple[Verdict, ...]:
        """Return what the budgets say to the result, judged again."""
        return judge(self.result, self.budgets, realtime=self.target.realtime)

    def judged(self) -> Self:
        """Return the evidence with the verdicts that :meth:`judge` gives."""
        return dataclasses.replace(self, verdicts=self.judge())

    @property
    def digest(self) -> str:
        """SHA-256 of everything in it, in hexadecimal digits."""
        return _sha256(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: numbers, texts, lists and dictionaries."""
        return {'schema_version': SCHEMA_VERSION, **dump(self)}

    @classmethod
    def from_dict(cls, data: Any) -> Self:
        """Read what :meth:`to_dict` wrote.

        :raises ModelError: naming the key that is missing or wrong.
        """
        return load(cls, data, schema_version=SCHEMA_VERSION)


def facts_digest(facts: HostFacts) -> FactsDigest:
    """Return what tells machines apart that are set up differently.

    What differs from one look to the next (tasks, counters, the log, names)
    is not in the digest.
    """
    stable = {
        name: dump(value)
        for name, value in (
            ('kernel.release', facts.kernel.release),
            ('kernel.version', facts.kernel.version),
            ('kernel.realtime', facts.kernel.realtime),
            ('kernel.cmdline', facts.kernel.cmdline),
            ('kernel.clocksource', facts.kernel.clocksource),
            ('kernel.config', facts.kernel.config),
            ('kernel.vulnerabilities', facts.kernel.vulnerabilities),
            ('scheduler', facts.scheduler),
            ('watchdog', facts.watchdog),
            ('topology', _topology(facts)),
            ('cpu', facts.cpu),
            ('kvm', facts.kvm),
            ('tuned', facts.tuned),
        )
    }
    return FactsDigest(digest=_sha256(stable), summary=_summary(facts))


def _topology(facts: HostFacts) -> str:
    # Its digest leaves out what is taken at the moment.
    topology = facts.topology
    return str(topology) if isinstance(topology, Missing) else topology.digest


def _summary(facts: HostFacts) -> Mapping[str, str]:
    kernel, firmware = facts.kernel, facts.firmware
    cmdline = kernel.cmdline
    found = {
        'hostname': kernel.hostname,
        'kernel': kernel.release,
        'preempt_rt': kernel.realtime,
        'cmdline': cmdline if isinstance(cmdline, Missing) else cmdline.text,
        'clocksource': kernel.clocksource,
        'model': facts.cpu.model,
        'isolated': facts.cpu.isolated,
        'product': firmware.product,
        'bios': firmware.bios_version,
        'tuned': facts.tuned.profile,
    }
    return FrozenDict(
        {
            name: str(value).lower()
            if value is True or value is False
            else str(value)
            for name, value in found.items()
            if not isinstance(value, Missing)
        }
    )


def _sha256(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, separators=(',', ':'))
    return hashlib.sha256(text.encode()).hexdigest()
