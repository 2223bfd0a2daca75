# SPDX-License-Identifier: Apache-2.0
"""Read how nova-compute is configured."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Iterator
from typing import Final
from typing import TypeVar

from rtvirt.conf.reserved import parse_reserved
from rtvirt.host.facts.config import parse_ini
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import absent
from rtvirt.model.facts.missing import malformed
from rtvirt.model.facts.nova import NovaFacts
from rtvirt.model.facts.parse import parse_int
from rtvirt.model.partition import ReservedPages

T = TypeVar('T')

# The packages' own; kolla's, TripleO's and the data plane operator's.
_FILES: Final = (
    '/etc/nova/nova.conf',
    '/etc/nova/nova-compute.conf',
    '/etc/nova/nova-cpu.conf',
    '/etc/kolla/nova-compute/nova.conf',
    '/var/lib/config-data/puppet-generated/nova_libvirt/etc/nova/nova.conf',
)
_DIRECTORIES: Final = (
    '/etc/nova/nova.conf.d',
    '/var/lib/openstack/config/nova',
)

DEDICATED: Final = ('compute', 'cpu_dedicated_set')
SHARED: Final = ('compute', 'cpu_shared_set')
PIN_SET: Final = ('DEFAULT', 'vcpu_pin_set')
RESERVED_PAGES: Final = ('DEFAULT', 'reserved_huge_pages')
REALTIME_PRIORITY: Final = ('libvirt', 'realtime_scheduler_priority')
POWER_MANAGEMENT: Final = ('libvirt', 'cpu_power_management')
POWER_STRATEGY: Final = ('libvirt', 'cpu_power_management_strategy')
DRIVER: Final = ('DEFAULT', 'compute_driver')
FILTERS: Final = ('filter_scheduler', 'enabled_filters')

OPTIONS: Final = frozenset(
    {
        DEDICATED,
        SHARED,
        PIN_SET,
        RESERVED_PAGES,
        REALTIME_PRIORITY,
        POWER_MANAGEMENT,
        POWER_STRATEGY,
        DRIVER,
        FILTERS,
    }
)
"""Section and name of every option that is read; a snapshot keeps no
other."""


def read_nova_facts(tree: Tree) -> NovaFacts:
    """Read the options that concern placement, later files winning."""
    settings: dict[tuple[str, str], list[str]] = {}
    files = []
    unread: Missing | None = None
    for path in _config_files(tree):
        text = read_text(tree, path)
        if isinstance(text, Missing):
            unread = unread if text.is_absent else text
            continue
        files.append(path)
        found: dict[tuple[str, str], list[str]] = {}
        for section, key, value in parse_ini(text):
            if (section, key) in OPTIONS:
                found.setdefault((section, key), []).append(value)
        settings.update(found)
    where = files[-1] if files else '/etc/nova/nova.conf'

    def option(
        name: tuple[str, str], parse: Callable[[list[str]], T]
    ) -> T | Missing:
        # A file that was not read may set the option, or set it anew.
        if unread is not None:
            return unread
        return _option(settings, where, name, parse)

    return NovaFacts(
        files=tuple(files),
        dedicated=option(DEDICATED, _parse_cpus),
        shared=option(SHARED, _parse_cpus),
        pin_set=option(PIN_SET, _parse_cpus),
        reserved_pages=option(RESERVED_PAGES, _parse_reserved_pages),
        realtime_priority=option(REALTIME_PRIORITY, _parse_int),
        power_management=option(POWER_MANAGEMENT, _parse_bool),
        power_strategy=option(POWER_STRATEGY, _parse_last),
        driver=option(DRIVER, _parse_last),
        filters=option(FILTERS, _parse_words),
    )


def is_nova_file(path: str) -> bool:
    """Whether this may be a configuration file of nova's."""
    return path in _FILES or path.startswith(
        tuple(f'{directory}/' for directory in _DIRECTORIES)
    )


def _config_files(tree: Tree) -> Iterator[str]:
    yield from _FILES
    for directory in _DIRECTORIES:
        for name in tree.names(directory):
            if name.endswith('.conf'):
                yield f'{directory}/{name}'


def _option(
    settings: dict[tuple[str, str], list[str]],
    where: str,
    name: tuple[str, str],
    parse: Callable[[list[str]], T],
) -> T | Missing:
    path = f'{where} [{name[0]}] {name[1]}'
    values = settings.get(name)
    # oslo.config takes an empty value of these options for none.
    if not values or not values[-1]:
        return absent(path)
    try:
        return parse(values)
    except ValueError:
        return malformed(path, repr(values[-1][:60]))


def _parse_last(values: list[str]) -> str:
    return values[-1]


def _parse_words(values: list[str]) -> tuple[str, ...]:
    words = (word.strip() for word in values[-1].split(','))
    return tuple(word for word in words if word)


def _parse_cpus(values: list[str]) -> CPUSet:
    return CPUSet.parse(values[-1])


def _parse_int(values: list[str]) -> int:
    return parse_int(values[-1])


def _parse_bool(values: list[str]) -> bool:
    word = values[-1].lower()
    if word not in ('true', 'false', '1', '0', 'yes', 'no', 'on', 'off'):
        raise ValueError(word)
    return word in ('true', '1', 'yes', 'on')


def _parse_reserved_pages(values: list[str]) -> tuple[ReservedPages, ...]:
    """Read an option that is given once for each pool."""
    return tuple(parse_reserved(value) for value in values)
