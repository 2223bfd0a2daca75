# SPDX-License-Identifier: Apache-2.0
"""Start an OpenStack with rtvirt in it, give the talk on it, end it all.

Everything lies in build/cloud, and is gone in the end; where something
fails, the logs and the configuration stay.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rtvirt.demo.embed import end_processes
from rtvirt.demo.hugepages import mounted_hugetlbfs
from rtvirt.demo.hugepages import reserved_pages
from rtvirt.demo.interrupt import ignore_interrupts
from rtvirt.demo.interrupt import raise_interrupts
from rtvirt.demo.machine import kvm_trouble
from rtvirt.demo.screen import Screen
from rtvirt.exception import RTVirtError
from rtvirt.host.source import read_host
from rtvirt.model.cpuset import CPUSet
from rtvirt.tests.fixtures.libvirt import private_libvirtd
from tools.cloud.error import CloudError
from tools.cloud.port import choose_ports
from tools.cloud.process import Processes
from tools.cloud.service import RABBITMQ
from tools.cloud.service import make_databases
from tools.cloud.service import start_rabbit
from tools.cloud.service import start_services
from tools.cloud.service import write_files
from tools.cloud.site import NAMES
from tools.cloud.site import Site
from tools.cloud.stage import Stage
from tools.cloud.talk import PAGE_KIB
from tools.cloud.talk import PAGES
from tools.cloud.talk import tell

ROOT: Final = Path(__file__).resolve().parents[2] / 'build' / 'cloud'

_KEPT: Final = frozenset({'conf', 'log'})


def main() -> int:
    """Do it all; return the exit code."""
    raise_interrupts()
    try:
        check_machine()
        with only_one(ROOT):
            elapsed_s = run(ROOT, Screen())
    except KeyboardInterrupt:
        sys.stderr.write('cloud: interrupted; all of it is down\n')
        return 130
    except RTVirtError as error:
        sys.stderr.write(f'cloud: {error}\n')
        if error.hint:
            sys.stderr.write(f'hint: {error.hint}\n')
        return 1
    Screen().say(f'\nAll of it is down. It took {elapsed_s:.0f} s.', 'good')
    return 0


def check_machine() -> None:
    """Say at once what is missing.

    :raises CloudError: if it cannot work here.
    """
    if os.geteuid() != 0:
        raise CloudError(
            'only root can start real-time guests', hint='sudo make cloud'
        )
    if not Path(RABBITMQ).exists():
        raise CloudError(
            f'{RABBITMQ} is not there', hint='tools/setup.sh cloud'
        )


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Have the directory to oneself, and what a killed run left ended.

    :raises CloudError: if another run has it.
    """
    root.parent.mkdir(exist_ok=True)
    with Path(f'{root}.lock').open('w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CloudError(
                f'another run is using {root}',
                hint='wait until it has ended',
            ) from None
        end_processes(root)
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(mode=0o700)
        yield


def run(root: Path, screen: Screen) -> float:
    """Start it, give the talk, end it; return the seconds that it took.

    :raises RTVirtError: if something is not as it has to be.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(clear, root)
        site = make_site(root)
        write_files(site)
        stack.enter_context(reserved_pages(site.cell, PAGE_KIB, PAGES))
        mount = root / 'hugepages'
        stack.enter_context(mounted_hugetlbfs(mount, PAGE_KIB))
        site.daemon.mkdir()
        stack.enter_context(private_libvirtd(site.daemon, hugetlbfs=mount))
        processes = stack.enter_context(
            Processes(site.log, site.environment())
        )
        # From here on nothing keeps what is started from being ended.
        stack.callback(ignore_interrupts)
        stage = Stage(screen, processes, root)
        bring_up(stage, site, processes)
        tell(stage, site)
        processes.check()
    shutil.rmtree(root)
    return stage.elapsed_s


def make_site(root: Path) -> Site:
    """Choose what a cloud has of its own: ports, a password, two pCPUs."""
    cell, cpus = choose_cpus()
    return Site(
        root=root,
        prefix=Path(sys.prefix),
        ports=choose_ports(NAMES),
        password=secrets.token_hex(16),
        cell=cell,
        cpus=str(cpus),
        kvm=not kvm_trouble(),
    )


def choose_cpus() -> tuple[int, CPUSet]:
    """Return a host cell, and its last two pCPUs that may be used.

    :raises CloudError: if no cell has two.
    """
    usable = CPUSet(os.sched_getaffinity(0))
    # Of the kernel: libvirt's own daemon is left alone.
    for cell in read_host('/').cells:
        cpus = sorted(cell.cpus & usable)
        if len(cpus) > 1:
            return cell.id, CPUSet(cpus[-2:])
    raise CloudError(
        'a real-time guest needs two pCPUs of one host cell',
        hint='run it on a machine that has them',
    )


def bring_up(stage: Stage, site: Site, processes: Processes) -> None:
    """Start all services, and tell how it goes."""
    stage.step('An OpenStack')
    stage.note(
        'keystone, placement, glance, nova, RabbitMQ and libvirt are real '
        'and run on loopback; for neutron stands in what has no network. '
        f'All of them write to {site.root} only.'
    )
    if not site.kvm:
        stage.note('no KVM here: QEMU alone runs the guests')
    start_rabbit(site, processes)
    make_databases(site, processes)
    stage.note(f'after {stage.elapsed_s:.0f} s: the databases are made')
    start_services(site, processes)
    stage.note(f'after {stage.elapsed_s:.0f} s: all services run')
    stage.run(
        'openstack compute service list -c Binary -c Host -c Status -c State'
    )


def clear(root: Path) -> None:
    """Leave what tells why something failed."""
    for path in root.iterdir():
        if path.name not in _KEPT:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


if __name__ == '__main__':
    sys.exit(main())
