# SPDX-License-Identifier: Apache-2.0
"""The arguments that a domain is made of, and the XML they stand for."""

from __future__ import annotations

import argparse
from typing import Any
from typing import Final

from rtvirt.cli.document import MAX_XML
from rtvirt.cli.document import STDIN
from rtvirt.cli.document import read_text
from rtvirt.exception import ConfigError
from rtvirt.exception import DomainXMLError
from rtvirt.model.plan import Plan

_CONSOLES: Final = {'pty': 'pty', 'none': None}


def add_base(group: argparse._ActionsContainer) -> None:
    """Add ``--uuid`` and ``--base``."""
    group.add_argument('--uuid', help='libvirt makes one without it')
    group.add_argument(
        '--base',
        metavar='FILE',
        help='domain XML to render the plan into; a name given to the new '
        'domain replaces the one in there; - is standard input',
    )


def add_boot(parser: argparse.ArgumentParser) -> None:
    """Add what a new domain has, and one that exists has already."""
    group = parser.add_argument_group('a new domain (without --base)')
    group.add_argument(
        '--disk',
        metavar='PATH[,format=FORMAT]',
        dest='disks',
        action='append',
        help='a disk on virtio: an absolute path, raw unless a format is '
        'given; can be repeated',
    )
    group.add_argument(
        '--kernel', metavar='PATH', help='boot this kernel of the host'
    )
    group.add_argument('--initrd', metavar='PATH', help='and this initrd')
    group.add_argument('--cmdline', metavar='TEXT', help='and these arguments')
    plug = group.add_mutually_exclusive_group()
    plug.add_argument(
        '--network', metavar='NAME', help='a card on this network of libvirt'
    )
    plug.add_argument(
        '--bridge', metavar='NAME', help='a card on this bridge of the host'
    )
    group.add_argument(
        '--mac', metavar='ADDRESS', help="the card's; libvirt makes one else"
    )
    group.add_argument(
        '--console',
        metavar='pty|none|PATH',
        help='where the serial console goes (default: pty)',
    )
    group.add_argument(
        '--type',
        dest='virt_type',
        choices=['kvm', 'qemu'],
        help='qemu is software emulation (default: kvm)',
    )
    group.add_argument(
        '--machine', metavar='TYPE', help="QEMU's machine (default: q35)"
    )
    group.add_argument(
        '--emulator', metavar='PATH', help="QEMU; libvirt's choice without it"
    )


_BOOT: Final = {
    'disks': '--disk',
    'kernel': '--kernel',
    'initrd': '--initrd',
    'cmdline': '--cmdline',
    'network': '--network',
    'bridge': '--bridge',
    'mac': '--mac',
    'console': '--console',
    'virt_type': '--type',
    'machine': '--machine',
    'emulator': '--emulator',
}


def check_render(parsed_args: argparse.Namespace) -> None:
    """Check that the arguments go together.

    :raises ConfigError: naming those that do not.
    """
    if parsed_args.base is None:
        if parsed_args.name is None:
            raise ConfigError(
                'a new domain needs a --name',
                hint='give it one, as in --name plc-1, or name the XML of a '
                'domain by --base',
            )
        if parsed_args.mac and not (parsed_args.network or parsed_args.bridge):
            raise ConfigError(
                '--mac needs a --network or a --bridge',
                hint='name one of the two, or leave --mac out',
            )
        return
    if parsed_args.base == STDIN in {parsed_args.flavor, parsed_args.image}:
        raise ConfigError(
            'only one file can be standard input',
            hint='name the others by their paths',
        )
    for name, option in _BOOT.items():
        if getattr(parsed_args, name) is not None:
            raise ConfigError(
                f'{option} is for a new domain, and there is a --base',
                hint='change it in the base',
            )


def render(plan: Plan, parsed_args: argparse.Namespace) -> str:
    """Return the XML of a new domain, or of the base with the plan in it.

    :raises DomainXMLError: naming what is wrong.
    """
    make = _make if parsed_args.base is None else _merge
    return make(plan, parsed_args)


def _make(plan: Plan, parsed_args: argparse.Namespace) -> str:
    from rtvirt.domain import Network  # noqa: PLC0415 (lxml and stevedore)
    from rtvirt.domain import domain_xml  # noqa: PLC0415

    network = None
    if parsed_args.network or parsed_args.bridge:
        network = Network(
            network=parsed_args.network,
            bridge=parsed_args.bridge,
            mac=parsed_args.mac,
        )
    options: dict[str, Any] = {
        name: value
        for name in ('virt_type', 'machine', 'kernel', 'initrd', 'cmdline')
        if (value := getattr(parsed_args, name)) is not None
    }
    console = parsed_args.console or 'pty'
    return domain_xml(
        plan,
        name=parsed_args.name,
        uuid=parsed_args.uuid,
        disks=[_to_disk(text) for text in parsed_args.disks or ()],
        network=network,
        console=_CONSOLES.get(console, console),
        emulator=parsed_args.emulator,
        **options,
    )


def _to_disk(text: str) -> Any:
    from rtvirt.domain import Disk  # noqa: PLC0415

    path, comma, form = text.rpartition(',format=')
    return Disk(path=path, format=form) if comma else Disk(path=text)


def _merge(plan: Plan, parsed_args: argparse.Namespace) -> str:
    from rtvirt.domain import apply_plan  # noqa: PLC0415
    from rtvirt.domain import check_identity  # noqa: PLC0415
    from rtvirt.domain import parse_domain  # noqa: PLC0415
    from rtvirt.libvirtxml.domain import with_name  # noqa: PLC0415

    check_identity(parsed_args.name, parsed_args.uuid)
    base = read_text(parsed_args.base, MAX_XML)
    try:
        if parsed_args.name is not None:
            base = with_name(base)
        merged = apply_plan(plan, base)
    except DomainXMLError as error:
        raise DomainXMLError(
            f'{parsed_args.base}: {error}', hint=error.hint
        ) from error
    if parsed_args.name is None and parsed_args.uuid is None:
        return merged
    domain = parse_domain(merged)
    if parsed_args.name not in {None, domain.name}:
        # Another domain: libvirt makes it a uuid.
        domain.name = parsed_args.name
        domain.uuid = None
    domain.uuid = parsed_args.uuid or domain.uuid
    return domain.to_xml()
