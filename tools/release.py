# SPDX-License-Identifier: Apache-2.0
"""`make release`: all of a release but the publishing.

From the last commit, in a clone of its own where a tag names the version:
builds the source distribution and from it the wheel, has twine check both,
installs the wheel in a fresh environment of every Python there is and uses
it, writes the release notes, what it depends on with licences (CycloneDX),
and checksums. The tree it starts from is left as it is.

Usage: release.py [--version VERSION] [--python PYTHON]... DIRECTORY
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
PYTHONS = ('python3.11', 'python3.12', 'python3.13')
FLAVOR = 'share/rtvirt/flavors/rt1.small.yaml'
HOST = 'share/rtvirt/hosts/edge-8.xml'


class ReleaseError(Exception):
    """The release cannot be made.

    The message says why, with all that a program said; there is no hint, for
    what is to be mended is the tree.
    """


def run(*command: str | pathlib.Path, cwd: pathlib.Path | None = None) -> str:
    """Run a program to its end and return what it printed.

    :raises ReleaseError: where it fails, with all that it said.
    """
    words = [str(word) for word in command]
    outside = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('PYTHON', 'PBR_', 'GIT_', 'VIRTUAL_ENV'))
    }
    ended = subprocess.run(
        words,
        cwd=cwd,
        env=outside,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise ReleaseError(
            f'{" ".join(words)} ended with {ended.returncode}:\n'
            f'{ended.stdout}{ended.stderr}'
        )
    return ended.stdout


def say(text: str) -> None:
    """Tell what has been done."""
    print(f'release: {text}', flush=True)


def tagged_clone(place: pathlib.Path, version: str) -> pathlib.Path:
    """Return a clone of the last commit, in which a tag names the version."""
    clone = place / 'rtvirt'
    run('git', 'clone', '--quiet', TOP, clone)
    run(
        *('git', '-c', 'user.name=release', '-c', 'user.email=release@local'),
        *('tag', '-a', version, '-m', f'rtvirt {version}'),
        cwd=clone,
    )
    return clone


def build(
    clone: pathlib.Path, output: pathlib.Path, version: str
) -> pathlib.Path:
    """Build what is published; return the wheel, which names the version."""
    dist = output / 'dist'
    run(sys.executable, '-m', 'build', '--outdir', dist, clone)
    wheel = dist / f'rtvirt-{version}-py3-none-any.whl'
    sdist = dist / f'rtvirt-{version}.tar.gz'
    made = sorted(each.name for each in dist.iterdir())
    if made != sorted((wheel.name, sdist.name)):
        raise ReleaseError(f'built {", ".join(made)}; the tag says {version}')
    run(sys.executable, '-m', 'twine', 'check', '--strict', wheel, sdist)
    say(f'built and checked {sdist.name} and {wheel.name}')
    return wheel


def found_pythons(asked: list[str]) -> list[str]:
    """Return those that run, of those asked for or else of all supported.

    :raises ReleaseError: where one that was asked for does not run, or none.
    """
    found = []
    for name in asked or PYTHONS:
        try:
            run(name, '-c', 'import ensurepip, venv')
        except (OSError, ReleaseError) as error:
            if asked:
                raise ReleaseError(f'{name} does not run: {error}') from None
            say(f'{name} is not here: not tried')
        else:
            found.append(name)
    if not found:
        raise ReleaseError(f'none of {", ".join(PYTHONS)} is here')
    return found


def try_wheel(
    wheel: pathlib.Path, python: str, place: pathlib.Path, version: str
) -> pathlib.Path:
    """Install the wheel in a fresh environment and use it there.

    :returns: the environment's Python.
    """
    run(python, '-m', 'venv', place)
    inside = place / 'bin' / 'python'
    run(inside, '-m', 'pip', 'install', '--quiet', wheel)
    run(inside, '-m', 'pip', 'check')
    rtvirt = place / 'bin' / 'rtvirt'
    printed = run(rtvirt, '--version').strip()
    if printed != f'rtvirt {version}':
        raise ReleaseError(f'{python}: "rtvirt --version" says {printed!r}')
    plan = run(
        *(rtvirt, 'plan', '--flavor', place / FLAVOR, '--host', place / HOST),
        *('--dedicated', '2-5', '-f', 'json'),
    )
    if json.loads(plan)['schema_version'] != 1:
        raise ReleaseError(f'{python}: no plan was printed: {plan}')
    say(f'{wheel.name} installs and plans with {run(inside, "-V").strip()}')
    return inside


def write_notes(
    clone: pathlib.Path, output: pathlib.Path, version: str
) -> None:
    """Write the release notes of all versions, the new one first.

    :raises ReleaseError: where they do not speak of the new one.
    """
    reno = pathlib.Path(sys.executable).parent / 'reno'
    run(reno, '-q', 'lint', cwd=clone)
    text = run(reno, '-q', 'report', cwd=clone)
    if f'\n{version}\n' not in text:
        raise ReleaseError(f'the release notes do not speak of {version}')
    notes = output / 'RELEASE_NOTES.rst'
    notes.write_text(text)
    say(f'release notes: {notes}')


def write_bill(inside: pathlib.Path, output: pathlib.Path) -> None:
    """Write what is installed with rtvirt, and under which licences.

    :raises ReleaseError: where something tells no licence.
    """
    bill = output / 'sbom.cdx.json'
    run(
        *(sys.executable, '-m', 'cyclonedx_py', 'environment'),
        *('--output-reproducible', '--output-file', bill, inside),
    )
    lines, silent = [], []
    for part in json.loads(bill.read_text())['components']:
        told = [
            each.get('expression')
            or each['license'].get('id')
            or each['license']['name']
            for each in part.get('licenses', [])
        ]
        if not told:
            silent.append(part['name'])
        lines.append(f'{part["name"]} {part["version"]}: {", ".join(told)}')
    if silent:
        raise ReleaseError(f'no licence is told by {", ".join(silent)}')
    licences = output / 'LICENCES.txt'
    licences.write_text('\n'.join(sorted(lines, key=str.casefold)) + '\n')
    say(f'{len(lines)} distributions and their licences: {bill}, {licences}')


def write_checksums(output: pathlib.Path) -> None:
    """Write the checksums of what is published."""
    lines = [
        f'{hashlib.sha256(each.read_bytes()).hexdigest()}  dist/{each.name}\n'
        for each in sorted((output / 'dist').iterdir())
    ]
    (output / 'SHA256SUMS').write_text(''.join(lines))


def make(output: pathlib.Path, version: str, asked: list[str]) -> None:
    """Make the whole release in an empty directory."""
    pythons = found_pythons(asked)
    if run('git', 'status', '--porcelain', cwd=TOP):
        say('what is not committed is left out')
    if output.exists():
        shutil.rmtree(output)
    output.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix='rtvirt-release-') as name:
        place = pathlib.Path(name)
        clone = tagged_clone(place, version)
        wheel = build(clone, output, version)
        environments = [
            try_wheel(wheel, python, place / f'venv-{number}', version)
            for number, python in enumerate(pythons)
        ]
        write_notes(clone, output, version)
        write_bill(environments[0], output)
    write_checksums(output)
    say(f'all of it is in {output}; nothing was tagged or published')


def main() -> int:
    """Make a release; return the exit code."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or '').partition('\n\n')[2].partition('\n\n')[0]
    )
    parser.add_argument('directory', type=pathlib.Path)
    parser.add_argument('--version', default='0.1.0', help='default: 0.1.0')
    parser.add_argument(
        '--python',
        action='append',
        default=[],
        help=f'try the wheel with it; default: those found of {PYTHONS}',
    )
    arguments = parser.parse_args()
    try:
        make(
            arguments.directory.resolve(), arguments.version, arguments.python
        )
    except (OSError, ReleaseError) as error:
        print(f'release: {error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
