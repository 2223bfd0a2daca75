# SPDX-License-Identifier: Apache-2.0
"""How nova-compute comes to know the driver: a plug-in of os-vif.

nova-compute loads every plug-in of os-vif before its compute driver
(``nova.cmd.compute.main``), and nothing else of others that early. This one
plugs no VIF; loading it appends a directory to ``nova.virt.__path__``.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any
from typing import Final

import os_vif.exception
from os_vif import plugin
from os_vif.objects import host_info

from rtvirt.exception import PluginError

NAMESPACE: Final = 'os_vif'
NAME: Final = 'rtvirt'
_MODULE: Final = f'nova.virt.{NAME}'
_SHIM: Final = Path(__file__).with_name('shim')


def open_path() -> None:
    """Let ``nova.virt.rtvirt`` be found; twice does no harm.

    Does nothing where there is no nova: os-vif serves other programs too.

    :raises PluginError: if the name leads to another module.
    """
    if importlib.util.find_spec('nova') is None:
        return
    from nova import virt  # noqa: PLC0415 - see above

    shim = str(_SHIM)
    if shim not in virt.__path__:
        virt.__path__.append(shim)
    importlib.invalidate_caches()
    found = importlib.util.find_spec(_MODULE)
    origin = None if found is None else found.origin
    if origin != str(_SHIM / f'{NAME}.py'):
        raise PluginError(
            f'{_MODULE} is {origin or "not there"}, not rtvirt\'s own '
            f'{NAME}.py in {shim}',
            namespace=NAMESPACE,
            name=NAME,
            distribution='rtvirt',
            hint='remove the other file, or install rtvirt anew',
        )


class LoadPath(plugin.PluginBase):  # type: ignore[misc] # os-vif is untyped
    """Handles no VIF."""

    @classmethod
    def load(cls, plugin_name: str) -> LoadPath:
        """Open the path to the driver; os-vif calls this first."""
        open_path()
        return cls(plugin_name)

    def describe(self) -> Any:
        """Return that no type of VIF is supported."""
        return host_info.HostPluginInfo(plugin_name=NAME, vif_info=[])

    def plug(self, vif: Any, instance_info: Any) -> None:
        """Refuse: nothing asks this plug-in to."""
        err = f'rtvirt handles no VIF, not even of {instance_info}'
        raise os_vif.exception.PlugException(vif=vif, err=err)

    def unplug(self, vif: Any, instance_info: Any) -> None:
        """Refuse: nothing asks this plug-in to."""
        err = f'rtvirt handles no VIF, not even of {instance_info}'
        raise os_vif.exception.UnplugException(vif=vif, err=err)
