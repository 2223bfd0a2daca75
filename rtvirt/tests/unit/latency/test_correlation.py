# SPDX-License-Identifier: Apache-2.0
"""A spike has beside it what the host did then, and nothing else."""

from __future__ import annotations

import dataclasses

from rtvirt.latency.correlation import correlate
from rtvirt.latency.sample import CPUSample
from rtvirt.tests.evidence import sample_evidence


def test_a_spike_has_its_causes() -> None:
    spikes = correlate(sample_evidence())
    (spike,) = (one for one in spikes if one.causes)
    assert (spike.time_s, spike.thread, spike.pcpu) == (42.0, 2, 4)
    assert (spike.latency, spike.samples) == (161, 3)
    assert [cause.what for cause in spike.causes] == [
        'waited us',
        'interrupts 42 mlx5_comp3',
        'preemptions',
    ]
    assert str(spike.causes[1]) == (
        'interrupts 42 mlx5_comp3: 913/s (usually 0)'
    )


def test_an_overflow_is_placed_by_its_cycle() -> None:
    # Cycle 205 001 of 200 us is 41 s and a little after the first.
    (spike,) = (
        one
        for one in correlate(sample_evidence(), limit=10_000)
        if one.thread == 0
    )
    assert (spike.time_s, spike.samples, spike.latency) == (42.0, 6, None)
    # The host was quiet where that vCPU is.
    assert spike.causes == ()


def test_below_the_limit_nothing_is_a_spike() -> None:
    evidence = sample_evidence()
    threads = tuple(
        dataclasses.replace(thread, overflow_cycles=())
        for thread in evidence.result.threads
    )
    quiet = dataclasses.replace(
        evidence, result=dataclasses.replace(evidence.result, threads=threads)
    )
    assert correlate(quiet, limit=1000) == ()
    assert {spike.latency for spike in correlate(quiet, limit=100)} == {
        161,
        212,
    }


def test_what_is_as_usual_is_no_cause() -> None:
    evidence = sample_evidence()
    busy = CPUSample(interrupts={'LOC': 900}, preemptions=4)
    everywhere = tuple(
        dataclasses.replace(sample, cpus={4: busy})
        for sample in evidence.samples
    )
    spikes = correlate(dataclasses.replace(evidence, samples=everywhere))
    assert spikes
    assert not any(spike.causes for spike in spikes)


def test_without_samples_of_the_host_there_is_nothing_to_say() -> None:
    evidence = dataclasses.replace(sample_evidence(), samples=())
    assert correlate(evidence) == ()
