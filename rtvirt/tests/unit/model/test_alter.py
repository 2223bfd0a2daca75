# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest

from rtvirt.model.alter import altered
from rtvirt.model.alter import draft_of
from rtvirt.model.host import HostTopology


def test_a_copy_with_changes_keeps_private_fields() -> None:
    host = HostTopology.uniform()
    known = host.vacancies
    made = altered(host, name='other')
    assert type(made) is HostTopology
    assert made == dataclasses.replace(host, name='other')
    assert made.vacancies is known
    assert host.name == ''
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = 'x'  # type: ignore[misc]


def test_a_draft_has_the_slots_and_is_not_frozen() -> None:
    draft = draft_of(HostTopology)()
    draft.name = 'x'
    draft.name = 'y'
    with pytest.raises(AttributeError):
        draft.other = 1
