# SPDX-License-Identifier: Apache-2.0
"""A quick constructor makes what the ordinary one makes."""

import copy
import dataclasses
import inspect
import pickle
from dataclasses import dataclass
from dataclasses import field

import pytest

from rtvirt.model.quick import quick


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value of every kind of field."""

    needed: int
    given: str = 'default'
    made: list[int] = field(default_factory=list)
    hidden: int = field(default=7, init=False, compare=False)

    def __post_init__(self) -> None:
        if self.needed < 0:
            raise ValueError('negative')


def test_fields() -> None:
    sample = Sample(needed=1, given='x')
    assert (sample.needed, sample.given, sample.hidden) == (1, 'x', 7)
    assert Sample(needed=1).given == 'default'
    assert Sample(needed=1).made is not Sample(needed=1).made
    assert type(sample) is Sample
    assert not hasattr(sample, '__dict__')


def test_is_checked() -> None:
    with pytest.raises(ValueError, match='negative'):
        Sample(needed=-1)
    with pytest.raises(TypeError, match='needed'):
        Sample()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match='other'):
        Sample(needed=1, other=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match='hidden'):
        Sample(needed=1, hidden=2)  # type: ignore[call-arg]


def test_is_frozen() -> None:
    sample = Sample(needed=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        sample.needed = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del sample.needed


def test_is_a_dataclass() -> None:
    sample = Sample(needed=1, made=[1])
    assert sample == Sample(needed=1, made=[1])
    assert sample != Sample(needed=2, made=[1])
    assert dataclasses.replace(sample, needed=3).needed == 3
    with pytest.raises(ValueError, match='negative'):
        dataclasses.replace(sample, needed=-3)
    assert pickle.loads(pickle.dumps(sample)) == sample
    assert copy.deepcopy(sample) == sample
    assert repr(sample).startswith("Sample(needed=1, given='default'")
    assert list(inspect.signature(Sample).parameters) == [
        'needed', 'given', 'made',
    ]  # fmt: skip
