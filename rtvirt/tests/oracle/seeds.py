# SPDX-License-Identifier: Apache-2.0
"""How many random cases a test tries.

``RTVIRT_FUZZ`` is ``extended`` or a factor; ``RTVIRT_SEED`` is the first
seed, else 0 in a brief run and another one each time in a longer one.
"""

from __future__ import annotations

import os
import random


def factor(extended: int) -> int:
    """Return how many times the brief number of cases is to be tried.

    :param extended: the factor that ``extended`` stands for.
    """
    word = os.environ.get('RTVIRT_FUZZ', '') or '1'
    return extended if word == 'extended' else int(word)


def seeds(brief: int, extended: int) -> range:
    """Return the seeds to try, and print them.

    :param brief: how many in a brief run.
    :param extended: how many in an extended run.
    """
    times = factor(-(-extended // brief))
    first = 0 if times == 1 else random.SystemRandom().randrange(1 << 32)
    first = int(os.environ.get('RTVIRT_SEED', first))
    found = range(first, first + brief * times)
    print(f'RTVIRT_SEED={found.start}: {len(found)} seeds')
    return found
