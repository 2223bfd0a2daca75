# SPDX-License-Identifier: Apache-2.0
"""What is said of a domain that has got to another machine."""

from __future__ import annotations

import json

import pytest

from rtvirt.cli.app import main
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.fitting.engine import fit
from rtvirt.lifecycle.migrate import MigratedDomain
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.flavor import Flavor
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell

CPUS = CPUSet.parse('4-7')
HOST = HostTopology(
    cells=(HostCell(id=0, dedicated=CPUS, shared=CPUS, memory_mib=1024),)
)
ARGV = ('domain', 'migrate', 'a', '--to', 'qemu+ssh://there/system')


@pytest.mark.parametrize(
    ('policy', 'held'), [('dedicated', '4-5'), ('shared', '4-7')]
)
def test_where_it_is_and_that_nobody_has_looked(
    policy: str,
    held: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    guest = parse_guest(
        Flavor(
            name='f',
            vcpus=2,
            memory_mib=64,
            extra_specs={'hw:cpu_policy': policy},
        )
    )
    migrated = MigratedDomain(
        name='a',
        uuid='',
        host='there',
        plan=fit(guest, HOST),
        unproved='its processes are not here',
    )
    monkeypatch.setattr(
        'rtvirt.cli.domain_migrate.migrate_domain', lambda *_, **__: migrated
    )

    assert main([*ARGV]) == 0
    out, err = capsys.readouterr()
    assert f'a is planned on pCPUs {held} of there, and not verified' in out
    assert 'its processes are not here; run "rtvirt domain verify a"' in err
    assert main([*ARGV, '-f', 'json']) == 0
    assert json.loads(capsys.readouterr().out)['domains'] == []
