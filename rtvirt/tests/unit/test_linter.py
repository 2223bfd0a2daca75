# SPDX-License-Identifier: Apache-2.0
"""The public function lints with the rules that are installed."""

from __future__ import annotations

import rtvirt
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.tests.unit.lint_rules.test_rules import CASES
from rtvirt.tests.unit.lint_rules.test_rules import GOOD
from rtvirt.tests.unit.lint_rules.test_rules import TUNED


def test_rules_about_the_host_need_one() -> None:
    assert rtvirt.lint(parse_domain(GOOD), TUNED) == ()
    domain = parse_domain(CASES['RL-H01'].text())
    assert rtvirt.lint(domain) == ()
    assert [f.code for f in rtvirt.lint(domain, TUNED)] == ['RL-H01']
