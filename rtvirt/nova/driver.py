# SPDX-License-Identifier: Apache-2.0
"""nova's libvirt driver, with rtvirt at the points that carry it.

No rule is in here. What a method passes on it does not look at, so that
releases of nova may add arguments.
"""

from __future__ import annotations

from typing import Any
from typing import Final

import nova.conf
from nova.virt.libvirt import driver

from rtvirt.exception import PluginError
from rtvirt.exception import RTVirtError
from rtvirt.nova import fit
from rtvirt.nova import opts
from rtvirt.nova.fault import GuestRefused
from rtvirt.nova.fault import say
from rtvirt.nova.migration import MigratingGuest
from rtvirt.nova.proof import prove
from rtvirt.nova.proven import publish
from rtvirt.nova.readiness import Readiness
from rtvirt.nova.tuning import retune
from rtvirt.nova.tuning import tune

CONF = nova.conf.CONF
opts.register(CONF)

OVERRIDDEN: Final = (
    '_create_guest',
    '_get_guest_xml',
    '_live_migration_operation',
    '_soft_reboot',
    'get_available_resource',
    'init_host',
    'post_live_migration_at_destination',
    'update_provider_tree',
)
"""Methods of nova's driver, private ones too, that must be there."""


class RTLibvirtDriver(driver.LibvirtDriver):  # type: ignore[misc]
    """``compute_driver = rtvirt.RTLibvirtDriver``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _check_base()
        fit.configure(CONF)
        super().__init__(*args, **kwargs)
        self._readiness = Readiness(CONF, CONF.host)

    def init_host(self, *args: Any, **kwargs: Any) -> None:
        """Start, and check the host."""
        super().init_host(*args, **kwargs)
        self._readiness.preflight()

    def get_available_resource(self, *args: Any, **kwargs: Any) -> Any:
        """Report what the host has to the schedulers' weighers."""
        resources = super().get_available_resource(*args, **kwargs)
        publish(resources, self._readiness.traits())
        return resources

    def update_provider_tree(
        self, provider_tree: Any, nodename: str, *args: Any, **kwargs: Any
    ) -> None:
        """Report what the host has to placement."""
        super().update_provider_tree(provider_tree, nodename, *args, **kwargs)
        self._readiness.report(provider_tree, nodename)

    def _get_guest_xml(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> str:
        """Return the document of a guest, tuned."""
        xml = super()._get_guest_xml(context, instance, *args, **kwargs)
        try:
            return tune(instance, xml, self._capabilities)
        except RTVirtError as error:
            raise _refused(instance, error) from error

    def _create_guest(
        self, context: Any, xml: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Start a guest, and prove it."""
        guest = super()._create_guest(context, xml, instance, *args, **kwargs)
        prove(instance, guest, CONF.rtvirt)
        return guest

    def _soft_reboot(self, instance: Any, *args: Any, **kwargs: Any) -> Any:
        """Let a guest reboot, and prove it."""
        done = super()._soft_reboot(instance, *args, **kwargs)
        if done:
            prove(instance, self._host.get_guest(instance), CONF.rtvirt)
        return done

    def _live_migration_operation(  # noqa: PLR0917 - nova's own
        self,
        context: Any,
        instance: Any,
        dest: Any,
        block_migration: Any,
        migrate_data: Any,
        guest: Any,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Send a guest, tuned for the destination."""

        def retuned(xml: str) -> str:
            try:
                return retune(instance, xml)
            except RTVirtError as error:
                raise _refused(instance, error) from error

        return super()._live_migration_operation(
            context,
            instance,
            dest,
            block_migration,
            migrate_data,
            MigratingGuest(guest, retuned),
            *args,
            **kwargs,
        )

    def post_live_migration_at_destination(
        self, context: Any, instance: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Take a guest over, and prove it; it runs, so it is not stopped."""
        done = super().post_live_migration_at_destination(
            context, instance, *args, **kwargs
        )
        if CONF.rtvirt.verify != 'off':
            guest = self._host.get_guest(instance)
            prove(instance, guest, CONF.rtvirt, mode='warn')
        return done

    def _capabilities(self) -> str:
        xml: str = self._host.get_connection().getCapabilities()
        return xml


def _check_base() -> None:
    """Refuse a nova whose driver has no place for rtvirt.

    :raises PluginError: naming what is not there.
    """
    missing = [
        name for name in OVERRIDDEN if not hasattr(driver.LibvirtDriver, name)
    ]
    if missing:
        raise PluginError(
            f'the libvirt driver of this nova has no {", ".join(missing)}',
            namespace='os_vif',
            name='rtvirt',
            distribution='rtvirt',
            hint='install a release of rtvirt that supports this nova, or '
            'set compute_driver = libvirt.LibvirtDriver',
        )


def _refused(instance: Any, error: RTVirtError) -> GuestRefused:
    return GuestRefused(instance_uuid=instance.uuid, reason=say(error))
