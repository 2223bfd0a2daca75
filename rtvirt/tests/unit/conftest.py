# SPDX-License-Identifier: Apache-2.0
"""How hypothesis runs: briefly here, the same way each time in CI.

``--hypothesis-profile=extended`` takes its time.
"""

import hypothesis

from rtvirt.tests.require import is_ci

hypothesis.settings.register_profile(
    'brief', max_examples=25, deadline=None, derandomize=is_ci()
)
hypothesis.settings.register_profile(
    'extended', max_examples=5000, deadline=None
)
hypothesis.settings.load_profile('brief')
