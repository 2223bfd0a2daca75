# SPDX-License-Identifier: Apache-2.0
"""Layer 4: run latency tools, here or in a guest, and watch the host."""
