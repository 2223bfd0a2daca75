# SPDX-License-Identifier: Apache-2.0
"""The page holds everything, escapes everything and stays small."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re

from lxml import html

from rtvirt.latency.evidence import Target
from rtvirt.latency.evidence import Where
from rtvirt.latency.histogram import Histogram
from rtvirt.latency.result import Unit
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.observed import ObservedDomain
from rtvirt.model.observed import ObservedMemory
from rtvirt.model.observed import ObservedThread
from rtvirt.model.observed import Scheduling
from rtvirt.model.observed import ThreadRole
from rtvirt.report.latency.page import MAX_SIZE
from rtvirt.report.latency.page import latency_page
from rtvirt.report.latency.summary import Run
from rtvirt.tests.unit.report.latency.runs import run_of
from rtvirt.tests.unit.report.latency.runs import sample_run
from rtvirt.tests.unit.report.latency.runs import thread

HOSTILE = '</style><script>alert(1)</script>" onload="alert(1)'


def parse(*runs: Run) -> html.HtmlElement:
    page = latency_page(runs)
    assert len(page.encode()) < MAX_SIZE
    return html.document_fromstring(page)


def headings(page: html.HtmlElement) -> list[str]:
    return [one.text_content() for one in page.iter('h1', 'h2')]


def cells(page: html.HtmlElement, caption: str) -> list[list[str]]:
    """Return the rows of a table; what is small below a cell is left out."""
    (table,) = page.xpath(f'//table[@aria-label="{caption}"]')
    return [
        [cell.text or '' for cell in row] for row in table.xpath('tbody/tr')
    ]


def test_the_verdict_comes_first() -> None:
    page = parse(sample_run())
    words = [one.text_content() for one in page.find_class('word')]
    assert words == ['✗ Fail', '✓ Pass']
    text = page.text_content()
    assert text.index('✗ Fail') < text.index('How late, and how often')
    assert 'FAIL' in (page.findtext('.//title') or '')
    assert headings(page) == [
        'Latency of plc-1',
        'How late, and how often',
        'Percentiles, in microseconds',
        'Spikes, and what the host did meanwhile',
        'Where the threads were',
        'Findings of the verification',
        'Findings on the host',
        'How it was measured',
    ]


def test_percentiles_have_what_supports_them() -> None:
    page = parse(sample_run())
    rows = cells(page, 'Percentiles by thread')
    assert rows[1] == [
        *('CPU 1', 'real-time', '400 000', '2', '6.11'),
        *('6', '8', '11', '15', '18', '21', '31', '0'),
    ]
    assert rows[2][-2:] == ['161', '3']
    notes = [one.text_content() for one in page.find_class('support')]
    assert '40 beyond' in notes
    assert 'P < 7.5e-06' in notes


def test_evidence_is_named_by_its_digest() -> None:
    run = sample_run()
    text = parse(run).text_content()
    assert run.evidence.digest in text
    assert 'evidence.json' in text


def test_each_thread_has_a_chart_with_all_of_its_samples() -> None:
    run = sample_run()
    charts = parse(run).find_class('chart')
    assert len(charts) == 3
    for chart, one in zip(charts, run.threads, strict=True):
        bins = (chart.get('data-bins') or '').split(';')
        counts = [int(part.rsplit(',', 1)[1]) for part in bins]
        assert sum(counts) == one.thread.cycles
        assert one.thread.name in (chart.findtext('.//title') or '')
    labels = [part.split(',')[2] for part in bins]
    assert labels[0] == '2 us'
    assert labels[-1] == '100 us or more'


def test_nanoseconds_are_shown_in_microseconds() -> None:
    histogram = Histogram.from_counts({4200: 10**6, 9100: 1})
    page = parse(run_of(thread(0, histogram), unit=Unit.NS))
    (row,) = cells(page, 'Percentiles by thread')
    assert row[5] == '4.2'
    assert row[-2:] == ['9.1', '0']


def test_threads_are_proved_one_by_one() -> None:
    plan = sample_run().evidence.plan
    assert plan
    observed = ObservedDomain(
        uuid='u',
        pid=10,
        threads=(
            ObservedThread(
                tid=11,
                name='CPU 2/KVM',
                role=ThreadRole.VCPU,
                number=2,
                scheduling=Scheduling(cpus=CPUSet([4])),
                last_cpu=4,
            ),
        ),
        memory=ObservedMemory(huge=(), locked_kib=0, resident_kib=0),
    )
    page = parse(sample_run(observed=observed))
    rows = {row[0]: row for row in cells(page, 'Planned and actual')}
    assert rows['vCPU 2'] == [
        *('vCPU 2', '11', 'pCPU 4, FIFO 1', 'pCPU 4, other', 'WRONG')
    ]
    assert rows['memory'][2] == '4 x 1024 MiB on node 1'


def test_nothing_breaks_out() -> None:
    target = Target(where=Where.FILE, name=HOSTILE, cpus=CPUSet())
    run = sample_run(target=target, load=(HOSTILE,), started=HOSTILE)
    run = dataclasses.replace(run, name=HOSTILE)
    page = parse(run)
    assert len(page.xpath('//script')) == 1
    assert len(page.xpath('//style')) == 1
    assert not page.xpath('//@onload')
    assert HOSTILE in page.text_content()


def test_the_policy_allows_the_page_alone() -> None:
    page = parse(sample_run())
    (meta,) = page.xpath('//meta[@http-equiv="Content-Security-Policy"]')
    policy = dict(
        part.strip().split(' ', 1) for part in meta.get('content').split(';')
    )
    assert policy['default-src'] == "'none'"
    for tag, name in (('style', 'style-src'), ('script', 'script-src')):
        (element,) = page.xpath(f'//{tag}')
        digest = hashlib.sha256((element.text or '').encode()).digest()
        wanted = base64.b64encode(digest).decode()
        assert policy[name] == f"'sha256-{wanted}'"
    assert not page.xpath('//@style')
    assert not page.xpath('//@src')
    assert not page.xpath('//link | //img | //iframe')
    text = html.tostring(page, encoding='unicode')
    assert set(re.findall(r'https?://[^"\' ]+', text)) <= {
        'http://www.w3.org/2000/svg'
    }


def test_ids_are_used_once() -> None:
    page = parse(sample_run(), sample_run())
    ids = page.xpath('//@id')
    assert len(ids) == len(set(ids)) > 0
    text = html.tostring(page, encoding='unicode')
    used = re.findall(r'url\(#([^)]+)\)', text)
    assert set(used) <= set(ids)


def test_many_threads_make_no_large_page() -> None:
    threads = 512
    histogram = Histogram.from_counts(
        {n: 10 ** (8 - n // 50) for n in range(2, 400)}, limit=400, overflow=2
    )
    page = parse(run_of(*(thread(n, histogram) for n in range(threads))))
    assert len(page.find_class('chart')) == 32
    assert f'The worst 32 of {threads} threads' in page.text_content()
    assert len(cells(page, 'Percentiles by thread')) == threads


def test_what_is_not_there_is_left_out() -> None:
    page = parse(run_of(thread(0, Histogram.from_counts({})), budget_us=None))
    assert headings(page) == [
        'Latency of made',
        'How late, and how often',
        'Percentiles, in microseconds',
        'How it was measured',
    ]
    assert 'No budget was given' in page.text_content()


def test_an_emulated_guest_and_an_early_end_are_told() -> None:
    target = dataclasses.replace(
        sample_run().evidence.target, is_emulated=True
    )
    page = parse(sample_run(target=target, is_complete=False))
    warnings = [one.text_content() for one in page.find_class('warning')]
    assert len(warnings) == 2
    assert 'emulated' in warnings[0]
