# SPDX-License-Identifier: Apache-2.0
"""One extra spec by itself, before there is a flavor to see it with."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.own import priorities
from rtvirt.extraspecs.request import read_request
from rtvirt.model.cpuset import MAX_CPU
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor

_EVERY: Final = CPUSet.from_mask((1 << MAX_CPU + 1) - 1)


def check_single(key: str, text: str) -> None:
    """Refuse a name, or a value, that is wrong whatever goes with it.

    :raises ExtraSpecError: as ``parse_guest`` would for every flavor that
        has it.
    """
    flavor = Flavor(name=key, vcpus=1, memory_mib=1, extra_specs={key: text})
    request = read_request(flavor, {}, strict=True)
    # Which vCPUs are real-time is another extra spec's business.
    priorities(request, _EVERY)
