# SPDX-License-Identifier: Apache-2.0
"""The options of ``[rtvirt]`` in nova.conf; nova itself is not needed."""

from __future__ import annotations

from typing import Final

from oslo_config import cfg

GROUP: Final = cfg.OptGroup(
    'rtvirt',
    title='Real-time guests in nova',
    help='What rtvirt does inside nova-compute and nova-scheduler.',
)

OPTS: Final = (
    cfg.StrOpt(
        'fit',
        default='rtvirt',
        choices=[
            ('rtvirt', 'a place is found wherever there is one'),
            ('nova', "nova's own numa_fit_instance_to_host decides"),
        ],
        help='Whose code fits guests with a NUMA topology to hosts: in claims '
        'of nova-compute and, if RTVirtFilter is enabled, in '
        'nova-scheduler.\n\n'
        "nova's own may refuse guests of several cells that fit, and accept "
        'others that do not. Set the same value for both services.',
    ),
    cfg.FloatOpt(
        'weight_multiplier',
        default=1.0,
        help='How much RTVirtWeigher counts among the weighers of '
        'nova-scheduler.\n\n'
        'The metadata ``rtvirt_weight_multiplier`` of an aggregate replaces '
        'it for the hosts there. A negative number reverses the order.',
    ),
    cfg.StrOpt(
        'preflight',
        default='warn',
        choices=[
            ('off', 'the host is not checked'),
            ('warn', 'what is wrong is logged'),
            (
                'enforce',
                'the same, and an error keeps nova-compute from starting',
            ),
        ],
        help='What to do about findings of the host checks when nova-compute '
        'starts.\n\n'
        'The checks are those of ``rtvirt host check``.',
    ),
    cfg.StrOpt(
        'verify',
        default='warn',
        choices=[
            ('off', 'guests are not proved after their start'),
            ('warn', 'what is not as planned is logged'),
            (
                'enforce',
                'the same, and an error stops the guest and fails its start',
            ),
        ],
        help='What to do if a real-time guest is not as planned after its '
        'start.\n\n'
        'Every thread and the memory of the guest are compared with its '
        'plan, as ``rtvirt domain verify`` does.',
    ),
    cfg.FloatOpt(
        'timeout',
        default=10.0,
        min=0.1,
        help='How many seconds reading a guest, or the host, may take.\n\n'
        'After that it is given up, and this is logged. With ``verify = '
        'enforce`` the start of a guest that cannot be read in time fails.',
    ),
    cfg.FloatOpt(
        'trait_interval',
        default=60.0,
        min=0.0,
        help='How old, in seconds, the host check behind the traits may '
        'be.\n\n'
        'nova-compute reports the traits with each of its own updates '
        '(``[DEFAULT] update_resources_interval``). Once the last check is '
        'older than this, the host is checked again.',
    ),
)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for oslo's configuration generator."""
    return [(GROUP, list(OPTS))]


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to nova's configuration; twice does no harm."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
