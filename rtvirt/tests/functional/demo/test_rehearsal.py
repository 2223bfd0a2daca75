# SPDX-License-Identifier: Apache-2.0
"""Without root the demo has libvirt's test driver take the XML."""

import contextlib
import importlib.util
import os
import pathlib
import signal
from collections.abc import Iterator

import pytest

from rtvirt.demo import app
from rtvirt.demo import ground
from rtvirt.demo import story
from rtvirt.demo.interrupt import SIGNALS
from rtvirt.exception import HostError
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.domain import parse_domain
from rtvirt.tests.require import require

FLAVORS = pathlib.Path(__file__).parents[4] / 'etc' / 'rtvirt' / 'flavors'


def no_pages(
    node: int, size_kib: int, count: int
) -> contextlib.AbstractContextManager[int]:
    raise HostError('no pages for who is not root')


@pytest.fixture
def somebody(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo is run by somebody who is not root."""
    require(
        importlib.util.find_spec('libvirt') is not None,
        'needs libvirt-python: pip install libvirt-python',
    )
    require(len(os.sched_getaffinity(0)) >= 2, 'needs two CPUs')
    monkeypatch.setattr(os, 'geteuid', lambda: 1000)
    monkeypatch.setattr(ground, 'reserved_pages', no_pages)
    handlers = {n: signal.getsignal(n) for n in SIGNALS}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures('somebody')
def test_who_is_not_root_sees_all_but_the_proof(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = app.main([str(FLAVORS / 'rt1.tiny.yaml')])

    output, errors = capsys.readouterr()
    assert errors == ''
    assert code == 0
    assert 'hw:mem_page_size: small' in output
    assert "<vcpusched vcpus='1' scheduler='fifo' priority='1'/>" in output
    assert '<hugepages>' not in output
    assert 'test:///default has taken the XML' in output
    assert 'so nothing is proved' in output.replace('\n    ', ' ')


@pytest.mark.usefixtures('somebody')
def test_a_driver_that_changes_the_tuning_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forget_schedulers(text: str) -> Domain:
        if "type='test'" in text:
            start = text.index('<vcpusched')
            end = text.index('>', start) + 1
            text = text[:start] + text[end:]
        return parse_domain(text)

    monkeypatch.setattr(story, 'parse_domain', forget_schedulers)

    assert app.main([str(FLAVORS / 'rt1.tiny.yaml')]) == 3
    assert 'has changed the tuning' in capsys.readouterr().out
