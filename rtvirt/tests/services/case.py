# SPDX-License-Identifier: Apache-2.0
"""nova's own test cases under pytest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from typing import ClassVar

import fixtures
import nova.conf
import os_vif
from nova.tests import fixtures as nova_fixtures

from rtvirt.nova import opts


class Off(fixtures.Fixture):
    """Nothing, in the place of a guard of nova's."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        super().__init__()


class NovaCase:
    """Stands before a base class of nova's.

    :cvar guards: fixtures of nova's that its tests are to do without.
    """

    # It makes errors of what SQLAlchemy deprecated since.
    guards: ClassVar[tuple[str, ...]] = ('WarningsFixture',)

    def setUp(self: Any) -> None:
        for guard in self.guards:
            patch = fixtures.MockPatchObject(nova_fixtures, guard, Off)
            patch.setUp()
            self.addCleanup(patch.cleanUp)
        super().setUp()  # type: ignore[misc]

    def _setup_services(self: Any) -> None:
        opts.register(nova.conf.CONF)
        # As nova.cmd.compute does before it loads the driver.
        os_vif.initialize()
        paste = Path(sys.prefix) / 'etc' / 'nova' / 'api-paste.ini'
        self.flags(api_paste_config=str(paste), group='wsgi')
        super()._setup_services()  # type: ignore[misc]

    def _clear_attrs(self: Any) -> None:
        """Keep the test itself, which pytest put there and takes out."""
        name = self._testMethodName
        test = self.__dict__[name]
        super()._clear_attrs()  # type: ignore[misc]
        self.__dict__[name] = test
