# SPDX-License-Identifier: Apache-2.0
"""nova's kind of test cases, in a process of their own.

They change the configuration, the logging and the hub of the process they
run in.  ``python -m rtvirt.tests.nova.isolated FILE NAME...`` runs them there
and writes into the file what became of each, as JSON, which :func:`run` asks
for: standard output is what nova logs to.
"""

import json
import os
import subprocess
import sys
import tempfile
import traceback
import unittest
import warnings
from pathlib import Path

_TOP = Path(__file__).parents[3]


def run(
    *names: str, bridge: bool = False, seconds: int = 900
) -> dict[str, str]:
    """Run test cases; return what became of each.

    :param names: modules, classes or methods, as unittest takes them.
    :param bridge: whether rtvirt's fit and filter take the place of nova's.
    :returns: by the test's name an empty text, or its traceback.
    """
    environment = {**os.environ, 'PYTHONPATH': str(_TOP)}
    options = ['--bridge'] if bridge else []
    with tempfile.TemporaryDirectory() as directory:
        written = Path(directory, 'outcome.json')
        done = subprocess.run(
            [sys.executable, '-m', __name__, str(written), *options, *names],
            env=environment,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-4000:]
        outcome: dict[str, str] = json.loads(written.read_text())
    return outcome


class _Result(unittest.TestResult):
    def __init__(self) -> None:
        super().__init__()
        self.outcome: dict[str, str] = {}

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self.outcome.setdefault(test.id(), '')

    def addError(self, test, err) -> None:  # type: ignore[no-untyped-def] # noqa: N802
        self.outcome[test.id()] = ''.join(traceback.format_exception(*err))

    addFailure = addError  # noqa: N815

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:  # noqa: N802
        self.outcome[test.id()] = f'skipped: {reason}'


def _put_in_place() -> None:
    """Let rtvirt's fit and filter answer where nova's are asked."""
    from nova.scheduler.filters import numa_topology_filter  # noqa: PLC0415

    from rtvirt.nova import filter as our_filter  # noqa: PLC0415
    from rtvirt.nova import fit  # noqa: PLC0415

    fit.install()
    numa_topology_filter.NUMATopologyFilter = our_filter.RTVirtFilter


def main(written: Path, arguments: list[str]) -> int:
    """Run what is named."""
    warnings.simplefilter('ignore')
    # It prepares the process for all others.
    import nova.tests.unit  # noqa: F401, PLC0415

    if arguments[0] == '--bridge':
        arguments.pop(0)
        _put_in_place()
    result = _Result()
    unittest.defaultTestLoader.loadTestsFromNames(arguments).run(result)
    written.write_text(json.dumps(result.outcome))
    return 0


if __name__ == '__main__':
    # Threads that nova leaves behind would keep the process.
    os._exit(main(Path(sys.argv[1]), sys.argv[2:]))
