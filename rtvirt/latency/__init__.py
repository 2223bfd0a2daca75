# SPDX-License-Identifier: Apache-2.0
"""Layer 2: what latency tools measured, and what may be said of it. Pure.

The way of a measurement::

    text of a tool -> parser -> LatencyResult -> statistics, verdict
    LatencyResult, facts, plan, findings, samples of the host -> Evidence
"""
