# SPDX-License-Identifier: Apache-2.0
"""Ports are free, distinct, and not those of clients."""

import socket

import pytest

from tools.cloud.error import CloudError
from tools.cloud.port import HOST
from tools.cloud.port import RANGE
from tools.cloud.port import choose_ports
from tools.cloud.port import is_answering
from tools.cloud.port import is_unused


def test_those_taken_are_passed_over() -> None:
    chosen = choose_ports(
        ['a', 'b'], ports=range(1, 9), is_free=lambda port: port % 3 == 0
    )

    assert chosen == {'a': 3, 'b': 6}


def test_too_few_are_an_error_that_names_who_goes_without() -> None:
    with pytest.raises(CloudError, match='no port is free for c'):
        choose_ports('abc', ports=range(2), is_free=lambda _port: True)


def test_the_kernel_agrees() -> None:
    chosen = choose_ports('abcdef')

    assert len(set(chosen.values())) == 6
    for port in chosen.values():
        assert port in RANGE
        with socket.socket() as server:
            server.bind((HOST, port))


def test_one_that_is_listened_on_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not is_unused(port)
        assert is_answering(port)
    assert not is_answering(port)
