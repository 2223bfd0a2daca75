# SPDX-License-Identifier: Apache-2.0
"""The one place where rtvirt takes the place of a function of nova's.

``nova.virt.hardware.numa_fit_instance_to_host`` decides in nova-compute (a
claim) and in nova-scheduler where a guest goes. Its answer may be wrong
(deviation ``several-cells`` of :mod:`rtvirt.fitting.deviation`), and every
caller finds it by its module: so it can be replaced, and put back.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any
from typing import Final

from nova.virt import hardware
from oslo_log import log as logging

from rtvirt.exception import ConfigError
from rtvirt.exception import FitError
from rtvirt.exception import ModelError
from rtvirt.nova import opts
from rtvirt.nova import topology
from rtvirt.nova.search import Devices
from rtvirt.nova.search import Search
from rtvirt.nova.search import nova_order

LOG = logging.getLogger(__name__)

_NAME: Final = 'numa_fit_instance_to_host'
NOVAS: Final = getattr(hardware, _NAME)
"""nova's own, as it was when this module was loaded."""


def numa_fit_instance_to_host(  # noqa: PLR0917 - as in nova
    host_topology: Any,
    instance_topology: Any,
    provider_mapping: dict[str, list[str]] | None,
    limits: Any = None,
    pci_requests: Any = None,
    pci_stats: Any = None,
) -> Any:
    """Return the instance's topology placed on the host, None if it cannot.

    Takes and returns what nova's function of this name does. What it gets
    it does not change; what it returns is new.
    """
    if not (host_topology and instance_topology):
        return None
    devices = None
    if pci_requests and pci_stats:
        devices = Devices(pci_requests, provider_mapping, pci_stats)
    metadata = None
    if limits and 'network_metadata' in limits:
        metadata = limits.network_metadata
    try:
        guest = topology.read_guest(instance_topology)
        search = Search(
            guest=guest,
            host=topology.read_host(host_topology),
            limits=topology.read_limits(limits, guest),
            near=topology.network_affinity(host_topology, metadata),
            order=nova_order(pci_stats, pci_requests),
            devices=devices,
        )
        plan = search.find()
    except FitError as error:
        LOG.info('The instance does not fit: %s', search.why_not())
        LOG.debug('Every reason: %s', _Reasons(error))
        return None
    except ModelError as error:
        LOG.warning(
            "nova's own fit is asked: its objects contradict themselves: %s",
            error,
        )
        return NOVAS(
            host_topology,
            instance_topology.obj_clone(),
            provider_mapping,
            limits,
            pci_requests,
            pci_stats,
        )
    return topology.write_topology(instance_topology, plan)


class _Reasons:
    """All reasons in one line, worked out only if somebody reads it."""

    def __init__(self, error: FitError) -> None:
        self._error = error

    def __str__(self) -> str:
        return '; '.join(str(reason) for reason in self._error.reasons)


def install() -> None:
    """Put rtvirt's fit in the place of nova's; twice does no harm.

    :raises ConfigError: if nova's takes other arguments than are known.
    """
    current = getattr(hardware, _NAME)
    if current is numa_fit_instance_to_host:
        return
    known = _shape(numa_fit_instance_to_host)
    if (found := _shape(current)) != known:
        raise ConfigError(
            f'nova.virt.hardware.{_NAME} takes ({", ".join(found)}), and '
            f'rtvirt knows it with ({", ".join(known)})',
            hint='set [rtvirt] fit = nova, or install a release of nova '
            'that this release of rtvirt supports',
        )
    setattr(hardware, _NAME, numa_fit_instance_to_host)


def uninstall() -> None:
    """Put nova's own fit back; does nothing where it is in place."""
    if getattr(hardware, _NAME) is numa_fit_instance_to_host:
        setattr(hardware, _NAME, NOVAS)


def configure(conf: Any) -> bool:
    """Do as ``[rtvirt] fit`` says, and log it.

    :returns: whether rtvirt's fit is in place.
    :raises ConfigError: as :func:`install` does.
    """
    opts.register(conf)
    if conf.rtvirt.fit == 'rtvirt':
        install()
        LOG.info('Guests are fitted to hosts by rtvirt ([rtvirt] fit)')
        return True
    uninstall()
    LOG.info("Guests are fitted to hosts by nova's own code ([rtvirt] fit)")
    return False


def _shape(function: Callable[..., Any]) -> list[str]:
    """Return name, kind and default of each parameter, for comparison."""
    return [
        str(parameter.replace(annotation=inspect.Parameter.empty))
        for parameter in inspect.signature(function).parameters.values()
    ]
