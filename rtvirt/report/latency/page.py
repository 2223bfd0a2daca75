# SPDX-License-Identifier: Apache-2.0
"""A report as one page that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Final

from lxml import etree

from rtvirt.report.latency import section
from rtvirt.report.latency.sheet import MAX_CHARTS
from rtvirt.report.latency.style import chart_style
from rtvirt.report.latency.style import read_static
from rtvirt.report.latency.summary import OUTCOMES
from rtvirt.report.latency.summary import Run
from rtvirt.report.latency.summary import say_count
from rtvirt.report.latency.summary import worst_of
from rtvirt.report.markup import html
from rtvirt.report.markup import to_page
from rtvirt.report.palette import Theme
from rtvirt.report.palette import style_of

MAX_SIZE: Final = 1_000_000
"""A page is smaller than so many bytes, whatever it tells of."""


def latency_page(runs: Sequence[Run]) -> str:
    """Return the page.

    It loads nothing: its style and its script are in it, and its policy
    allows no other. Where many threads would make it too large, fewer
    histograms are drawn, the worst threads first.
    """
    charts = MAX_CHARTS // max(1, len(runs)) or 1
    page = _draw(runs, charts, with_pictures=True)
    while len(page.encode()) >= MAX_SIZE and charts > 1:
        charts //= 2
        page = _draw(runs, charts, with_pictures=True)
    if len(page.encode()) >= MAX_SIZE:
        page = _draw(runs, charts, with_pictures=False)
    return page


def _draw(runs: Sequence[Run], charts: int, *, with_pictures: bool) -> str:
    style = read_static('page.css') + chart_style() + style_of(Theme.COLOUR)
    script = read_static('page.js')
    title = f'Latency: {", ".join(map(_name, runs))}'
    policy = (
        f"default-src 'none'; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'"
    )
    policy_meta = html('meta', content=policy)
    policy_meta.set('http-equiv', 'Content-Security-Policy')
    head = html(
        'head',
        html('meta', charset='utf-8'),
        policy_meta,
        html(
            'meta',
            name='viewport',
            content='width=device-width, initial-scale=1',
        ),
        html('title', f'{title} ({OUTCOMES[worst_of(runs)]})'),
        html('style', style),
    )
    main = html('main')
    for number, run in enumerate(runs):
        main.append(
            html(
                'section',
                *_draw_run(run, charts, f'r{number}-', with_pictures),
                class_='run',
            )
        )
    body = html('body', main, html('script', script))
    return to_page(html('html', head, body, lang='en'))


def _draw_run(
    run: Run, charts: int, prefix: str, with_pictures: bool
) -> Iterator[etree._Element]:
    result = run.evidence.result
    yield html('h1', f'Latency of {_name(run)}')
    facts = [
        f'{result.tool} {result.version}'.rstrip(),
        f'{len(run.threads)} threads',
        f'{say_count(result.cycles)} samples',
    ]
    if started := run.evidence.started or result.started:
        facts.append(started)
    yield html('p', ', '.join(facts), class_='muted')
    yield from section.draw_verdicts(run)
    yield from section.draw_charts(run, charts, prefix)
    yield from section.draw_percentiles(run)
    yield from section.draw_spikes(run)
    if with_pictures:
        yield from section.draw_place(run, f'{prefix}t-')
    yield from section.draw_verification(run)
    yield from section.draw_checks(run)
    yield from section.draw_setup(run)
    yield html(
        'p',
        'Evidence ',
        html('code', run.name),
        ', SHA-256 of its content ',
        html('code', run.digest),
        class_='digest',
    )


def _name(run: Run) -> str:
    return run.evidence.target.name or run.name


def _hash(text: str) -> str:
    """Return what the policy calls an inline style or script."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
