# SPDX-License-Identifier: Apache-2.0
"""rtvirt's side of every deliberate deviation from nova."""

import pytest

from rtvirt.exception import InvalidExtraSpec
from rtvirt.extraspecs.deviation import DEVIATIONS
from rtvirt.tests.deviations import NOVA_REFUSES
from rtvirt.tests.deviations import RTVIRT_REFUSES
from rtvirt.tests.flavors import Case
from rtvirt.tests.outcome import parse

NAMES = {deviation.code: deviation.names for deviation in DEVIATIONS}


@pytest.mark.parametrize(('code', 'specs', 'image'), NOVA_REFUSES)
def test_taken(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    assert code in NAMES
    parse(Case(specs=specs, image=image))


@pytest.mark.parametrize(('code', 'specs', 'image'), RTVIRT_REFUSES)
def test_refused(
    code: str, specs: dict[str, str], image: dict[str, str]
) -> None:
    with pytest.raises(InvalidExtraSpec) as caught:
        parse(Case(specs=specs, image=image))
    stem, _, cell = caught.value.key.partition('.')
    name = f'{stem}.{{cell}}' if cell else stem
    assert name in NAMES[code] or not NAMES[code]
