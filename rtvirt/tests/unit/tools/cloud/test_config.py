# SPDX-License-Identifier: Apache-2.0
"""The services' files: what one of them has, the others find there."""

import configparser
import dataclasses
import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tools.cloud.config import Section
from tools.cloud.config import config_files
from tools.cloud.config import nova
from tools.cloud.config import rabbit_environment
from tools.cloud.config import render
from tools.cloud.site import NAMES
from tools.cloud.site import Site


@pytest.fixture
def site() -> Site:
    return Site(
        root=Path('/a/cloud'),
        prefix=Path('/a/venv'),
        ports={name: 20000 + n for n, name in enumerate(NAMES)},
        password='s3cret',
        cell=0,
        cpus='2-3',
        kvm=False,
    )


def read(text: str) -> configparser.ConfigParser:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read_string(text)
    return parser


def test_sections_options_and_several_values() -> None:
    sections: dict[str, Section] = {
        'a': {'one': 1, 'two': ['x', 'y']},
        'b': {'c': 'd = e'},
    }

    assert (
        render(sections)
        == '[a]\none = 1\ntwo = x\ntwo = y\n\n[b]\nc = d = e\n'
    )


def test_nova_runs_with_rtvirt(site: Site) -> None:
    found = read(config_files(site)['nova.conf'])

    assert found['DEFAULT']['compute_driver'] == 'rtvirt.RTLibvirtDriver'
    assert found['compute']['cpu_dedicated_set'] == '2-3'
    filters = nova(site)['filter_scheduler']['available_filters']
    assert isinstance(filters, tuple)
    assert 'rtvirt.nova.filter.RTVirtFilter' in filters
    enabled = found['filter_scheduler']['enabled_filters'].split(',')
    assert 'RTVirtFilter' in enabled
    assert 'NUMATopologyFilter' not in enabled
    # A list: given twice, the last would replace the first.
    assert found['filter_scheduler']['weight_classes'].split(',') == [
        'nova.scheduler.weights.all_weighers',
        'rtvirt.nova.weigher.RTVirtWeigher',
    ]


def test_everybody_finds_the_queue(site: Site) -> None:
    files = config_files(site)
    url = urlsplit(read(files['nova.conf'])['DEFAULT']['transport_url'])

    assert url.port == site.ports['rabbit']
    assert (
        f'listeners.tcp.default = 127.0.0.1:{url.port}'
        in (files['rabbitmq.conf'])
    )
    assert f'default_user = {url.username}\n' in files['rabbitmq.conf']
    assert f'default_pass = {url.password}\n' in files['rabbitmq.conf']


def test_everything_is_on_loopback_and_in_the_directory(site: Site) -> None:
    environment = rabbit_environment(site)
    assert environment['ERL_EPMD_ADDRESS'] == '127.0.0.1'
    assert environment['RABBITMQ_NODE_IP_ADDRESS'] == '127.0.0.1'
    for name, value in environment.items():
        if '/' in value:
            assert value.startswith('/a/cloud/'), name
    for text in config_files(site).values():
        assert '0.0.0.0' not in text
        assert 'localhost' not in text


def test_each_database_is_its_own(site: Site) -> None:
    databases = [
        line
        for text in config_files(site).values()
        for line in text.splitlines()
        if line.startswith('connection = sqlite')
    ]

    assert len(set(databases)) == len(databases) == 5


def test_the_command_reads_its_cloud(site: Site) -> None:
    cloud = json.loads(config_files(site)['clouds.yaml'])['clouds']['rtvirt']

    assert cloud['auth']['auth_url'] == 'http://127.0.0.1:20000/v3'
    assert float(cloud['compute_api_version']) >= 2.86


def test_with_kvm_nothing_is_translated(site: Site) -> None:
    assert 'tb_cache_size' in nova(site)['libvirt']

    libvirt = nova(dataclasses.replace(site, kvm=True))['libvirt']

    assert libvirt['virt_type'] == 'kvm'
    assert 'tb_cache_size' not in libvirt
