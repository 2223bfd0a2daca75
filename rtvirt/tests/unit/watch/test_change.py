# SPDX-License-Identifier: Apache-2.0
"""A change is told once, whatever happens in between."""

from __future__ import annotations

import datetime

from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.watch.change import Change
from rtvirt.watch.change import ChangeKind
from rtvirt.watch.change import Ledger
from rtvirt.watch.change import Seen

START = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


def finding(
    code: str, subject: str = 'vCPU 1', *, is_undecided: bool = False
) -> Finding:
    return Finding(
        code=code,
        severity=Severity.ERROR,
        subject=subject,
        expected='pCPU 3',
        actual='pCPU 2',
        hint='taskset -pc 3 73',
        is_undecided=is_undecided,
    )


def seen(*findings: Finding, name: str = 'rt') -> Seen:
    return Seen(uuid=name, name=name, findings=findings, switches={})


def look(ledger: Ledger, second: int, *domains: Seen) -> list[Change]:
    at = START + datetime.timedelta(seconds=second)
    return [*ledger.update(domains, at)]


def test_a_drift_is_told_once_and_once_that_it_is_over() -> None:
    ledger = Ledger()
    (watched,) = look(ledger, 0, seen())
    assert str(watched) == '2026-01-02T03:04:05+00:00 rt: watched'
    assert look(ledger, 30, seen()) == []
    (drift,) = look(ledger, 60, seen(finding('RV-T03')))
    assert str(drift) == (
        '2026-01-02T03:05:05+00:00 rt: drift: RV-T03 vCPU 1: expected '
        'pCPU 3; is pCPU 2; mend: taskset -pc 3 73'
    )
    assert look(ledger, 90, seen(finding('RV-T03'))) == []
    (back,) = look(ledger, 122, seen())
    assert str(back) == (
        '2026-01-02T03:06:07+00:00 rt: back: RV-T03 vCPU 1, after 62 s '
        '(since 2026-01-02T03:05:05+00:00)'
    )
    assert look(ledger, 150, seen()) == []


def test_what_cannot_be_told_is_no_drift() -> None:
    ledger = Ledger()
    hidden = finding('RV-M01', is_undecided=True)
    kinds = [change.kind for change in look(ledger, 0, seen(hidden))]
    assert kinds == [ChangeKind.WATCHED, ChangeKind.UNKNOWN]
    kinds = [c.kind for c in look(ledger, 1, seen(finding('RV-M01')))]
    assert kinds == [ChangeKind.BACK, ChangeKind.DRIFT]


def test_threads_of_one_name_are_one_drift() -> None:
    ledger = Ledger()
    twice = seen(finding('RV-T05', 'emulator'), finding('RV-T05', 'emulator'))
    assert len(look(ledger, 0, twice)) == 2
    assert look(ledger, 1, seen(finding('RV-T05', 'emulator'))) == []


def test_a_domain_that_ends_takes_its_drifts_along() -> None:
    ledger = Ledger()
    look(ledger, 0, seen(finding('RV-T03')), seen(name='other'))
    (gone,) = look(ledger, 1, seen(name='other'))
    assert (gone.kind, gone.name) == (ChangeKind.GONE, 'rt')
    changes = look(ledger, 2, seen(finding('RV-T03')), seen(name='other'))
    kinds = [change.kind for change in changes]
    assert kinds == [ChangeKind.WATCHED, ChangeKind.DRIFT]


LOOKS = st.lists(
    st.dictionaries(
        st.sampled_from('ab'),
        st.frozensets(st.sampled_from(['RV-T03', 'RV-S01', 'RV-M01'])),
    ),
    max_size=8,
)


@settings(max_examples=60)
@given(looks=LOOKS)
def test_the_changes_add_up_to_what_was_seen(
    looks: list[dict[str, frozenset[str]]],
) -> None:
    """Whoever reads the lines alone knows what is open at any time."""
    ledger = Ledger()
    known: dict[str, set[str]] = {}
    for second, domains in enumerate(looks):
        shown = [
            seen(*map(finding, sorted(codes)), name=name)
            for name, codes in domains.items()
        ]
        for change in look(ledger, second, *shown):
            if change.kind is ChangeKind.WATCHED:
                assert change.name not in known
                known[change.name] = set()
            elif change.kind is ChangeKind.GONE:
                del known[change.name]
            else:
                assert change.finding is not None
                code = change.finding.code
                is_drift = change.kind is ChangeKind.DRIFT
                assert (code in known[change.name]) is not is_drift
                known[change.name] ^= {code}
        assert known == {name: {*codes} for name, codes in domains.items()}
