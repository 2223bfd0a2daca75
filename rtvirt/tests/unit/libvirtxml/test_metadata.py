# SPDX-License-Identifier: Apache-2.0
"""The plan that a domain keeps."""

from __future__ import annotations

import pytest

from rtvirt.exception import DomainXMLError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import NAMESPACE
from rtvirt.libvirtxml.metadata import keep_plan
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.tests.plans import make_plan


def test_plan_is_kept() -> None:
    domain = Domain(virt_type='kvm', name='x')
    assert plan_of(domain) is None
    plan = make_plan()
    keep_plan(domain, plan)
    assert plan_of(domain) == plan
    assert plan_of(parse_domain(domain.to_xml())) == plan


def test_plan_is_found_whatever_its_prefix() -> None:
    domain = Domain(virt_type='kvm', name='x')
    keep_plan(domain, make_plan())
    text = domain.to_xml()
    for old, new in (
        ('<rtvirt', '<p'),
        ('/rtvirt', '/p'),
        (':rtvirt=', ':p='),
    ):
        text = text.replace(old, new)
    assert plan_of(parse_domain(text)) == make_plan()
    text = text.replace(NAMESPACE, 'urn:other')
    assert plan_of(parse_domain(text)) is None


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('', 'Expecting value'),
        ('no JSON', 'Expecting value'),
        ('[' * 100_000, 'recursion'),
        ('[]', 'Plan'),
        ('{"schema_version":2}', 'schema_version'),
        ('{"schema_version":1}', "lacks the key 'guest'"),
        ('{"schema_version":' + '9' * 10_000 + '}', 'limit'),
    ],
)
def test_what_is_no_plan(text: str, message: str) -> None:
    domain = Domain(virt_type='kvm', name='x', plan=text)
    with pytest.raises(DomainXMLError) as caught:
        plan_of(domain)
    assert "the plan in the metadata of domain 'x' cannot be read" in str(
        caught.value
    )
    assert message in str(caught.value)
    assert caught.value.hint
