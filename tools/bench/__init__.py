# SPDX-License-Identifier: Apache-2.0
"""Speed and packing of rtvirt beside nova's own code, in one process.

Run it with ``make bench`` or ``python -m tools.bench`` in an environment
that has nova.
"""
