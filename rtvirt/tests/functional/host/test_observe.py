# SPDX-License-Identifier: Apache-2.0
"""A process with as many threads as a large guest has, some of which end."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ThreadRole

UUID = '5f0a1c52-6f5e-4a3c-8a11-3f7d2f0c9b64'
VCPUS = 48
IOTHREADS = 8
# Names of threads, and workers that come and go as QEMU's do.
PROGRAM = f"""
import ctypes, sys, threading, time

prctl = ctypes.CDLL(None).prctl
named = threading.Semaphore(0)

def rest(name, seconds):
    prctl(15, name.encode(), 0, 0, 0)
    named.release()
    time.sleep(seconds)

def start(name, seconds):
    threading.Thread(target=rest, args=(name, seconds), daemon=True).start()

for n in range({VCPUS}):
    start(f'CPU {{n}}/KVM', 600)
for n in range({IOTHREADS}):
    start(f'IO iothread{{n + 1}}', 600)
for n in range({VCPUS + IOTHREADS}):
    named.acquire()
print('started', flush=True)
while True:
    for n in range(7):
        start('worker', 0.001)
    time.sleep(0.002)
"""


@pytest.fixture(scope='module')
def process() -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, '-c', PROGRAM, '-uuid', UUID, '-S'],
        stdout=subprocess.PIPE,
        text=True,
    ) as started:
        try:
            assert started.stdout is not None
            assert started.stdout.readline() == 'started\n'
            yield started
        finally:
            started.kill()


def test_threads_that_vanish_leave_the_others(
    process: subprocess.Popen[str],
) -> None:
    tree = DirectoryTree()
    guest = find_guests(tree)[UUID]
    assert guest.pid == process.pid

    for _ in range(20):
        observed = observe(tree, guest)

        roles = Counter(thread.role for thread in observed.threads)
        assert roles[ThreadRole.VCPU] == VCPUS
        assert roles[ThreadRole.IOTHREAD] == IOTHREADS
        numbers = [t.number for t in observed.threads[:VCPUS]]
        assert numbers == [*range(VCPUS)]
        # A thread that ended between two files keeps what was read of it.
        lasting = observed.threads[: VCPUS + IOTHREADS]
        assert all(isinstance(t.involuntary_switches, int) for t in lasting)
        assert ObservedDomain.from_dict(observed.to_dict()) == observed
