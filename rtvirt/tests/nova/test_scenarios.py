# SPDX-License-Identifier: Apache-2.0
"""nova does what the scenarios say, to which rtvirt is held as well."""

import pytest

from rtvirt.tests.nova.oracle import RefusedError
from rtvirt.tests.nova.oracle import outcome
from rtvirt.tests.outcome import facts
from rtvirt.tests.outcome import parse
from rtvirt.tests.scenarios import SCENARIOS
from rtvirt.tests.scenarios import Scenario


@pytest.mark.parametrize(
    'scenario', [s for s in SCENARIOS if not s.refused], ids=lambda s: s.title
)
def test_accepted(scenario: Scenario) -> None:
    found = outcome(scenario.case)
    assert {key: found[key] for key in scenario.expected} == scenario.expected
    assert found == facts(parse(scenario.case))


@pytest.mark.parametrize(
    'scenario', [s for s in SCENARIOS if s.refused], ids=lambda s: s.title
)
def test_refused(scenario: Scenario) -> None:
    with pytest.raises(RefusedError):
        outcome(scenario.case)
