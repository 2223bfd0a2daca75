# SPDX-License-Identifier: Apache-2.0
"""Random values of the model, for the properties that tests state."""

from hypothesis import strategies as st

from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.host import HostTopology
from rtvirt.tests.oracle.case import Case
from rtvirt.tests.oracle.case import random_case


def cpu_ids(last: int = MAX_CPU) -> st.SearchStrategy[int]:
    """CPU ids up to ``last``; mostly small ones, so that sets meet."""
    near = st.integers(0, min(last, 12))
    return near | st.integers(0, last)


def cpusets(
    last: int = MAX_CPU, *, min_size: int = 0, max_size: int = 12
) -> st.SearchStrategy[CPUSet]:
    """Sets of CPUs up to ``last``."""
    return st.frozensets(
        cpu_ids(last), min_size=min_size, max_size=max_size
    ).map(CPUSet)


@st.composite
def regular_hosts(draw: st.DrawFn) -> HostTopology:
    """Hosts of like cells, each of which has pages of three sizes."""
    cores = draw(st.integers(1, 12))
    return HostTopology.uniform(
        draw(st.integers(1, 9)),
        cores,
        draw(st.integers(1, 4)),
        l3_per_cell=draw(st.integers(1, cores)),
        memory_mib=4096,
        pages={2048: draw(st.integers(0, 1024)), 1048576: 1},
    )


def fit_cases() -> st.SearchStrategy[Case]:
    """Questions to the fit: small hosts, guests, limits and affinities."""
    return st.randoms(use_true_random=False).map(random_case)


def hosts() -> st.SearchStrategy[HostTopology]:
    """Small hosts of unlike cells, partly taken."""
    return fit_cases().map(lambda case: case.host)


def guests() -> st.SearchStrategy[GuestRequirement]:
    """Guests of up to four cells, with any policies."""
    return fit_cases().map(lambda case: case.guest)
