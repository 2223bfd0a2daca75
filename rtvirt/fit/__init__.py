# SPDX-License-Identifier: Apache-2.0
"""The exact fit of a guest on a host. Pure; see :mod:`rtvirt.fit.engine`.

The package and its function have one name: ``rtvirt.fit(guest, host)``
works whether ``rtvirt.fit`` is the function, as ``rtvirt`` exports it, or
this package, which an import of one of its modules leaves in its place.
"""

from __future__ import annotations

import sys
import types
from typing import Any


class _CallablePackage(types.ModuleType):
    """A package that can be called as the function it is named for."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from rtvirt.fit.engine import fit  # noqa: PLC0415

        return fit(*args, **kwargs)


# The way the language reference gives, under "Customizing module attribute
# access".
sys.modules[__name__].__class__ = _CallablePackage
