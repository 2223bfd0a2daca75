# SPDX-License-Identifier: Apache-2.0
"""The configuration files of the services."""

from __future__ import annotations

import json
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Final

from tools.cloud.port import HOST
from tools.cloud.site import REGION
from tools.cloud.site import Site

Section = Mapping[str, str | int | Sequence[str]]
"""The options of a section; one with several values is there several times."""

MICROVERSION: Final = '2.96'
"""Of nova's API: extra specs are checked from 2.86 on."""

_USER: Final = 'admin'
# Each starts its daemon itself, for root, without sudo.
_PRIVSEP: Final = (
    'nova_sys_admin',
    'privsep_osbrick',
    'rtvirt_privileged',
    'vif_plug_linux_bridge_privileged',
    'vif_plug_ovs_privileged',
)


def render(sections: Mapping[str, Section]) -> str:
    """Return the text of a file for oslo.config."""
    lines = []
    for name, options in sections.items():
        lines.append(f'[{name}]')
        for option, value in options.items():
            values = [value] if isinstance(value, str | int) else value
            lines += [f'{option} = {one}' for one in values]
        lines.append('')
    return '\n'.join(lines)


def config_files(site: Site) -> dict[str, str]:
    """Return the text of each file, by its name in ``site.conf``."""
    return {
        'clouds.yaml': clouds(site),
        'glance-api.conf': render(glance(site)),
        'keystone.conf': render(keystone(site)),
        'nova.conf': render(nova(site)),
        'placement.conf': render(placement(site)),
        'rabbitmq.conf': rabbit(site),
        'rabbitmq-env.conf': '',
        'enabled_plugins': '[].\n',
    }


def credentials(site: Site) -> dict[str, str]:
    """Return how the one user that there is comes in."""
    return {
        'auth_url': site.url('keystone', '/v3'),
        'username': _USER,
        'password': site.password,
        'project_name': _USER,
        'user_domain_id': 'default',
        'project_domain_id': 'default',
    }


def clouds(site: Site) -> str:
    """Return what the openstack command reads; JSON is YAML."""
    cloud = {
        'auth': credentials(site),
        'region_name': REGION,
        'interface': 'public',
        'compute_api_version': MICROVERSION,
    }
    return json.dumps({'clouds': {'rtvirt': cloud}}, indent=2)


def keystone(site: Site) -> dict[str, Section]:
    """Return the sections of keystone.conf."""
    return {
        'DEFAULT': {'log_file': f'{site.log}/keystone.log'},
        'database': {'connection': site.database('keystone')},
        'fernet_tokens': {'key_repository': f'{site.state}/fernet'},
        'fernet_receipts': {'key_repository': f'{site.state}/fernet'},
        # Its one password is random, and gone in minutes.
        'identity': {
            'password_hash_algorithm': 'pbkdf2_sha512',
            'password_hash_rounds': 1000,
        },
    }


def placement(site: Site) -> dict[str, Section]:
    """Return the sections of placement.conf."""
    return {
        'DEFAULT': {'log_file': f'{site.log}/placement.log'},
        'placement_database': {'connection': site.database('placement')},
        'api': {'auth_strategy': 'keystone'},
        'keystone_authtoken': _token(site),
    }


def glance(site: Site) -> dict[str, Section]:
    """Return the sections of glance-api.conf."""
    directory = 'filesystem_store_datadir'
    paste = site.prefix / 'etc' / 'glance' / 'glance-api-paste.ini'
    return {
        'DEFAULT': {
            'log_file': f'{site.log}/glance.log',
            'enabled_backends': 'fs:file',
            'enabled_import_methods': '[]',
        },
        'glance_store': {'default_backend': 'fs'},
        'fs': {directory: f'{site.state}/images'},
        'os_glance_staging_store': {directory: f'{site.state}/staging'},
        'os_glance_tasks_store': {directory: f'{site.state}/tasks'},
        'database': {'connection': site.database('glance')},
        'paste_deploy': {'flavor': 'keystone', 'config_file': str(paste)},
        'keystone_authtoken': _token(site),
    }


def nova(site: Site) -> dict[str, Section]:
    """Return the sections of nova.conf, for all of nova's services."""
    user = {**_user(site), 'valid_interfaces': 'public'}
    helper = (
        f'{site.program("privsep-helper")} --config-file {site.conf}/nova.conf'
    )
    return {
        **_nova_base(site),
        **_nova_realtime(site),
        'libvirt': _nova_libvirt(site),
        'glance': user,
        'placement': user,
        'neutron': user,
        'service_user': {**user, 'send_service_user_token': 'false'},
        'keystone_authtoken': _token(site),
        **{name: {'helper_command': helper} for name in _PRIVSEP},
    }


def _nova_base(site: Site) -> dict[str, Section]:
    return {
        'DEFAULT': {
            'host': 'rt-host',
            'my_ip': HOST,
            'state_path': f'{site.state}/nova',
            'instances_path': f'{site.state}/instances',
            'transport_url': f'rabbit://{_USER}:{site.password}@{HOST}:'
            f'{site.ports["rabbit"]}/',
            'compute_driver': 'rtvirt.RTLibvirtDriver',
            'force_raw_images': 'false',
            'use_cow_images': 'false',
            'reserved_host_memory_mb': 0,
            'reserved_host_disk_mb': 0,
            # Disks are sparse: what a flavor asks for is not what it takes.
            'initial_disk_allocation_ratio': 16,
            'update_resources_interval': 30,
        },
        'api_database': {'connection': site.database('nova_api')},
        'database': {'connection': site.database('nova_cell1')},
        'api': {'auth_strategy': 'keystone'},
        'wsgi': {'api_paste_config': f'{site.conf}/api-paste.ini'},
        'conductor': {'workers': 1},
        'scheduler': {'workers': 1},
        'oslo_concurrency': {'lock_path': f'{site.state}/locks'},
        'oslo_policy': {'enforce_scope': 'false'},
        'vnc': {'enabled': 'false'},
    }


def _nova_realtime(site: Site) -> dict[str, Section]:
    """Return what an operator sets for rtvirt."""
    return {
        'compute': {
            'cpu_dedicated_set': site.cpus,
            'packing_host_numa_cells_allocation_strategy': 'true',
        },
        'filter_scheduler': {
            'available_filters': (
                'nova.scheduler.filters.all_filters',
                'rtvirt.nova.filter.RTVirtFilter',
            ),
            'enabled_filters': 'ComputeFilter,ComputeCapabilitiesFilter,'
            'ImagePropertiesFilter,ServerGroupAntiAffinityFilter,'
            'ServerGroupAffinityFilter,PciPassthroughFilter,RTVirtFilter',
            'weight_classes': 'nova.scheduler.weights.all_weighers,'
            'rtvirt.nova.weigher.RTVirtWeigher',
        },
        'rtvirt': {'preflight': 'warn', 'verify': 'enforce'},
    }


def _nova_libvirt(site: Site) -> Section:
    return {
        'virt_type': 'kvm' if site.kvm else 'qemu',
        'cpu_mode': 'none',
        'connection_uri': site.uri,
        'hw_machine_type': 'x86_64=pc',
        'images_type': 'raw',
        # <locked/> locks what QEMU has translated, too: 1 GiB by default.
        **({} if site.kvm else {'tb_cache_size': 32}),
        'sysinfo_serial': 'none',
    }


def rabbit(site: Site) -> str:
    """Return RabbitMQ's own file."""
    return f"""\
listeners.tcp.default = {HOST}:{site.ports['rabbit']}
default_user = {_USER}
default_pass = {site.password}
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 50MB
"""


def rabbit_environment(site: Site) -> dict[str, str]:
    """Return what keeps a RabbitMQ off any other on this machine.

    Erlang's nodes find each other by a daemon, epmd: this one has its own,
    and a cookie in a home of its own.
    """
    return {
        'HOME': str(site.rabbit),
        'ERL_EPMD_ADDRESS': HOST,
        'ERL_EPMD_PORT': str(site.ports['epmd']),
        'RABBITMQ_NODENAME': 'rtvirt@localhost',
        'RABBITMQ_NODE_IP_ADDRESS': HOST,
        'RABBITMQ_NODE_PORT': str(site.ports['rabbit']),
        'RABBITMQ_DIST_PORT': str(site.ports['erlang']),
        'RABBITMQ_MNESIA_BASE': f'{site.rabbit}/mnesia',
        'RABBITMQ_LOG_BASE': str(site.log),
        'RABBITMQ_CONF_ENV_FILE': f'{site.conf}/rabbitmq-env.conf',
        'RABBITMQ_CONFIG_FILE': f'{site.conf}/rabbitmq.conf',
        'RABBITMQ_ENABLED_PLUGINS_FILE': f'{site.conf}/enabled_plugins',
        # Else a thread of Erlang's is bound to a real-time vCPU's pCPU.
        'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '+stbt u -kernel '
        'inet_dist_use_interface {127,0,0,1}',
    }


def _user(site: Site) -> dict[str, str]:
    return {
        'auth_type': 'password',
        **credentials(site),
        'region_name': REGION,
    }


def _token(site: Site) -> dict[str, str]:
    """Return how a service asks keystone about its callers."""
    return {
        'www_authenticate_uri': site.url('keystone', '/v3'),
        **_user(site),
        'interface': 'public',
        'memcache_security_strategy': 'None',
    }
