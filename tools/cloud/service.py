# SPDX-License-Identifier: Apache-2.0
"""The services of the cloud, from nothing to a host that takes guests."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from functools import partial
from typing import Final

from tools.cloud.catalog import register_services
from tools.cloud.config import config_files
from tools.cloud.config import rabbit_environment
from tools.cloud.port import is_answering
from tools.cloud.process import Processes
from tools.cloud.site import REGION
from tools.cloud.site import Site

# Debian's own of that name in sbin changes to a user of its own.
RABBITMQ: Final = '/usr/lib/rabbitmq/bin/rabbitmq-server'

_SERVE: Final = (sys.executable, '-m', 'tools.cloud.serve')
_APPLICATIONS: Final = {
    'keystone': 'keystone.wsgi.api',
    'placement': 'placement.wsgi.api',
    'glance': 'glance.wsgi.api',
    'neutron': 'tools.cloud.network',
}


def write_files(site: Site) -> None:
    """Make the directories and the configuration of all services."""
    for path in (site.conf, site.log, site.rabbit):
        path.mkdir()
    for name in (
        *('images', 'staging', 'tasks'),
        *('nova', 'instances', 'locks', 'fernet'),
    ):
        (site.state / name).mkdir(parents=True, mode=0o700)
    for name, text in config_files(site).items():
        (site.conf / name).write_text(text)
    # Where nova-api looks for it, beside nova.conf.
    shutil.copy(site.prefix / 'etc' / 'nova' / 'api-paste.ini', site.conf)


def make_databases(site: Site, processes: Processes) -> None:
    """Make the databases, and keystone's user.

    nova's take as long as all others together.
    """

    def chain(
        program: str, conf: str, *commands: str
    ) -> list[tuple[str, list[str]]]:
        base = [site.program(program), '--config-file', f'{site.conf}/{conf}']
        return [(program, [*base, *words.split()]) for words in commands]

    url = site.url('keystone', '/v3')
    processes.run(
        [
            *chain(
                'keystone-manage',
                'keystone.conf',
                'db_sync',
                'fernet_setup --keystone-user root --keystone-group root',
                f'bootstrap --bootstrap-region-id {REGION} '
                f'--bootstrap-public-url {url} --bootstrap-internal-url {url}',
            ),
            *chain('placement-manage', 'placement.conf', 'db sync'),
            *chain('glance-manage', 'glance-api.conf', 'db_sync'),
        ],
        chain(
            'nova-manage',
            'nova.conf',
            'api_db sync',
            'cell_v2 map_cell0 --database_connection '
            + site.database('nova_cell0'),
            'db sync',
            'cell_v2 create_cell --name cell1',
        ),
        OS_BOOTSTRAP_PASSWORD=site.password,
    )


def start_rabbit(site: Site, processes: Processes) -> None:
    """Start RabbitMQ; others wait for it."""
    processes.start('rabbit', [RABBITMQ], **rabbit_environment(site))


def start_services(site: Site, processes: Processes) -> None:
    """Start all others, and wait until nova has its host.

    :raises CloudError: if one does not come up.
    """
    for name, module in _APPLICATIONS.items():
        _serve(site, processes, name, module)
    _wait(site, processes, 'keystone')
    register_services(site)
    for name in ('rabbit', 'placement', 'glance', 'neutron'):
        _wait(site, processes, name)
    _serve(site, processes, 'nova', 'nova.wsgi.osapi_compute')
    _start_nova(site, processes, 'nova-scheduler')
    _start_nova(site, processes, 'nova-conductor')
    # nova-compute that finds none waits longer than it takes.
    processes.wait(
        'nova-conductor',
        _logged(site, 'nova-conductor', 'Starting conductor'),
    )
    _start_nova(site, processes, 'nova-compute')
    _wait(site, processes, 'nova')
    processes.wait(
        'nova-compute',
        _logged(site, 'nova-compute', 'Created resource provider record'),
    )
    nova_conf = f'{site.conf}/nova.conf'
    discover = [
        *(site.program('nova-manage'), '--config-file', nova_conf),
        *('cell_v2', 'discover_hosts'),
    ]
    processes.run([('nova-manage', discover)])


def _serve(site: Site, processes: Processes, name: str, module: str) -> None:
    processes.start(name, [*_SERVE, module, str(site.ports[name])])


def _wait(site: Site, processes: Processes, name: str) -> None:
    processes.wait(name, partial(is_answering, site.ports[name]))


def _start_nova(site: Site, processes: Processes, name: str) -> None:
    processes.start(
        name,
        [
            *(site.program(name), '--config-file', f'{site.conf}/nova.conf'),
            *('--log-file', f'{site.log}/{name}.log'),
        ],
    )


def _logged(site: Site, name: str, text: str) -> Callable[[], bool]:
    path = site.log / f'{name}.log'

    def is_there() -> bool:
        return path.exists() and text in path.read_text(errors='replace')

    return is_there
