# SPDX-License-Identifier: Apache-2.0
"""Read what a latency tool printed, with the parsers that are installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rtvirt import plugins
from rtvirt.latency.parsers.base import parse_text

if TYPE_CHECKING:
    from rtvirt.latency.result import LatencyResult


def parse_latency(text: str, *, command: str = '') -> LatencyResult:
    """Return what a latency tool measured.

    Its format is recognized from the text: cyclictest (histogram, status
    lines, JSON), oslat (text, JSON), ``rtla timerlat hist``, ``rtla osnoise
    hist``, hwlatdetect, and what plug-ins add.

    :param text: all that the tool wrote.
    :param command: its command line, which tells what some formats do not:
        whether it counted in nanoseconds, and on which CPUs.
    :raises LatencyFormatError: naming the line that is wrong.
    :raises PluginError: if a parser is broken.
    """
    return parse_text(text, plugins.latency_parsers(), command)
