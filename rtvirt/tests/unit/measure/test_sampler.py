# SPDX-License-Identifier: Apache-2.0
"""Counters become what happened between two looks."""

from __future__ import annotations

from pathlib import Path

import pytest

from rtvirt.host.facts.tree import MappingTree
from rtvirt.latency.sample import CPUSample
from rtvirt.measure.sampler import Sampler
from rtvirt.measure.sampler import Watched
from rtvirt.model.cpuset import CPUSet

CPU = '/sys/devices/system/cpu'
INTERRUPTS = """\
           CPU0       CPU2       CPU3
  42:         {a}         {b}          0   PCI-MSI 524288-edge      mlx5_comp3
 LOC:        100        {c}        300   Local timer interrupts
 ERR:          7
"""


class Files(MappingTree):
    """Files whose content changes."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        super().__init__({})

    def write(self, **files: str) -> None:
        self.files = {
            '/proc/interrupts': files['interrupts'].encode(),
            '/proc/9/task/10/status': (
                'Name:\tCPU 0/KVM\nvoluntary_ctxt_switches:\t8\n'
                f'nonvoluntary_ctxt_switches:\t{files["switches"]}\n'
            ).encode(),
            '/proc/9/task/10/schedstat': files['schedstat'].encode(),
            f'{CPU}/cpu2/cpuidle/state0/name': b'POLL\n',
            f'{CPU}/cpu2/cpuidle/state0/time': b'99\n',
            f'{CPU}/cpu2/cpuidle/state1/name': b'C1\n',
            f'{CPU}/cpu2/cpuidle/state1/time': files['idle'].encode(),
            f'{CPU}/cpu2/thermal_throttle/core_throttle_count': b'5\n',
        }
        MappingTree.__init__(self, self.files)


@pytest.fixture
def files() -> Files:
    files = Files()
    files.write(
        interrupts=INTERRUPTS.format(a=1, b=2, c=200),
        switches='4',
        schedstat='1000 5000 77\n',
        idle='70\n',
    )
    return files


def test_differences_are_told(files: Files, tmp_path: Path) -> None:
    sampler = Sampler(CPUSet.parse('2-3'), files, tmp_path)
    sampler.watch([Watched(pid=9, tid=10, cpu=2)])
    files.write(
        interrupts=INTERRUPTS.format(a=50, b=915, c=205),
        switches='15',
        schedstat='1000 1405999 99\n',
        idle='190\n',
    )
    sample = sampler.look(1.5, {0: 31})
    assert (sample.time_s, sample.duration_s) == (1.5, 1.5)
    assert sample.maxima == {0: 31}
    assert sample.cpus[2] == CPUSample(
        interrupts={'42 mlx5_comp3': 913, 'LOC': 5},
        preemptions=11,
        waited_us=1400,
        smi=None,
        idle_us={'C1': 120},
        throttled=0,
    )
    # Nobody is watched on CPU 3, which has no states to idle in.
    assert sample.cpus[3] == CPUSample()
    again = sampler.look(2.5, {})
    assert (again.duration_s, again.cpus[2].interrupts) == (1.0, {})


def test_a_host_that_tells_nothing_is_no_error(tmp_path: Path) -> None:
    sampler = Sampler(CPUSet.parse('0'), MappingTree({}), tmp_path)
    assert sampler.look(1.0, {}).cpus == {0: CPUSample()}


def test_smi_are_read_of_another_cpu(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('os.sched_getaffinity', lambda _: {0, 2, 3})
    register = tmp_path / '0' / 'msr'
    register.parent.mkdir()

    def count(number: int) -> None:
        register.write_bytes(bytes(0x34) + number.to_bytes(8, 'little'))

    count(7)
    sampler = Sampler(CPUSet.parse('2-3'), files, tmp_path)
    count(9)
    sample = sampler.look(1.0, {})
    assert [sample.cpus[cpu].smi for cpu in (2, 3)] == [2, 2]
