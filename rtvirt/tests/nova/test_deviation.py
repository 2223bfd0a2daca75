# SPDX-License-Identifier: Apache-2.0
"""Each deliberate deviation is real, and is what its text says."""

import pytest

from rtvirt.extraspecs.deviation import DEVIATIONS
from rtvirt.tests.deviations import NOVA_REFUSES
from rtvirt.tests.deviations import RTVIRT_REFUSES
from rtvirt.tests.flavors import Case
from rtvirt.tests.nova.explanation import ask_nova
from rtvirt.tests.nova.explanation import ask_rtvirt
from rtvirt.tests.nova.explanation import explain


@pytest.mark.parametrize(('code', 'specs', 'image'), NOVA_REFUSES)
def test_nova_refuses_and_rtvirt_does_not(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    case = Case(specs=specs, image=image)
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, Exception)
    assert isinstance(ours, dict)
    assert explain(case, nova, ours) == code


@pytest.mark.parametrize(('code', 'specs', 'image'), RTVIRT_REFUSES)
def test_rtvirt_refuses_and_nova_does_not(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    case = Case(specs=specs, image=image)
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, dict)
    assert isinstance(ours, Exception)
    assert explain(case, nova, ours) == code


def test_every_deviation_is_shown() -> None:
    shown = {code for code, _, _ in NOVA_REFUSES + RTVIRT_REFUSES}
    assert shown == {deviation.code for deviation in DEVIATIONS}


def test_a_difference_without_a_deviation_is_none() -> None:
    case = Case(specs={'hw:cpu_policy': 'dedicated'})
    nova = ask_nova(case)
    ours = ask_rtvirt(case)
    assert isinstance(nova, dict)
    assert explain(case, nova, ours) == ''
    assert explain(case, {**nova, 'pmu': True}, ours) is None
    assert explain(case, ValueError('no'), ours) is None
    refusal = ask_rtvirt(Case(specs={'hw:cpu_policy': 'none'}))
    assert explain(case, nova, refusal) is None
