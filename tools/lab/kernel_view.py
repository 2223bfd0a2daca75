# SPDX-License-Identifier: Apache-2.0
"""What the kernel's own tools print about a guest's threads and memory.

Read from their text, so that it owes nothing to rtvirt.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_THREAD: Final = re.compile(
    r'^ *\d+ +(\d+) .*? CPU (\d+)/(?:KVM|TCG) *$', re.MULTILINE
)
_MASK: Final = re.compile(r"current affinity mask: ([0-9a-f]+)$", re.MULTILINE)
_POLICY: Final = re.compile(r'scheduling policy: (\w+)$', re.MULTILINE)
_PRIORITY: Final = re.compile(r'scheduling priority: (\d+)$', re.MULTILINE)
_PAGES: Final = re.compile(
    r'\S+ (\S+) .*\bhuge\b.*? N(\d+)=(\d+) kernelpagesize_kB=(\d+)'
)


@dataclass(frozen=True, slots=True)
class HugePages:
    """A line of numa_maps: the policy, and the pages on a node."""

    policy: str
    node: int
    count: int
    size_kib: int


def vcpu_threads(ps: str) -> list[int]:
    """Return the thread of each vCPU, in their order, from `ps -T -p`."""
    found = {int(number): int(tid) for tid, number in _THREAD.findall(ps)}
    return [found[number] for number in sorted(found)]


def affinity_masks(taskset: str) -> list[str]:
    """Return the masks that `taskset -p` printed."""
    return _MASK.findall(taskset)


def schedulers(chrt: str) -> list[tuple[str, int]]:
    """Return the policies and priorities that `chrt -p` printed."""
    policies = _POLICY.findall(chrt)
    priorities = map(int, _PRIORITY.findall(chrt))
    return list(zip(policies, priorities, strict=True))


def huge_pages(numa_maps: str) -> list[HugePages]:
    """Return the huge pages that lines of numa_maps name."""
    return [
        HugePages(policy, int(node), int(count), int(size))
        for policy, node, count, size in _PAGES.findall(numa_maps)
    ]
