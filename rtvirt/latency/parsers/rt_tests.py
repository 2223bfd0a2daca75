# SPDX-License-Identifier: Apache-2.0
"""The JSON of rt-tests: a header, and an object per thread.

Its keys ``cmdline:`` and ``rt_test_version:`` end in a colon; in case
somebody mends that, both spellings are read.
"""

from __future__ import annotations

import contextlib
import datetime
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from typing import Final
from typing import NoReturn
from typing import TypeGuard

from rtvirt.exception import CPUSetError
from rtvirt.latency.parsers.base import fail
from rtvirt.latency.parsers.base import line_of
from rtvirt.latency.parsers.base import load_json
from rtvirt.latency.parsers.base import whole
from rtvirt.model.check import MAX_INT
from rtvirt.model.check import shown
from rtvirt.model.cpuset import CPUSet

_FILE_VERSION: Final = 1
_DATE: Final = '%a, %d %b %Y %H:%M:%S %z'


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One JSON file of rt-tests.

    :ivar header: what every tool of rt-tests writes, as
        :class:`~rtvirt.latency.result.LatencyResult` calls it.
    :ivar data: all of it.
    """

    text: str
    tool: str
    header: Mapping[str, Any]
    data: Mapping[str, Any]

    def threads(self) -> list[tuple[int, Thread]]:
        """Return the threads by number; ``num_threads`` of them."""
        found = self.data.get('thread')
        if not isinstance(found, dict) or not found:
            self.fail('there are no threads', '"thread"')
        count = self.data.get('num_threads', len(found))
        if count != len(found):
            self.fail(
                f'num_threads is {shown(count)}, and there are {len(found)}',
                '"num_threads"',
            )
        threads = []
        for name, data in found.items():
            number = whole(name)
            if number is None or not isinstance(data, dict):
                self.fail(f'thread {shown(name)} is none', f'"{name}"')
            threads.append((number, Thread(self, name, data)))
        return sorted(threads, key=lambda one: one[0])

    def fail(self, what: str, needle: str) -> NoReturn:
        """Raise an error about the line that has this in it."""
        fail(self.tool, what, line_of(self.text, needle))


@dataclass(frozen=True, slots=True)
class Thread:
    """One thread's object."""

    document: Document
    name: str
    data: Mapping[str, Any]

    def number(self, key: str) -> int:
        """Return a whole number, which has to be there."""
        value: Any = self.data.get(key)
        if type(value) is not int or not 0 <= value <= MAX_INT:
            self.fail(f'{key} is {shown(value)}: expected a whole number')
        return value

    def mean(self) -> float:
        """Return the average, which has to be there."""
        value: Any = self.data.get('avg')
        if not _is_number(value):
            self.fail(f'avg is {shown(value)}: expected a number')
        return float(value)

    def duration(self) -> float:
        """Return how long it measured, 0 where that is not told."""
        value = self.data.get('duration')
        return float(value) if _is_number(value) else 0.0

    def histogram(self) -> dict[int, int]:
        """Return the counts by bucket; buckets without samples are left out.

        A tool that was not asked for a histogram writes none.
        """
        found = self.data.get('histogram', {})
        if not isinstance(found, dict):
            self.fail('histogram is no object')
        counts = {}
        for name, count in found.items():
            bucket = whole(name)
            if bucket is None or bucket in counts:
                self.fail(f'{shown(name)} is no bucket')
            if type(count) is not int or not 0 <= count <= MAX_INT:
                self.fail(f'bucket {name} has {shown(count)} samples')
            counts[bucket] = count
        return counts

    def fail(self, what: str) -> NoReturn:
        """Raise an error about the line where the thread begins."""
        self.document.fail(f'thread {self.name}: {what}', f'"{self.name}": {{')


def _is_number(value: Any) -> TypeGuard[int | float]:
    return type(value) in {int, float} and 0 <= value <= MAX_INT


def load_document(text: str, tool: str) -> Document:
    """Read a JSON file of rt-tests."""
    data = load_json(text, tool)
    version = data.get('file_version')
    if version != _FILE_VERSION:
        fail(
            tool,
            f'file_version is {shown(version)}: expected {_FILE_VERSION}',
            line_of(text, '"file_version"'),
        )
    system = data.get('sysinfo')
    system = system if isinstance(system, dict) else {}
    realtime = system.get('realtime')
    header = {
        'command': _text(data, 'cmdline'),
        'version': _text(data, 'rt_test_version'),
        'started': _text(data, 'start_time'),
        'duration_s': _duration(data),
        'kernel': _text(system, 'release'),
        'is_realtime_kernel': bool(realtime) if realtime in {0, 1} else None,
    }
    return Document(text=text, tool=tool, header=header, data=data)


def option(command: str, *names: str) -> str | None:
    """Return the value of an option in a command line, None where it is not.

    :param names: as in ``-h`` and ``--histogram``.
    """
    words = split(command)
    for index, word in enumerate(words):
        for name in names:
            if word == name:
                return words[index + 1] if index + 1 < len(words) else None
            start = f'{name}=' if name.startswith('--') else name
            if word.startswith(start):
                return word.removeprefix(start)
    return None


def pinned(command: str, threads: int) -> list[int | None]:
    """Return the CPU of each of cyclictest's threads, by its command line.

    Threads go over the CPUs of ``-a`` in turn; without a list thread N is
    on CPU N. None where they are not pinned.
    """
    told = option(command, '-a', '--affinity')
    flags = ('a', '--affinity'), ('S', '--smp')
    if told is None and not any(has_flag(command, *flag) for flag in flags):
        return [None] * threads
    try:
        cpus = [*CPUSet.parse(told or '')]
    except CPUSetError:
        cpus = []
    return [
        cpus[number % len(cpus)] if cpus else number
        for number in range(threads)
    ]


def has_flag(command: str, letter: str, name: str) -> bool:
    """Whether a command line has a flag, alone or among other letters."""
    return any(
        word == name
        or (
            word.startswith('-')
            and not word.startswith('--')
            and word[1:].isalpha()
            and letter in word
        )
        for word in split(command)
    )


def split(command: str) -> list[str]:
    """Return the words of a command line as far as it has any."""
    try:
        return shlex.split(command)
    except ValueError:
        return command.split()


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(f'{name}:', data.get(name))
    return value if isinstance(value, str) else ''


def _duration(data: Mapping[str, Any]) -> float | None:
    with contextlib.suppress(ValueError, OverflowError):
        # The format has the offset from UTC.
        start, end = (
            datetime.datetime.strptime(_text(data, name), _DATE)  # noqa: DTZ007
            for name in ('start_time', 'end_time')
        )
        return max((end - start).total_seconds(), 0.0)
    return None
