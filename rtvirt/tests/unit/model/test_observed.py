# SPDX-License-Identifier: Apache-2.0
"""What was observed is kept as plain data, and nonsense is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.exception import ModelError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedPages
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import Stranger
from rtvirt.model.observed import ThreadRole
from rtvirt.model.observed import ThreadSource
from rtvirt.model.resctrl import CacheAllocation

COUNTS = st.integers(0, 1 << 40)
MISSING = st.builds(
    Missing,
    missing=st.sampled_from(Why),
    path=st.just('/proc/7/status'),
    detail=st.text(max_size=5),
)
THREADS = st.builds(
    ObservedThread,
    tid=st.integers(1, 1 << 22),
    name=st.text(max_size=15),
    role=st.sampled_from(ThreadRole),
    number=st.none() | st.integers(0, 4096),
    scheduling=st.builds(
        Scheduling,
        cpus=st.frozensets(st.integers(0, 300)).map(CPUSet),
        policy=st.sampled_from(['fifo', 'rr', 'other', 'policy-9']),
        priority=st.integers(0, 99),
    ),
    last_cpu=st.integers(0, 300),
    involuntary_switches=MISSING | COUNTS,
    cgroup=MISSING | st.text(max_size=9),
    cgroup_cpus=MISSING | st.frozensets(st.integers(0, 9)).map(CPUSet),
    resctrl=MISSING | st.text(max_size=9),
)
PAGES = st.builds(
    ObservedPages,
    node=st.integers(0, 7),
    size_kib=st.sampled_from([2048, 1048576]),
    count=COUNTS,
    policy=st.sampled_from(['default', 'bind:0-1']),
)
STRANGERS = st.builds(
    Stranger,
    pid=st.integers(1, 9),
    tid=st.integers(1, 9),
    name=st.text(max_size=5),
    process=st.text(max_size=5),
    guest=st.text(max_size=5),
    role=st.none() | st.sampled_from(ThreadRole),
    scheduling=st.just(Scheduling(cpus=CPUSet([1]))),
)
GROUPS = st.builds(
    ResctrlGroup,
    name=st.text(max_size=5),
    caches=st.just((CacheAllocation(bank=0, size_kib=1024),)),
    bandwidth=st.dictionaries(st.integers(0, 3), st.integers(0, 100)),
)
DOMAINS = st.builds(
    ObservedDomain,
    uuid=st.uuids().map(str),
    pid=st.integers(1, 1 << 22),
    threads=st.lists(THREADS, max_size=4).map(tuple),
    source=st.sampled_from(ThreadSource),
    memory=MISSING
    | st.builds(
        ObservedMemory,
        huge=MISSING | st.lists(PAGES, max_size=3).map(tuple),
        ordinary=MISSING | st.lists(PAGES, max_size=3).map(tuple),
        hugetlb_kib=MISSING | COUNTS,
        locked_kib=COUNTS,
        resident_kib=COUNTS,
    ),
    resctrl=MISSING | st.lists(GROUPS, max_size=2).map(tuple),
    strangers=MISSING | st.lists(STRANGERS, max_size=2).map(tuple),
    persistent=MISSING | st.text(max_size=20),
)


@settings(max_examples=40)
@given(domain=DOMAINS)
def test_a_domain_comes_back_from_json(domain: ObservedDomain) -> None:
    text = json.dumps(domain.to_dict())

    assert ObservedDomain.from_dict(json.loads(text)) == domain


def plain() -> dict[str, Any]:
    return ObservedDomain(
        uuid='u',
        pid=7,
        threads=(
            ObservedThread(
                tid=8,
                name='CPU 0/KVM',
                role=ThreadRole.VCPU,
                number=0,
                scheduling=Scheduling(cpus=CPUSet([2])),
                last_cpu=2,
            ),
        ),
    ).to_dict()


@pytest.mark.parametrize(
    ('path', 'value'),
    [
        (('pid',), 0),
        (('schema_version',), 2),
        (('threads', 0, 'tid'), 0),
        (('threads', 0, 'role'), 'cook'),
        (('threads', 0, 'number'), -1),
        (('threads', 0, 'last_cpu'), -1),
        (('threads', 0, 'scheduling', 'policy'), ''),
        (('threads', 0, 'scheduling', 'priority'), -1),
        (('threads', 0, 'scheduling', 'cpus'), [-1]),
        (('memory',), {'huge': [], 'locked_kib': -1, 'resident_kib': 0}),
        (('memory',), {'huge': [], 'locked_kib': 1}),
    ],
)
def test_nonsense_is_refused(path: tuple[Any, ...], value: Any) -> None:
    data: Any = plain()
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value

    with pytest.raises(ModelError):
        ObservedDomain.from_dict(data)
