# SPDX-License-Identifier: Apache-2.0
"""The words that options choose among, and what they mean."""

from __future__ import annotations

from typing import Final

from rtvirt.fitting.terms import SMTIsolate

STRATEGIES: Final = {
    'best-fit': 'the host cell with the least left first, so that room for '
    'large guests stays in one piece',
    'spread': 'the emptiest host cell first, as nova does',
    'pack': 'the fullest host cell first',
}
SMT_ISOLATE: Final = {
    str(SMTIsolate.CORES): 'whole cores, their siblings kept idle',
    str(SMTIsolate.REFUSE): 'refuse where dedicated and shared pCPUs are '
    'set apart, as nova does',
}
