# SPDX-License-Identifier: Apache-2.0
"""The demo itself: flavor, host, plan, XML, and the proof.

All but the last part are commands of rtvirt, shown as a person would type
them.
"""

from __future__ import annotations

import contextlib
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import Final

from rtvirt.cli import app
from rtvirt.cli.exitcode import ExitCode
from rtvirt.demo.ground import Ground
from rtvirt.demo.ground import prepare
from rtvirt.demo.interrupt import ignore_interrupts
from rtvirt.demo.machine import kvm_trouble
from rtvirt.demo.machine import memlock_trouble
from rtvirt.demo.screen import Screen
from rtvirt.demo.show import show_proof
from rtvirt.exception import HostError
from rtvirt.host.connection import connect
from rtvirt.host.connection import translated
from rtvirt.host.facts.directory import DirectoryTree
from rtvirt.host.qemu import find_guests
from rtvirt.host.qemu import observe
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.model.plan import Plan

NAME: Final = 'rtvirt-demo'
TEST_URI: Final = 'test:///default'

_TUNING: Final = (
    '<cputune',
    '</cputune',
    '<emulator',
    '<hugepages',
    '</hugepages',
    '<iothread',
    '<locked',
    '<mem',
    '</memoryBacking',
    '<nosharepages',
    '<numatune',
    '</numatune',
    '<page ',
    '<pmu',
    '<vcpu',
)
"""Beginnings of the lines that a plan makes different."""


class _CommandError(Exception):
    """A command of rtvirt failed, and has said on stderr why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def tell(flavor: Path, root: Path, screen: Screen) -> int:
    """Tell the story and return the exit code.

    :param flavor: the file with the flavor.
    :param root: an empty directory, for everything that is made.
    :raises RTVirtError: if something cannot be had that must be.
    """
    screen.say('rtvirt: from a flavor to a real-time guest, with proof')
    with contextlib.ExitStack() as stack:
        ground = prepare(flavor, root, stack)
        # The first to be called in the end.
        stack.callback(ignore_interrupts)
        try:
            plan, domain = _plan(ground, screen)
        except _CommandError as error:
            return error.code
        if ground.driver is None:
            return _rehearse(domain, screen)
        holds = _prove(plan, domain, ground.driver, screen)
    screen.say('The guest is gone, and with it everything that was made.')
    return ExitCode.DONE if holds else ExitCode.FINDINGS


def _plan(ground: Ground, screen: Screen) -> tuple[Plan, Domain]:
    """Show flavor, host, plan and XML."""
    flavor = _shown(ground.flavor)
    screen.step('The flavor: what is asked for')
    screen.command('cat', flavor)
    screen.say(ground.flavor.read_text(encoding='utf-8').strip())
    for note in ground.notes:
        screen.note(note)

    screen.step('This host: what there is')
    screen.command('rtvirt', 'host', 'show')
    _run('host', 'show')

    screen.step('The plan: who runs where')
    words = ['plan', '--flavor', flavor]
    screen.command('rtvirt', *words)
    _run(*words)
    plan = Plan.from_dict(json.loads(_read(*words, '-f', 'json')))

    screen.step("The XML: the plan in libvirt's words")
    words = ['domain', 'xml', '--flavor', flavor, '--name', NAME]
    if trouble := kvm_trouble():
        words += ['--type', 'qemu']
    screen.command('rtvirt', *words)
    xml = _read(*words)
    screen.document(xml, _TUNING)
    if trouble:
        screen.note(f'{trouble}: QEMU emulates a processor')
    return plan, parse_domain(xml)


def _prove(plan: Plan, domain: Domain, driver: Any, screen: Screen) -> bool:
    """Start the guest and show every thread of it beside the plan."""
    screen.step('The running guest: what the kernel shows')
    locked = True
    if domain.memory_backing.locked and (trouble := memlock_trouble()):
        screen.note(f'{trouble}: the copy that is started has no <locked/>')
        locked = False
        domain.memory_backing = replace(domain.memory_backing, locked=False)
    screen.say(f'starting it with {_versions(driver)}, without a daemon ...')
    began = time.monotonic()
    with translated(f'cannot start {NAME}'):
        uuid = driver.createXML(domain.to_xml()).UUIDString()
    tree = DirectoryTree()
    guest = find_guests(tree).get(uuid)
    if guest is None:
        raise HostError(
            f'{NAME} was started, and has no process',
            hint='run it outside of containers: its process is not seen',
        )
    observed = observe(tree, guest)
    screen.say(
        f'{time.monotonic() - began:.1f} s later its process is '
        f'{guest.pid}, and /proc says:'
    )
    screen.say()
    return show_proof(screen, plan, observed, locked=locked)


def _rehearse(domain: Domain, screen: Screen) -> int:
    """Have libvirt's test driver take the XML: no thread is started."""
    screen.step("A rehearsal: libvirt's test driver")
    domain.virt_type = 'test'
    with (
        connect(TEST_URI, read_only=False) as driver,
        translated(f'{TEST_URI} refuses the XML'),
    ):
        text = driver.createXML(domain.to_xml()).XMLDesc()
    kept = parse_domain(text)
    holds = kept.cputune == domain.cputune
    if holds:
        screen.say(
            f'{TEST_URI} has taken the XML and keeps every pin and '
            'scheduler of it.',
            'good',
        )
    else:
        screen.say(f'{TEST_URI} has changed the tuning.', 'bad')
    screen.note(
        'the test driver starts no thread, so nothing is proved: run this as '
        'root, with QEMU installed, to see it happen'
    )
    return ExitCode.DONE if holds else ExitCode.FINDINGS


def _versions(driver: Any) -> str:
    """Return the versions of libvirt and QEMU."""
    with translated('cannot tell versions'):
        numbers = driver.getLibVersion(), driver.getVersion()
    libvirt, qemu = (
        f'{n // 1_000_000}.{n // 1000 % 1000}.{n % 1000}' for n in numbers
    )
    return f'libvirt {libvirt} and QEMU {qemu}'


def _run(*words: str) -> None:
    """Run a command of rtvirt, which prints its answer."""
    if code := app.main(list(words)):
        raise _CommandError(code)


def _read(*words: str) -> str:
    """Return what a command of rtvirt prints."""
    with contextlib.redirect_stdout(io.StringIO()) as answer:
        _run(*words)
    return answer.getvalue()


def _shown(path: Path) -> str:
    """Return how a person would name a file here."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)
