# SPDX-License-Identifier: Apache-2.0
"""Layer 3: what was planned against what the kernel shows. Pure."""
