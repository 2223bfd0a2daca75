# SPDX-License-Identifier: Apache-2.0
"""The way to the machine that a libvirt runs on."""

from __future__ import annotations

import argparse

import pytest

from rtvirt.cli.over_ssh import SSHRoute
from rtvirt.cli.over_ssh import add_ssh
from rtvirt.cli.over_ssh import route_of
from rtvirt.exception import ConfigError


def route(uri: str, *argv: str) -> SSHRoute | None:
    parser = argparse.ArgumentParser()
    add_ssh(parser, 'the machine')
    return route_of(parser.parse_args(argv), uri)


@pytest.mark.parametrize(
    ('uri', 'destination', 'options'),
    [
        ('qemu+ssh://compute7/system', 'compute7', ''),
        ('qemu+ssh://root@compute7/system', 'root@compute7', ''),
        ('qemu+libssh2://compute7:2222/system', 'compute7', '-p 2222'),
        (
            'qemu+ssh://root@[fd00::7]:22/system?keyfile=/k&known_hosts=/h',
            'root@fd00::7',
            '-p 22 -i /k -o UserKnownHostsFile=/h',
        ),
        (
            'qemu+libssh://compute7/system?no_verify=1&socket=/s',
            'compute7',
            '-o StrictHostKeyChecking=no',
        ),
        ('qemu+ssh://compute7/system?no_verify=0', 'compute7', ''),
    ],
)
def test_libvirts_own_way_is_taken(
    uri: str, destination: str, options: str
) -> None:
    assert route(uri) == SSHRoute(
        destination=destination,
        options=tuple(options.split()),
        uri='qemu:///system',
    )


def test_another_way_wins() -> None:
    assert route(
        'qemu+ssh://a:22/system', '--ssh=root@b', '--ssh-option=-p23'
    ) == SSHRoute(
        destination='root@b', options=('-p23',), uri='qemu:///system'
    )
    assert route('qemu+ssh://a:22/session', '--ssh-option=-4') == SSHRoute(
        destination='a', options=('-p', '22', '-4'), uri='qemu:///session'
    )


@pytest.mark.parametrize(
    'uri', ['qemu+tls://compute7/system', 'qemu:///system', 'test:///default']
)
def test_none_is_known(uri: str) -> None:
    assert route(uri) is None
    with pytest.raises(ConfigError, match=r'-p23 has no machine to go to'):
        route(uri, '--ssh-option=-p23')


@pytest.mark.parametrize('uri', ['qemu+ssh://a:b/system', 'qemu+ssh://[a'])
def test_no_uri(uri: str) -> None:
    with pytest.raises(ConfigError, match='is no URI of libvirt'):
        route(uri)
