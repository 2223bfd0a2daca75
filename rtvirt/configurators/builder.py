# SPDX-License-Identifier: Apache-2.0
"""Many configurators at work on one domain."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Final

from rtvirt.configurators.base import Configurator
from rtvirt.configurators.base import shared_path
from rtvirt.exception import PluginError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.model.plan import Plan

NAMESPACE: Final = 'rtvirt.configurators'


def check(configurators: Sequence[Configurator]) -> None:
    """Check that no two configurators write the same element.

    :raises PluginError: naming the two and the element.
    """
    conflict = _conflict(tuple([one.owns for one in configurators]))
    if conflict is not None:
        first, second, path = conflict
        one, two = configurators[first], configurators[second]
        raise PluginError(
            f'{type(one).__name__} and {type(two).__name__} both own {path}',
            namespace=NAMESPACE,
            name=type(two).__name__,
            hint='leave one of the two out',
        )


# Every domain is built by the same few.
@functools.lru_cache(maxsize=8)
def _conflict(
    owned: tuple[frozenset[str], ...],
) -> tuple[int, int, str] | None:
    """Return the positions of the first two in conflict, and over what."""
    for one, two in itertools.combinations(range(len(owned)), 2):
        if path := shared_path(owned[one], owned[two]):
            return one, two, path
    return None


def build(
    plan: Plan, domain: Domain, configurators: Sequence[Configurator]
) -> None:
    """Render a plan into a domain; the order makes no difference."""
    for configurator in configurators:
        configurator.configure(plan, domain)
