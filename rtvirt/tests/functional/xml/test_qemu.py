# SPDX-License-Identifier: Apache-2.0
"""libvirt's QEMU driver takes every document, and makes a QEMU of it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any
from typing import Final

import pytest

from rtvirt.demo.embed import end_processes
from rtvirt.demo.embed import private_directory
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.libvirtxml.metadata import plan_of
from rtvirt.tests.functional.xml.test_libvirt import GUESTS
from rtvirt.tests.functional.xml.test_libvirt import place
from rtvirt.tests.functional.xml.test_libvirt import render
from rtvirt.tests.require import require
from rtvirt.tests.require import require_program

PARTS: Final = (
    'virt_type',
    'name',
    'uuid',
    'plan',
    'memory_kib',
    'memory_backing',
    'vcpu',
    'iothreads',
    'cputune',
    'numatune',
    'features',
    'cpu',
    'clock',
)

TOLD: Final = ('small pages', 'shared')
"""Those whose QEMU is looked at: no huge pages need to be mounted."""

# A process of its own, and none of root's: libvirt asks every QEMU anew
# what it can, at each document, where root may open a /dev/kvm that does not
# work.
_DEFINE: Final = """\
import json, os, sys, threading
import libvirt

root, uid = sys.argv[1], int(sys.argv[2])
if uid != os.getuid():
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
os.environ.update(HOME=root, XDG_RUNTIME_DIR=root, XDG_CACHE_HOME=root)
os.chdir(root)
libvirt.registerErrorHandler(lambda *_: None, None)
libvirt.virEventRegisterDefaultImpl()

def run():
    while True:
        libvirt.virEventRunDefaultImpl()

threading.Thread(target=run, daemon=True).start()
driver = libvirt.open(f'qemu:///embed?root={root}/embed')
for name, text in json.load(sys.stdin).items():
    made = {'name': name}
    try:
        domain = driver.defineXML(text)
        made['xml'] = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        domain.undefine()
        if '<interface' not in text:
            made['argv'] = driver.domainXMLToNative('qemu-argv', text)
    except libvirt.libvirtError as error:
        made['error'] = str(error)
    print(json.dumps(made), flush=True)
os._exit(0)
"""
_NOBODY: Final = 65534


@pytest.fixture(scope='module')
def made() -> Iterator[dict[str, dict[str, str]]]:
    """What libvirt's QEMU driver makes of the document of each guest."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    require_program('qemu-system-x86_64')
    documents = {name: render(place(name), 'qemu') for name in GUESTS}
    # A network card would be made for the command line, which takes root.
    for name in TOLD:
        text = render(place(name), 'qemu', None)
        documents[f'{name}, told'] = text
    uid = os.getuid() or _NOBODY
    with private_directory('rtvirt-xml-') as root:
        os.chown(root, uid, -1)
        done = subprocess.run(
            [sys.executable, '-c', _DEFINE, root, str(uid)],
            input=json.dumps(documents),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        end_processes(root)
        require(
            'no connection driver' not in done.stderr,
            'needs the QEMU driver of libvirt: libvirt-daemon-driver-qemu',
        )
        assert done.returncode == 0, done.stderr
        answers = map(json.loads, done.stdout.splitlines())
        yield {answer['name']: answer for answer in answers}


@pytest.mark.parametrize('name', GUESTS)
def test_document_is_taken_and_given_back(
    made: dict[str, dict[str, str]], name: str
) -> None:
    assert 'error' not in made[name], made[name]['error']
    sent = parse_domain(render(place(name), 'qemu'))
    back = parse_domain(made[name]['xml'])
    for part in PARTS:
        assert getattr(back, part) == getattr(sent, part)
    assert back.devices.disks == sent.devices.disks
    assert plan_of(back) == place(name)


def test_qemu_is_told_so(made: dict[str, dict[str, str]]) -> None:
    argv = made['small pages, told']['argv']
    for told in (
        '-overcommit mem-lock=on',
        'mem-merge=off',
        ',pmu=off',
        'tb-size=64',
        '-no-hpet',
        '"qom-type":"iothread","id":"iothread1"',
        '"iothread":"iothread1"',
        '"host-nodes":[0]',
        '"policy":"bind"',
    ):
        assert told in argv, told
    assert 'balloon' not in argv
    assert argv.count('"driver":"virtio-blk-pci"') == 2
    assert argv.count('"iothread":"iothread1"') == 2


def test_guest_without_terms_is_as_ever(made: dict[str, Any]) -> None:
    argv = made['shared, told']['argv']
    assert 'virtio-balloon' in argv
    assert '-overcommit mem-lock=off' in argv
    assert '"iothread":"iothread1"' not in argv
