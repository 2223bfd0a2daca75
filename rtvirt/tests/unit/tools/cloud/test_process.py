# SPDX-License-Identifier: Apache-2.0
"""Whatever is started, and whatever that starts, is gone in the end.

In a process of its own: it becomes the parent of what others left.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.cloud.error import CloudError
from tools.cloud.network import answer
from tools.cloud.process import Processes

_DAEMON = """
import os, pathlib, sys, time
from tools.cloud import process
from tools.cloud.process import Processes, descendants

process._GRACE_S = 0.3
left = 'import os, time; os.fork() or (os.setsid(), time.sleep(60))'
stubborn = "trap '' TERM; touch trapped; while :; do sleep 1; done"
log = pathlib.Path(sys.argv[1])
with Processes(log, {**os.environ}) as processes:
    processes.start('daemon', [sys.executable, '-c', left])
    os.chdir(log)
    processes.start('stubborn', ['sh', '-c', stubborn])
    while not (log / 'trapped').exists() or len(descendants(os.getpid())) < 3:
        processes.pause()
print(sorted(descendants(os.getpid())))
"""


def test_daemons_and_the_stubborn_end(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, '-c', _DAEMON, tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout == '[]\n'


def test_what_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    processes = Processes(tmp_path, {})
    chain = [('bad', ['/bin/sh', '-c', 'echo no database; exit 5'])]

    with pytest.raises(CloudError) as caught:
        processes.run(chain)

    assert 'ended with 5\nno database' in str(caught.value)
    assert str(tmp_path) in caught.value.hint


def test_a_service_that_ends_is_not_waited_for(tmp_path: Path) -> None:
    processes = Processes(tmp_path, {})
    processes.start('brief', ['/bin/sh', '-c', 'echo full; exit 1'])

    with pytest.raises(CloudError, match='brief ended with 1\nfull'):
        processes.wait('brief', lambda: False)


@pytest.mark.parametrize(
    ('path', 'found'),
    [
        ('/v2.0/ports', {'ports': []}),
        ('/v2.0/security-groups.json', {'security_groups': []}),
        ('/v2.0/', {'resources': []}),
    ],
)
def test_there_is_no_network(path: str, found: dict[str, list[str]]) -> None:
    assert answer(path, 'http://here') == found
