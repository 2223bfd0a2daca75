# SPDX-License-Identifier: Apache-2.0
"""Measure a subject, and put everything around it into one file."""

from __future__ import annotations

import datetime
import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from rtvirt import plugins
from rtvirt.checks.run import run_checks
from rtvirt.exception import InputError
from rtvirt.exception import MeasureError
from rtvirt.exception import ModelError
from rtvirt.host.facts.read import read_facts
from rtvirt.latency.evidence import Evidence
from rtvirt.latency.evidence import FactsDigest
from rtvirt.latency.evidence import facts_digest
from rtvirt.latency.verdict import Budget
from rtvirt.measure.guest_facts import read_guest_facts
from rtvirt.measure.machine import Job
from rtvirt.measure.order import Order
from rtvirt.measure.run import OnProgress
from rtvirt.measure.run import measure
from rtvirt.measure.sampler import Sampler
from rtvirt.measure.subject import Subject
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.host import HostTopology
from rtvirt.model.partition import partition


def take_evidence(
    subject: Subject,
    order: Order,
    budgets: Iterable[Budget] = (),
    *,
    realtime: CPUSet | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> Evidence:
    """Measure, and return what is needed to judge it at any time.

    :param realtime: the CPUs that are real-time, where the subject does not
        know better.
    :raises MeasureError: if nothing was measured.
    :raises LatencyFormatError: if what the tool says cannot be read.
    """
    target = subject.target(order.cpus, realtime)
    sampler = _sampler(subject, target.pins.values())
    facts = read_facts() if subject.is_here else None
    guest = _guest_facts(subject)

    def on_start(job: Job) -> None:
        if sampler is not None:
            sampler.watch(subject.watched(job))

    started = datetime.datetime.now().astimezone()
    measured = measure(
        subject.machine,
        order,
        sampler=sampler,
        on_start=on_start,
        on_progress=on_progress,
    )
    return Evidence(
        result=measured.result,
        target=target,
        arguments=order.arguments,
        load=order.load,
        started=started.isoformat(timespec='seconds'),
        planned_s=float(order.duration_s),
        measured_s=measured.measured_s,
        is_complete=measured.is_complete,
        host=facts_digest(facts) if facts else None,
        topology=_topology(facts) if facts else None,
        checks=run_checks(facts, plugins.host_checks()) if facts else None,
        guest=guest,
        plan=subject.plan,
        observed=subject.observed,
        findings=subject.findings,
        samples=measured.samples,
        budgets=tuple(budgets),
    ).judged()


def _topology(facts: HostFacts) -> HostTopology | None:
    """Return the host, its isolated pCPUs being the dedicated ones."""
    try:
        host = HostTopology.from_facts(facts)
    except ModelError:
        return None
    isolated = facts.cpu.isolated
    if isinstance(isolated, Missing):
        return host
    dedicated = CPUSet(cpu for c in host.cells for cpu in c.cpus & isolated)
    return partition(host, dedicated=dedicated) if dedicated else host


def _sampler(subject: Subject, pcpus: Iterable[int]) -> Sampler | None:
    cpus = CPUSet(pcpus)
    return Sampler(cpus) if subject.is_here and cpus else None


def _guest_facts(subject: Subject) -> FactsDigest | None:
    if not subject.is_guest:
        return None
    try:
        return facts_digest(read_guest_facts(subject.machine))
    except MeasureError:
        # Its shell answers, and lacks a program: that is no reason not to
        # measure.
        return None


def write_evidence(evidence: Evidence, path: str) -> None:
    """Write evidence to a file, all of it or nothing.

    :raises InputError: if it cannot be written.
    """
    text = json.dumps(evidence.to_dict(), indent=1)
    place = Path(path)
    try:
        with tempfile.NamedTemporaryFile(
            'w', encoding='utf-8', dir=place.parent, delete=False
        ) as file:
            file.write(f'{text}\n')
            file.flush()
            os.fchmod(file.fileno(), 0o644)
        Path(file.name).replace(place)
    except OSError as error:
        raise InputError(
            f'cannot write {path!r}: {error.strerror}',
            path=path,
            hint='name a file in a directory that you may write to',
        ) from error
