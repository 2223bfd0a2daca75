# SPDX-License-Identifier: Apache-2.0
"""``<metadata>``: the plan, beside what others keep with a domain.

libvirt keeps one element per namespace there, as it is.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from typing import Final

from rtvirt.exception import DomainXMLError
from rtvirt.exception import ModelError
from rtvirt.libvirtxml.compact import to_compact_json
from rtvirt.model.check import shown
from rtvirt.model.plan import SCHEMA_VERSION
from rtvirt.model.plan import Plan

if TYPE_CHECKING:
    from rtvirt.libvirtxml.domain import Domain

NAMESPACE: Final = 'urn:rtvirt:plan:1'


def keep_plan(domain: Domain, plan: Plan) -> None:
    """Keep a plan with a domain, as JSON."""
    version = f'{{"schema_version":{SCHEMA_VERSION},'
    domain.plan = version + to_compact_json(plan)[1:]


def plan_of(domain: Domain) -> Plan | None:
    """Return the plan that a domain was made from; None if it has none.

    :raises DomainXMLError: if what it keeps is no plan, or one of another
        version of rtvirt.
    """
    text = domain.plan
    if text is None:
        return None
    try:
        return Plan.from_dict(json.loads(text))
    # Too deep a nesting ends in a RecursionError.
    except (ModelError, ValueError, RecursionError) as error:
        raise DomainXMLError(
            f'the plan in the metadata of domain {shown(domain.name)} cannot '
            f'be read: {error}',
            hint='apply the plan again',
        ) from error
