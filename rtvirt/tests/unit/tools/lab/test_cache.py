# SPDX-License-Identifier: Apache-2.0
"""What takes long is built once, and is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lab.cache import CACHE
from tools.lab.cache import cached
from tools.lab.cache import digest
from tools.lab.cache import is_cached


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CACHE, str(tmp_path / 'cache'))
    return tmp_path / 'cache'


def test_it_is_built_once(cache: Path) -> None:
    built = []

    def build(made: Path, scratch: Path) -> None:
        (scratch / 'half').write_text('of it')
        (made / 'result').write_text('all of it')
        built.append(made)

    assert not is_cached('name')
    assert cached('name', build) == cached('name', build) == cache / 'name'
    assert [path.name for path in (cache / 'name').iterdir()] == ['result']
    assert is_cached('name')
    assert len(built) == 1


def test_nothing_is_left_of_what_fails(cache: Path) -> None:
    def build(made: Path, _scratch: Path) -> None:
        (made / 'half').write_text('of it')
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached('name', build)
    assert [path.name for path in cache.iterdir()] == ['name.lock']


def test_a_name_is_for_the_files_it_is_made_of(tmp_path: Path) -> None:
    recipe, script = tmp_path / 'recipe', tmp_path / 'script'
    recipe.write_text('one')
    script.write_text('two')
    before = digest([recipe, script])
    assert digest([recipe, script]) == before

    script.write_text('three')
    assert digest([recipe, script]) != before
