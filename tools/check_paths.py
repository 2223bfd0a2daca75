# SPDX-License-Identifier: Apache-2.0
"""Refuse a path of one developer's machine in a file that git tracks.

The tree may be checked out anywhere; what names the directory it happens
to be in, or somebody's home, works on that machine only.
"""

import pathlib
import re
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent


def own_path() -> re.Pattern[str]:
    """Return what matches a path that only this machine has."""
    homes = {pathlib.Path.home(), pathlib.Path('/root')}
    return re.compile(
        '|'.join(
            [
                rf'{re.escape(str(TOP))}(?![\w-])',
                *(rf'(?<!\w){re.escape(str(home))}/[\w.]' for home in homes),
                r'/home/[\w.-]+/',
            ]
        )
    )


def main() -> int:
    """Print every line that names such a path; return the exit code."""
    pattern = own_path()
    listed = subprocess.run(
        ['git', 'ls-files', '-z'], cwd=TOP, stdout=subprocess.PIPE, check=True
    )
    found = 0
    for name in listed.stdout.decode().rstrip('\0').split('\0'):
        path = TOP / name
        if not path.is_file() or path.samefile(__file__):
            continue
        text = path.read_text(encoding='utf-8', errors='replace')
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                found += 1
                print(f'{name}:{number}: {line.strip()}')
    if found:
        print('these lines name a path of this machine', file=sys.stderr)
    return int(found > 0)


if __name__ == '__main__':
    sys.exit(main())
