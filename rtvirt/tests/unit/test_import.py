# SPDX-License-Identifier: Apache-2.0
"""What ``import rtvirt`` loads, and what using it loads."""

import json
import subprocess
import sys
from pathlib import Path

import rtvirt

ROOT = Path(rtvirt.__file__).parent.parent

NEW = """
import json, sys
before = set(sys.modules)
{code}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def loaded_by(code: str) -> set[str]:
    """Return the modules that a fresh interpreter loads to run ``code``."""
    done = subprocess.run(
        [sys.executable, '-c', NEW.format(code=code)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stdout))


def strangers(modules: set[str]) -> set[str]:
    """Return the packages that are neither ours nor Python's own."""
    tops = {module.partition('.')[0] for module in modules}
    return tops - {'rtvirt'} - sys.stdlib_module_names


def test_the_import_loads_nothing() -> None:
    loaded = loaded_by('import rtvirt')
    assert {name for name in loaded if name.startswith('rtvirt')} == {'rtvirt'}
    assert not strangers(loaded)
    # The slow ones among Python's own.
    assert not loaded & {'typing', 'dataclasses', 'enum', 're', 'inspect'}


def test_the_model_needs_the_standard_library_only() -> None:
    loaded = loaded_by('import rtvirt; rtvirt.HostTopology, rtvirt.Plan')
    assert not strangers(loaded)
    assert not loaded & {'hashlib', 'json', 'logging', 'socket', 'subprocess'}


ALL_BUT_LIFECYCLE = """\
import rtvirt
for name, home in rtvirt._HOMES.items():
    if not home.startswith(('rtvirt.conf.', 'rtvirt.lifecycle.')):
        getattr(rtvirt, name)
"""


def test_all_names_together_need_lxml_at_most() -> None:
    """But for those that are there to ask a libvirt."""
    loaded = loaded_by(ALL_BUT_LIFECYCLE)
    # What Cython made of lxml comes with modules of Cython's own.
    found = {name for name in strangers(loaded) if 'cython' not in name}
    assert found <= {'lxml'}
    assert 'subprocess' not in loaded
    assert 'socket' not in loaded


def test_the_test_loads_what_it_is_told() -> None:
    assert 'pytest' in strangers(loaded_by('import pytest'))
