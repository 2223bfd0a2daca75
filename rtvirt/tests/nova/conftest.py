# SPDX-License-Identifier: Apache-2.0
"""Loads nova before any test does, and how hypothesis runs beside it."""

import importlib.util
import logging
import warnings

import hypothesis

from rtvirt.tests.require import is_ci
from rtvirt.tests.require import require

hypothesis.settings.register_profile(
    'beside-nova', max_examples=100, deadline=None, derandomize=is_ci()
)
hypothesis.settings.load_profile('beside-nova')


def pytest_configure() -> None:
    """Import nova once, while what it says of eventlet is no error."""
    if importlib.util.find_spec('nova') is None:
        return
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        import rtvirt.tests.nova.oracle  # noqa: F401, PLC0415
    # Formatting what it did takes nova longer than doing it.
    logging.disable(logging.CRITICAL)


def pytest_collection() -> None:
    """Refuse to pass without nova."""
    require(
        importlib.util.find_spec('nova') is not None,
        'nova 34 is not installed: pip install nova==34.0.0',
    )
