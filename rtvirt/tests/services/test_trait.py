# SPDX-License-Identifier: Apache-2.0
"""Placement schedules on what is proved of a host."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from typing import ClassVar

import fixtures

from rtvirt.checks.trait import CACHE
from rtvirt.checks.trait import ISOLATION
from rtvirt.checks.trait import KERNEL
from rtvirt.checks.trait import PREFIX
from rtvirt.checks.trait import READY
from rtvirt.nova import privileged
from rtvirt.tests.services.base import ServicesTestCase
from rtvirt.tests.tuned_host import tuned_host

_DEADLINE_S = 60


class TestTraits(ServicesTestCase):
    """The host is another one: it is tuned well, and then it drifts."""

    dedicated = '1'
    shared = '0'
    options: ClassVar[Mapping[str, Any]] = {
        'trait_interval': 0,
        'preflight': 'enforce',
    }

    def _setup_services(self) -> None:
        self.host = tuned_host()
        self.useFixture(
            fixtures.MockPatchObject(privileged, 'read_host', self.host.facts)
        )
        super()._setup_services()

    def test_drift(self) -> None:
        assert self.traits() == {READY, KERNEL, ISOLATION, CACHE}
        flavor = self.add_flavor(
            1, 64, **{f'trait__{READY}': 'required', 'hw__numa_nodes': '1'}
        )
        server = self.boot(flavor)

        self.host.replace('/proc/cmdline', 'isolcpus=', 'noisolcpus=')
        self.host.write('/sys/devices/system/cpu/isolated', '\n')
        deadline = time.monotonic() + _DEADLINE_S
        while READY in self.traits():
            assert time.monotonic() < deadline
            self._run_periodics()
        assert self.traits() == {KERNEL, CACHE}
        assert f'{READY} taken off' in self.stdlog.logger.output

        refused = self.boot(flavor, state='ERROR')
        assert 'No valid host' in refused['fault']['message']
        assert server['status'] == 'ACTIVE'

    def traits(self) -> set[str]:
        """Return those of rtvirt that placement has of the host."""
        (provider,) = self._get_all_providers()
        return {
            trait
            for trait in self._get_provider_traits(provider['uuid'])
            if trait.startswith(PREFIX)
        }
