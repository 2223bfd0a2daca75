# SPDX-License-Identifier: Apache-2.0
"""Pictures: where they are written to, and the same for a terminal."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TextIO

from rtvirt.model.host import HostTopology
from rtvirt.model.plan import Plan

if TYPE_CHECKING:
    from rich.text import Text

    from rtvirt.libvirtxml.domain import Domain

# To draw, and rich, take their time to import: most commands do not need
# them.


def add_picture(parser: argparse.ArgumentParser) -> None:
    """Add ``--svg`` and ``--grey``."""
    group = parser.add_argument_group('the picture')
    group.add_argument(
        '--svg',
        metavar='FILE',
        help='draw cells, caches, cores and pages, and who has them, into '
        'FILE',
    )
    group.add_argument(
        '--grey', action='store_true', help='draw it without colour, for print'
    )


def write_picture(
    parsed_args: argparse.Namespace,
    host: HostTopology,
    plan: Plan | None = None,
    *,
    domains: Iterable[Domain] = (),
    title: str = '',
    notes: Mapping[int, Sequence[str]] | None = None,
    remarks: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the picture, if one is asked for.

    :param plan: of a guest that is yet to come to the host.
    :param domains: those that are on it.
    :param notes: by host cell, what is wrong there.
    :param remarks: by heading, sentences below the picture.
    """
    if parsed_args.svg is None:
        return
    from rtvirt.report.occupancy import occupy  # noqa: PLC0415
    from rtvirt.report.occupant import Occupant  # noqa: PLC0415
    from rtvirt.report.palette import Theme  # noqa: PLC0415
    from rtvirt.report.topology import topology_svg  # noqa: PLC0415

    occupants = [Occupant.of_domain(domain) for domain in domains]
    if plan:
        occupants.insert(0, Occupant.of_plan(plan))
    text = topology_svg(
        occupy(host, occupants),
        title=title,
        theme=Theme.GREY if parsed_args.grey else Theme.COLOUR,
        notes=notes or {},
        remarks=remarks or {},
    )
    Path(parsed_args.svg).write_text(text, encoding='utf-8')


def map_of(host: HostTopology, plan: Plan) -> Callable[[int], Iterable[Text]]:
    """Return what draws a plan on its host for a terminal."""
    from rtvirt.report.occupancy import occupy  # noqa: PLC0415
    from rtvirt.report.occupant import Occupant  # noqa: PLC0415
    from rtvirt.report.terminal import draw_map  # noqa: PLC0415

    return functools.partial(draw_map, occupy(host, [Occupant.of_plan(plan)]))


def print_lines(
    lines: Callable[[int], Iterable[Text]], stream: TextIO
) -> None:
    """Print what is drawn for a terminal, in colour where it wants that."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(file=stream, highlight=False, soft_wrap=True)
    for line in lines(console.width):
        console.print(line)
