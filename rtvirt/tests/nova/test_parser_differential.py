# SPDX-License-Identifier: Apache-2.0
"""rtvirt answers as nova does on thousands of random flavors and images.

``RTVIRT_FUZZ=extended`` takes minutes for tens of thousands.
"""

import collections
import os

from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings

from rtvirt.tests.flavors import Case
from rtvirt.tests.flavors import cases
from rtvirt.tests.flavors import smallest
from rtvirt.tests.nova.explanation import ask_nova
from rtvirt.tests.nova.explanation import ask_rtvirt
from rtvirt.tests.nova.explanation import explain

EXAMPLES = 40_000 if os.environ.get('RTVIRT_FUZZ') == 'extended' else 4000


def is_unexplained(case: Case) -> bool:
    return explain(case, ask_nova(case), ask_rtvirt(case)) is None


def test_same_answers() -> None:
    tally: collections.Counter[str] = collections.Counter()

    @settings(
        max_examples=EXAMPLES,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def compare(case: Case) -> None:
        nova = ask_nova(case)
        ours = ask_rtvirt(case)
        code = explain(case, nova, ours)
        if code is None:
            case = smallest(case, is_unexplained)
            raise AssertionError(
                f'{case}: nova {ask_nova(case)!r}, rtvirt {ask_rtvirt(case)!r}'
            )
        if code:
            tally[code] += 1
        else:
            tally['accepted' if isinstance(ours, dict) else 'refused'] += 1

    compare()
    total = tally.total()
    # Else the run would prove little: of refusals, or of sound flavors only.
    assert tally['accepted'] > 0.4 * total, tally
    assert tally['refused'] > 0.2 * total, tally
    assert total - tally['accepted'] - tally['refused'] < 0.1 * total, tally
