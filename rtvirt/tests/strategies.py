# SPDX-License-Identifier: Apache-2.0
"""Random values of the model, for the properties that tests state."""

from hypothesis import strategies as st

from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet


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
