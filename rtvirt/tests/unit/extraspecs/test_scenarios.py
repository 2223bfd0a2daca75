# SPDX-License-Identifier: Apache-2.0
"""Every rule of nova's, in the scenarios that nova is held to as well."""

import pytest

from rtvirt.exception import ExtraSpecError
from rtvirt.tests.outcome import facts
from rtvirt.tests.outcome import parse
from rtvirt.tests.scenarios import SCENARIOS
from rtvirt.tests.scenarios import Scenario


@pytest.mark.parametrize(
    'scenario', [s for s in SCENARIOS if not s.refused], ids=lambda s: s.title
)
def test_accepted(scenario: Scenario) -> None:
    found = facts(parse(scenario.case))
    assert {key: found[key] for key in scenario.expected} == scenario.expected


@pytest.mark.parametrize(
    'scenario', [s for s in SCENARIOS if s.refused], ids=lambda s: s.title
)
def test_refused(scenario: Scenario) -> None:
    with pytest.raises(ExtraSpecError) as caught:
        parse(scenario.case)
    error = caught.value
    texts = {**scenario.case.image, **scenario.case.specs}
    assert error.key == scenario.refused
    assert error.value == texts[error.key]
    assert error.expected
    assert error.hint
    assert error.key in error.message
    assert len(error.message) < 400
