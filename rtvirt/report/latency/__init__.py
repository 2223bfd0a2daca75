# SPDX-License-Identifier: Apache-2.0
"""Reports of latency measurements: tables, charts, pages."""
