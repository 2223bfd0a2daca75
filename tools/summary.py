# SPDX-License-Identifier: Apache-2.0
"""Add up the pytest reports of one check, in a last line for people and CI.

Usage: summary.py DIRECTORY

Exits 1 when a report shows a failure, or when no test ran at all.
"""

import pathlib
import sys
from xml.etree import ElementTree


def add_up(directory: pathlib.Path) -> tuple[dict[str, int], float]:
    """Return how the tests ended, and the seconds they took."""
    total = dict.fromkeys(('passed', 'failed', 'errors', 'skipped'), 0)
    seconds = 0.0
    for report in directory.glob('*.xml'):
        for suite in ElementTree.parse(report).iter('testsuite'):
            failed, errors, skipped = (
                int(suite.get(name, '0'))
                for name in ('failures', 'errors', 'skipped')
            )
            total['failed'] += failed
            total['errors'] += errors
            total['skipped'] += skipped
            total['passed'] += (
                int(suite.get('tests', '0')) - failed - errors - skipped
            )
            seconds += float(suite.get('time', '0'))
    return total, seconds


def main() -> int:
    """Print the line; return the exit code."""
    total, seconds = add_up(pathlib.Path(sys.argv[1]))
    ended = ', '.join(f'{count} {name}' for name, count in total.items())
    print(f'==== {ended} in {seconds:.2f}s ====')
    return int(total['passed'] == 0 or bool(total['failed'] + total['errors']))


if __name__ == '__main__':
    sys.exit(main())
