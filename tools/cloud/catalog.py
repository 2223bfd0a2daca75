# SPDX-License-Identifier: Apache-2.0
"""What keystone tells of the other services."""

from __future__ import annotations

from typing import Final

import openstack

from tools.cloud.config import credentials
from tools.cloud.site import REGION
from tools.cloud.site import Site

_SERVICES: Final = (
    ('compute', 'nova', '/v2.1'),
    ('image', 'glance', ''),
    ('network', 'neutron', ''),
    ('placement', 'placement', ''),
)


def register_services(site: Site) -> None:
    """Tell keystone where each service answers.

    In one process: as many calls of the command would take a minute.
    """
    with openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth=credentials(site),
        region_name=REGION,
        interface='public',
    ) as cloud:
        for kind, name, path in _SERVICES:
            service = cloud.identity.create_service(type=kind, name=name)
            for interface in ('public', 'internal'):
                cloud.identity.create_endpoint(
                    service_id=service.id,
                    interface=interface,
                    url=site.url(name, path),
                    region_id=REGION,
                )
