# SPDX-License-Identifier: Apache-2.0
"""Look at the host again and again, without disturbing what is measured.

All that is read are counters that the kernel keeps anyway. The count of
system management interrupts is read of one pCPU that is not measured: to
read a machine register of another interrupts it, and these interrupts stop
all of them at once.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.latency.sample import CPUSample
from rtvirt.latency.sample import HostSample
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.frozendict import FrozenDict

_CPU: Final = '/sys/devices/system/cpu'
_INTERRUPTS_LIMIT: Final = 1 << 25
_SWITCHES: Final = re.compile(
    r'^nonvoluntary_ctxt_switches:\s+([0-9]{1,18})', re.MULTILINE
)
_NAME: Final = re.compile(r'[^ -~]')
_MSR_SMI_COUNT: Final = 0x34
_POLLING: Final = 'POLL'


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A thread that should never be kept from its pCPU."""

    pid: int
    tid: int
    cpu: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counters:
    """The counters of one pCPU at one time; None where there are none."""

    interrupts: Mapping[str, int]
    preemptions: int | None
    waited_ns: int | None
    smi: int | None
    idle_us: Mapping[str, int]
    throttled: int | None


class Sampler:
    """Looks at some pCPUs.

    :param cpus: the pCPUs that are measured.
    :param tree: the host's files.
    :param msr: where machine registers are (``/dev/cpu``).
    """

    def __init__(
        self,
        cpus: CPUSet,
        tree: Tree | None = None,
        msr: Path = Path('/dev/cpu'),
    ) -> None:
        self._cpus = cpus
        self._tree = tree or DirectoryTree()
        self._msr = msr / str(self._quiet_cpu()) / 'msr'
        self._watched: tuple[Watched, ...] = ()
        self._states = {cpu: self._idle_states(cpu) for cpu in cpus}
        self._before = self._read()
        self._time_s = 0.0

    def watch(self, threads: Iterable[Watched]) -> None:
        """Say whose switches count from now on."""
        self._watched = tuple(threads)
        self._before = self._read()

    def look(self, time_s: float, maxima: Mapping[int, int]) -> HostSample:
        """Return what happened since the last look.

        :param time_s: since the measurement began.
        :param maxima: by thread of the tool, the largest latency so far.
        """
        now = self._read()
        sample = HostSample(
            time_s=time_s,
            duration_s=max(time_s - self._time_s, 0.0),
            cpus=FrozenDict(
                {
                    cpu: _difference(now[cpu], self._before[cpu])
                    for cpu in self._cpus
                }
            ),
            maxima=FrozenDict(maxima),
        )
        self._before, self._time_s = now, time_s
        return sample

    def _quiet_cpu(self) -> int:
        """Return a pCPU that is not measured, or else the first."""
        others = CPUSet(os.sched_getaffinity(0)) - self._cpus
        return next(iter(others or self._cpus), 0)

    def _read(self) -> dict[int, _Counters]:
        interrupts = self._interrupts()
        smi = self._read_smi()
        switches = {cpu: self._switches(cpu) for cpu in self._cpus}
        return {
            cpu: _Counters(
                interrupts=interrupts.get(cpu, {}),
                preemptions=switches[cpu][0],
                waited_ns=switches[cpu][1],
                smi=smi,
                idle_us={
                    name: self._number(path) or 0
                    for name, path in self._states[cpu].items()
                },
                throttled=self._number(
                    f'{_CPU}/cpu{cpu}/thermal_throttle/core_throttle_count'
                ),
            )
            for cpu in self._cpus
        }

    def _interrupts(self) -> dict[int, dict[str, int]]:
        """Return the counts of ``/proc/interrupts`` by pCPU and name."""
        text = read_text(self._tree, '/proc/interrupts', _INTERRUPTS_LIMIT)
        if isinstance(text, Missing):
            return {}
        head, *lines = text.splitlines()
        places = {
            int(word[3:]): index
            for index, word in enumerate(head.split())
            if word.startswith('CPU') and word[3:].isdecimal()
        }
        found: dict[int, dict[str, int]] = {cpu: {} for cpu in self._cpus}
        for line in lines:
            label, _, rest = line.partition(':')
            words = rest.split(maxsplit=len(places))
            name = _title(label.strip(), words[len(places) :])
            for cpu in self._cpus:
                place = places.get(cpu, len(words))
                if place < len(words) and words[place].isdecimal():
                    found[cpu][name] = int(words[place])
        return found

    def _switches(self, cpu: int) -> tuple[int | None, int | None]:
        """Return switches and waiting time of the threads watched there."""
        switches = waited = None
        for thread in self._watched:
            if thread.cpu != cpu:
                continue
            where = f'/proc/{thread.pid}/task/{thread.tid}'
            status = read_text(self._tree, f'{where}/status')
            if not isinstance(status, Missing) and (
                match := _SWITCHES.search(status)
            ):
                switches = (switches or 0) + int(match[1])
            stat = read_text(self._tree, f'{where}/schedstat')
            if not isinstance(stat, Missing):
                words = stat.split()
                if len(words) == 3 and words[1].isdecimal():
                    waited = (waited or 0) + int(words[1])
        return switches, waited

    def _idle_states(self, cpu: int) -> dict[str, str]:
        """Return the files that tell the time in each C-state, by name."""
        top = f'{_CPU}/cpu{cpu}/cpuidle'
        found = {}
        for state in self._tree.names(top):
            name = read_text(self._tree, f'{top}/{state}/name')
            if not isinstance(name, Missing) and name.strip() != _POLLING:
                found[name.strip()] = f'{top}/{state}/time'
        return found

    def _number(self, path: str) -> int | None:
        text = read_text(self._tree, path)
        if isinstance(text, Missing) or not text.strip().isdecimal():
            return None
        return int(text)

    def _read_smi(self) -> int | None:
        try:
            register = os.open(self._msr, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            data = os.pread(register, 8, _MSR_SMI_COUNT)
        except OSError:
            return None
        finally:
            os.close(register)
        return int.from_bytes(data, 'little') & 0xFFFFFFFF


def _title(label: str, rest: list[str]) -> str:
    """Return what to call an interrupt: a device's has its last words.

    ``LOC`` is enough, ``42`` is not.
    """
    words = rest[0].split() if rest and label.isdecimal() else []
    return _NAME.sub('?', ' '.join([label, *words[-1:]]))


def _difference(now: _Counters, before: _Counters) -> CPUSample:
    waited = _since(now.waited_ns, before.waited_ns)
    return CPUSample(
        interrupts=_risen(now.interrupts, before.interrupts),
        preemptions=_since(now.preemptions, before.preemptions),
        waited_us=None if waited is None else waited // 1000,
        smi=_since(now.smi, before.smi),
        idle_us=_risen(now.idle_us, before.idle_us),
        throttled=_since(now.throttled, before.throttled),
    )


def _since(now: int | None, before: int | None) -> int | None:
    if now is None or before is None:
        return None
    return max(now - before, 0)


def _risen(
    now: Mapping[str, int], before: Mapping[str, int]
) -> FrozenDict[str, int]:
    """Return what has risen, and by how much."""
    return FrozenDict(
        {
            name: risen
            for name, value in now.items()
            if (risen := value - before.get(name, 0)) > 0
        }
    )
