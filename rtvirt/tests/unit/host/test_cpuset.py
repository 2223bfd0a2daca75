# SPDX-License-Identifier: Apache-2.0
"""The cpuset of a thread's control group, in both versions."""

import pytest

from rtvirt.host.cpuset import Cpusets
from rtvirt.host.facts.tree import MappingTree
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why

CGROUP = '/proc/70/task/74/cgroup'
V1 = {
    '/proc/mounts': b'x /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n'
    b'x /sys/fs/cgroup/cpuset cgroup rw,cpuset 0 0\n'
    b'x /sys/fs/cgroup/unified cgroup2 rw 0 0\n',
    '/sys/fs/cgroup/cpuset/cpuset.effective_cpus': b'0-7\n',
    '/sys/fs/cgroup/cpuset/machine/rt/vcpu0/cpuset.effective_cpus': b'2\n',
}
V2 = {
    '/proc/mounts': b'x /sys/fs/cgroup cgroup2 rw 0 0\n',
    '/sys/fs/cgroup/cpuset.cpus.effective': b'0-7\n',
    '/sys/fs/cgroup/machine.slice/rt/cpuset.cpus.effective': b'2-3\n',
}


@pytest.mark.parametrize(
    ('files', 'content', 'group', 'cpus'),
    [
        (
            V1,
            b'3:cpu:/machine/other\n2:cpuset:/machine/rt/vcpu0\n0::/\n',
            *('/machine/rt/vcpu0', '2'),
        ),
        (V1, b'2:cpuset:/\n0::/machine.slice\n', '/', '0-7'),
        (
            V2,
            b'0::/machine.slice/rt\n',
            *('/machine.slice/rt', '2-3'),
        ),
        # The controller ends above: threads of a group without cpusets.
        (
            V2,
            b'0::/machine.slice/rt/libvirt/vcpu0\n',
            *('/machine.slice/rt', '2-3'),
        ),
        (V2, b'0::/user.slice\n', '/', '0-7'),
    ],
)
def test_the_group_that_limits_a_thread(
    files: dict[str, bytes], content: bytes, group: str, cpus: str
) -> None:
    cpusets = Cpusets(MappingTree(files | {CGROUP: content}))

    assert cpusets.group_of(70, 74) == group
    assert cpusets.cpus_of(group) == CPUSet.parse(cpus)


@pytest.mark.parametrize(
    'files',
    [
        V2,
        {CGROUP: b'0::/machine.slice\n'},
        V1 | {CGROUP: b'0::/machine.slice\n'},
        V1 | {CGROUP: b'nonsense\n'},
    ],
)
def test_a_thread_without_one(files: dict[str, bytes]) -> None:
    group = Cpusets(MappingTree(files)).group_of(70, 74)

    assert isinstance(group, Missing)
    assert group.is_absent


def test_what_may_not_be_read_is_told() -> None:
    why = Missing(missing=Why.UNREADABLE, path=CGROUP)

    assert Cpusets(MappingTree(V2 | {CGROUP: why})).group_of(70, 74) == why
