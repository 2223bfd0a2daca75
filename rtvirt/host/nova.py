# SPDX-License-Identifier: Apache-2.0
"""Ask the nova that is installed what it can import; nova is not imported.

nova-compute may have an interpreter and an environment of its own. Its
program names the interpreter, and that one is asked, in a process that ends.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.facts.nova import InstalledNova

_PROGRAM: Final = 'nova-compute'
_ELSEWHERE: Final = (
    '/var/lib/kolla/venv/bin',
    '/opt/stack/data/venv/bin',
)
_TIMEOUT_S: Final = 60
_SHEBANG: Final = re.compile(rb'#!\s*(/[^\s\0]{1,1024})')

# As nova-compute does it: os-vif's plug-ins first, then the driver.
_QUESTION: Final = """\
import importlib, importlib.metadata, json, logging, os, sys, warnings
warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)
os.environ.setdefault('OS_NOVA_DISABLE_EVENTLET_PATCHING', 'yes')
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ''
answer = {'version': version('nova'), 'rtvirt': version('rtvirt'), 'fault': ''}
try:
    import nova.conf
    nova.conf.CONF([], project='nova', default_config_files=[])
    import os_vif
    os_vif.initialize()
    importlib.import_module('nova.virt.rtvirt').RTLibvirtDriver
except Exception as error:
    answer['fault'] = f'{type(error).__name__}: {error}'[:300]
sys.stdout.write('\\n' + json.dumps(answer))
"""


def with_installed(facts: HostFacts) -> HostFacts:
    """Return the facts of this host with what its nova says of itself."""
    return dataclasses.replace(
        facts,
        nova=dataclasses.replace(
            facts.nova,
            installed=ask_nova(),
            rtvirt=importlib.metadata.version('rtvirt'),
        ),
    )


def ask_nova(program: str | None = None) -> InstalledNova | Missing:
    """Ask the interpreter of nova-compute; absent where there is none.

    :param program: the path of nova-compute; the one on PATH, or where
        deployments are known to have it, where None.
    """
    path = program or _find()
    if path is None:
        return Missing(missing=Why.ABSENT, path=_PROGRAM)
    try:
        with Path(path).open('rb') as script:
            match = _SHEBANG.match(script.readline(2048))
        if match is None:
            return _no_answer(Why.MALFORMED, path, 'names no interpreter')
        python = match[1].decode()
        done = subprocess.run(  # noqa: S603 - a program of this host's own
            [python, '-c', _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
            cwd='/',
        )
        answer = json.loads(done.stdout.strip().rpartition(b'\n')[2])
        return InstalledNova(python=python, **answer)
    except (OSError, subprocess.SubprocessError) as error:
        return _no_answer(Why.UNREADABLE, path, str(error))
    except (TypeError, ValueError):
        return _no_answer(Why.MALFORMED, path, 'did not answer')


def _find() -> str | None:
    return shutil.which(_PROGRAM) or next(
        (
            path
            for directory in _ELSEWHERE
            if (path := shutil.which(_PROGRAM, path=directory))
        ),
        None,
    )


def _no_answer(why: Why, path: str, detail: str) -> Missing:
    return Missing(missing=why, path=path, detail=detail[:200])
