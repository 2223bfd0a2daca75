# SPDX-License-Identifier: Apache-2.0
"""Every check of a host finds its defect, and nothing on a good host."""

from __future__ import annotations

import pytest

from rtvirt.checks.base import Profile
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import table
from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.checks.defects import HOST_DEFECTS
from rtvirt.tests.unit.checks.plugins import PLUGINS


def test_a_good_host_has_no_defect() -> None:
    findings = run_checks(tuned_host().facts(), PLUGINS)
    assert findings == ()


@pytest.mark.parametrize('code', sorted(HOST_DEFECTS))
def test_a_defect_is_found_by_its_check_and_no_other(code: str) -> None:
    spoil, also = HOST_DEFECTS[code]
    host = tuned_host()
    spoil(host)
    found = run_checks(host.facts(), PLUGINS)
    assert {f.code for f in found if not f.is_undecided} == {code, *also}


def test_every_check_of_a_host_has_a_defect() -> None:
    codes = {
        code
        for code, check in table(PLUGINS).items()
        if Profile.HOST in check.profiles
    }
    # They take a flavor, or what no file tells: tests of their own.
    needs = {'RT-N01', 'RT-N02', 'RT-F08', 'RT-H08'}
    assert codes - needs == set(HOST_DEFECTS)
