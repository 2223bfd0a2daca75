# SPDX-License-Identifier: Apache-2.0
"""Guests on an emulated host, created and looked at by its own rtvirt."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any
from typing import Final

from tools.lab.guest_domain import template
from tools.lab.kernel_view import HugePages
from tools.lab.kernel_view import affinity_masks
from tools.lab.kernel_view import huge_pages
from tools.lab.kernel_view import schedulers
from tools.lab.kernel_view import vcpu_threads
from tools.lab.machine import EmulatedHost
from tools.lab.recipe import HERE

SMALL: Final = (HERE / 'rt1.small.yaml').read_bytes()


class Guest:
    """A domain on an emulated host.

    :ivar proof: what was printed when it was created.
    """

    def __init__(
        self, host: EmulatedHost, name: str, proof: dict[str, Any]
    ) -> None:
        self.host = host
        self.name = name
        self.proof = proof

    @property
    def pid(self) -> int:
        """Its process."""
        return int(self.host.read(f'/run/libvirt/qemu/{self.name}.pid'))

    @property
    def tids(self) -> list[int]:
        """The thread of each vCPU."""
        listed = self.host.run('ps', '-T', '-p', str(self.pid))
        return vcpu_threads(listed.stdout)

    def masks(self) -> list[str]:
        """The affinity of each vCPU, by taskset."""
        script = _each('taskset -p', self.tids)
        return affinity_masks(self.host.shell(script).stdout)

    def schedulers(self) -> list[tuple[str, int]]:
        """Policy and priority of each vCPU, by chrt."""
        script = _each('chrt -p', self.tids)
        return schedulers(self.host.shell(script).stdout)

    def pages(self) -> list[HugePages]:
        """Its huge pages, by numa_maps."""
        return huge_pages(self.host.read(f'/proc/{self.pid}/numa_maps'))

    def pin(self, tid: int, cpus: str) -> None:
        """Move a thread behind libvirt's back, out of its cpuset."""
        group = self.host.read(f'/proc/{tid}/cgroup').strip().rpartition(':')
        self.host.write(f'/sys/fs/cgroup{group[2]}/cpuset.cpus', cpus.encode())
        self.host.run('taskset', '-pc', cpus, str(tid)).check()

    def verify(self, *, code: int) -> list[str]:
        """Return the codes of what `rtvirt domain verify` finds.

        :param code: the exit code that it is to have.
        """
        found = rtvirt(self.host, f'domain verify {self.name}', code=code)
        return sorted(
            {
                finding['code']
                for domain in found['domains']
                for finding in domain['findings']
            }
        )


def rtvirt(host: EmulatedHost, line: str, *, code: int = 0) -> Any:
    """Run a command on the host and return its JSON."""
    outcome = host.shell(f'rtvirt {line} -f json', timeout_s=300)
    assert outcome.code == code, outcome
    return json.loads(outcome.stdout)


def look(host: EmulatedHost, options: str = '') -> set[tuple[str, str, str]]:
    """Return code, severity and subject of all that `host check` finds."""
    outcome = host.shell(f'rtvirt host check {options} -f json')
    assert outcome.code in (0, 3), outcome
    return {
        (one['code'], one['severity'], one['subject'])
        for one in json.loads(outcome.stdout)['findings']
    }


def codes_of(found: Iterable[tuple[str, str, str]]) -> set[str]:
    """Return the codes of findings."""
    return {code for code, _, _ in found}


@contextlib.contextmanager
def guest(
    host: EmulatedHost,
    name: str,
    *,
    flavor: bytes = SMALL,
    sets: str = '--dedicated 2-7 --shared 0-1',
    options: str = '--paused',
) -> Iterator[Guest]:
    """Create a guest, and destroy it in the end."""
    host.write(f'{name}.yaml', flavor)
    host.write(f'{name}.xml', template(name, host.topology.virt_type))
    line = (
        f'domain create {name} --flavor {name}.yaml {sets} '
        f'--base {name}.xml {options}'
    )
    try:
        yield Guest(host, name, rtvirt(host, line))
    finally:
        host.shell(f'rtvirt domain destroy {name} --undefine')


def _each(command: str, tids: list[int]) -> str:
    return '; '.join(f'{command} {tid}' for tid in tids)
