# SPDX-License-Identifier: Apache-2.0
"""Measure, print, save, draw; exit 3 where a gate is missed."""

from __future__ import annotations

import argparse
import gc
import logging
import sys
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.bench import bridge
from tools.bench import document
from tools.bench import fits
from tools.bench import fleets
from tools.bench import imports
from tools.bench import parse
from tools.bench import report
from tools.bench import stream
from tools.bench.chart import draw
from tools.bench.row import Row

SECTIONS: Final[dict[str, Callable[[], Iterator[Row]]]] = {
    'import': imports.imports,
    'parse': parse.parse,
    'fit': fits.at_once,
    'late': fits.late_or_never,
    'growth': fits.growth,
    'cycle': fits.cycle,
    'fleet': fleets.fleets,
    'nova': bridge.bridge,
    'xml': document.documents,
    'packing': stream.packing,
}


def main() -> int:
    """Run the sections asked for."""
    parser = argparse.ArgumentParser(
        prog='python -m tools.bench', description=__doc__
    )
    parser.add_argument(
        '--only',
        action='append',
        choices=SECTIONS,
        help='a section to run; may be given again (default: all)',
    )
    parser.add_argument(
        '--output',
        type=Path,
        default=Path('build/bench'),
        help='directory for bench.json and bench.svg (%(default)s)',
    )
    arguments = parser.parse_args()
    # nova at its best: its own benchmark figures have logging off too.
    logging.disable(logging.CRITICAL)
    # What nova's import left is looked through at every collection between
    # two batches: 0.1 s each, most of the bench's time.
    gc.collect()
    gc.freeze()
    print('Times are CPU times, nova / rtvirt; ratios are medians of pairs.')
    rows: list[Row] = []
    for name in arguments.only or SECTIONS:
        print(f'\n{name}', flush=True)
        for row in SECTIONS[name]():
            rows.append(row)
            print(report.line(row), flush=True)
    print('\nsummary')
    print(report.summary(rows))
    arguments.output.mkdir(parents=True, exist_ok=True)
    report.write_json(rows, arguments.output / 'bench.json')
    (arguments.output / 'bench.svg').write_text(
        draw(rows, 'rtvirt beside nova 34')
    )
    print(f'\nsaved in {arguments.output}/')
    return 0 if all(row.is_met for row in rows) else 3


if __name__ == '__main__':
    sys.exit(main())
