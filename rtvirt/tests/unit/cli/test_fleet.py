# SPDX-License-Identifier: Apache-2.0
"""``rtvirt fleet plan`` ranks hosts and passes over what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rtvirt.model.host import HostTopology
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt

HOSTS = str(SAMPLES / 'hosts')


def lines(path: Path, *hosts: HostTopology | str) -> str:
    texts = [
        host if isinstance(host, str) else json.dumps(host.to_dict())
        for host in hosts
    ]
    path.write_text('\n'.join(texts) + '\n')
    return str(path)


def test_the_tightest_host_is_first(rtvirt: RTVirt) -> None:
    ended = rtvirt('fleet', 'plan', '--hosts', HOSTS, '--flavor', SMALL)
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith('fits 3 of 3 hosts\n')
    assert [row[1] for row in ended.rows[1:]] == [
        'edge-8',
        'nps4-128',
        'dual-socket-smt-48',
    ]


def test_how_many_still_go_in(rtvirt: RTVirt, tmp_path: Path) -> None:
    fleet = lines(
        tmp_path / 'fleet.jsonl',
        HostTopology.uniform(1, 8),
        HostTopology.uniform(1, 3),
        HostTopology.uniform(2, 4),
    )
    command = ('fleet', 'plan', '--hosts', fleet, '--flavor', SMALL)
    ended = rtvirt(*command, '--count', '--top', '1', '-f', 'json')
    assert ended.code == 0
    data = ended.json
    assert (data['hosts'], data['fitting'], data['guests']) == (3, 2, 4)
    (best,) = data['offers']
    assert (best['host'], best['count']) == ('line 3', 2)


def test_a_bad_line_is_named_and_the_rest_ranked(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    fleet = lines(
        tmp_path / 'fleet.jsonl',
        HostTopology.uniform(1, 8),
        '{"schema_version": 1, "cells": 3}',
        HostTopology.uniform(1, 4),
    )
    ended = rtvirt('fleet', 'plan', '--hosts', fleet, '--flavor', SMALL)
    assert ended.code == 1
    assert 'fits 2 of 2 hosts; 1 could not be read' in ended.out
    assert f'{fleet}:2 is passed over' in ended.err
    assert 'Traceback' not in ended.err


def test_a_guest_that_fits_nowhere_ends_with_4(
    rtvirt: RTVirt, tmp_path: Path
) -> None:
    fleet = lines(tmp_path / 'fleet.jsonl', HostTopology.uniform(1, 2))
    ended = rtvirt('fleet', 'plan', '--hosts', fleet, '--flavor', SMALL)
    assert ended.code == 4
    assert ended.out.startswith('fits 0 of 1 hosts')


def test_no_such_fleet(rtvirt: RTVirt) -> None:
    ended = rtvirt('fleet', 'plan', '--hosts', '/no/fleet', '--flavor', SMALL)
    assert ended.code == 1
    assert '/no/fleet' in ended.err
    assert 'hint: ' in ended.err


@pytest.mark.parametrize('number', ['0', '-3', 'x', '1' * 5000])
def test_as_many_hosts_as_one_can_print(rtvirt: RTVirt, number: str) -> None:
    ended = rtvirt(
        *('fleet', 'plan', '--hosts', str(SAMPLES / 'hosts')),
        *('--flavor', SMALL, '--top', number),
    )
    assert (ended.code, ended.out) == (2, '')
    assert '--top' in ended.err
