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
        'of nova-compute and, where RTVirtFilter is enabled, in '
        'nova-scheduler.\n\n'
        "nova's own may refuse guests of several cells that fit, and take "
        'ones that do not.',
    ),
    cfg.FloatOpt(
        'weight_multiplier',
        default=1.0,
        help='How much RTVirtWeigher counts among the weighers of '
        'nova-scheduler.\n\n'
        'Hosts of an aggregate can have their own in its metadata, '
        '``rtvirt_weight_multiplier``. A negative number reverses the '
        'order.',
    ),
    cfg.StrOpt(
        'preflight',
        default='warn',
        choices=[
            ('off', 'the host is not checked'),
            ('warn', 'what is wrong is logged'),
            (
                'enforce',
                'and an error among it keeps nova-compute from starting',
            ),
        ],
        help='What comes of the host checks when nova-compute starts.\n\n'
        'They are those of ``rtvirt host check``.',
    ),
    cfg.StrOpt(
        'verify',
        default='warn',
        choices=[
            ('off', 'a guest that was started is not looked at'),
            ('warn', 'what is not as planned is logged'),
            (
                'enforce',
                'and an error among it stops the guest and fails its start',
            ),
        ],
        help='What comes of the proof of a real-time guest after it was '
        'started.\n\n'
        'Every thread and the memory of the guest are compared with its '
        'plan, as ``rtvirt domain verify`` does.',
    ),
    cfg.FloatOpt(
        'timeout',
        default=10.0,
        min=0.1,
        help='How many seconds reading a guest, or the host, may take.\n\n'
        'What hangs, a daemon or a process that cannot be read, is given up '
        'then and logged. With ``verify = enforce`` a guest that cannot be '
        'read in time is not proved, and its start fails.',
    ),
    cfg.FloatOpt(
        'trait_interval',
        default=60.0,
        min=0.0,
        help='How old, in seconds, what the traits of the host rest on may '
        'be.\n\n'
        'nova-compute reports the traits with each of its own updates '
        '(``[DEFAULT] update_resources_interval``); the host is checked '
        'again for that once this time is over.',
    ),
)


def list_opts() -> list[tuple[cfg.OptGroup, list[cfg.Opt]]]:
    """Return the options for oslo's configuration generator."""
    return [(GROUP, list(OPTS))]


def register(conf: cfg.ConfigOpts) -> None:
    """Make the options known to nova's configuration; twice does no harm."""
    conf.register_group(GROUP)
    conf.register_opts(OPTS, group=GROUP)
