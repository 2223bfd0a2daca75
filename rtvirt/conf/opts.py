# SPDX-License-Identifier: Apache-2.0
"""The options that the operator of a host sets once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from typing import Final

from oslo_config import cfg
from oslo_config import types

from rtvirt.conf.choice import SMT_ISOLATE
from rtvirt.conf.choice import STRATEGIES
from rtvirt.conf.reserved import parse_reserved
from rtvirt.fitting.strategy import DEFAULT_STRATEGY
from rtvirt.model.cpuset import CPUSet


class Text(types.ConfigType):
    """A value that is written as a text of its own.

    :param type_name: what it is, for the sample file.
    :param parse: makes the value of the text, or raises ValueError.
    """

    def __init__(self, type_name: str, parse: Callable[[str], Any]) -> None:
        super().__init__(type_name=type_name)
        self._parse = parse

    def __call__(self, value: Any) -> Any:
        """Return the value of a text."""
        return self._parse(value) if isinstance(value, str) else value

    def _formatter(self, value: Any) -> str:
        return str(value)


GROUP: Final = cfg.OptGroup(
    'rtvirt',
    title='Real-time guests on this host',
    help='How the command line of rtvirt sees this host, and how it places '
    'guests on it. Every option has an argument that wins over it.',
)

OPTS: Final = (
    cfg.StrOpt(
        'connection_uri',
        sample_default='qemu:///system',
        help='The libvirt to ask about the host.\n\n'
        'Without it, rtvirt asks ``qemu:///system``, and reads sysfs if no '
        'libvirt answers. Argument: ``--host`` or ``--connect``.',
    ),
    cfg.Opt(
        'cpu_dedicated_set',
        type=Text('list of pCPUs', CPUSet.parse),
        sample_default='2-7',
        help='The pCPUs that dedicated vCPUs may have to themselves.\n\n'
        'Choose isolated ones (``isolcpus=``), and set ``cpu_shared_set`` as '
        'well if there are mixed or shared guests. If neither set is given, '
        'every pCPU counts as both, as in nova; if one is given, the other '
        'is empty. Argument: ``--dedicated``.',
    ),
    cfg.Opt(
        'cpu_shared_set',
        type=Text('list of pCPUs', CPUSet.parse),
        sample_default='0-1',
        help='The housekeeping pCPUs that shared vCPUs float over, and that '
        'emulator threads use under the policy ``share``. Argument: '
        '``--shared``.',
    ),
    cfg.MultiOpt(
        'reserved_huge_pages',
        item_type=Text('pages of a node', parse_reserved),
        sample_default='node:0,size:1GiB,count:2',
        help='Huge pages that guests do not get, for other programs on the '
        'host.\n\n'
        'Give it once for each node and size; the size is in KiB or has a '
        'unit. Argument: ``--reserved-pages``.',
    ),
    cfg.StrOpt(
        'strategy',
        default=DEFAULT_STRATEGY,
        choices=[*STRATEGIES.items()],
        help='Which host cell to try first if several would do. Argument: '
        '``--strategy``.',
    ),
    cfg.StrOpt(
        'smt_isolate',
        default='cores',
        choices=[*SMT_ISOLATE.items()],
        help='What the thread policy ``isolate`` does on a host with SMT. '
        'Argument: ``--smt-isolate``.',
    ),
    cfg.FloatOpt(
        'cpu_allocation_ratio',
        min=0.0,
        sample_default=4.0,
        help='How many shared vCPUs a shared pCPU may carry, over all guests '
        'of a host cell.\n\n'
        'Without it there is no limit, except that a single guest has no '
        'more shared vCPUs than the host cell has shared pCPUs. Argument: '
        '``--cpu-allocation-ratio``.',
    ),
    cfg.FloatOpt(
        'ram_allocation_ratio',
        min=0.0,
        sample_default=1.0,
        help='How much memory may be promised to guests with ordinary pages, '
        'as a multiple of what the host cell has. Argument: '
        '``--ram-allocation-ratio``.',
    ),
    cfg.StrOpt(
        'lock_path',
        default='/run/rtvirt',
        help='The directory of the lock under which a command looks at what '
        'is free on a host and takes it.\n\n'
        'Everybody who creates domains here must be able to write to it. '
        'If root makes it, the group ``libvirt`` can, too. Argument: '
        '``--lock-path``.',
    ),
    cfg.IntOpt(
        'lock_timeout',
        min=0,
        default=60,
        help='How many seconds to wait for the lock. Argument: '
        '``--lock-timeout``.',
    ),
)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for oslo's configuration generator."""
    return [(GROUP, list(OPTS))]
