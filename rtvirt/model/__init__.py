# SPDX-License-Identifier: Apache-2.0
"""Layer 1: frozen values. They need the standard library only."""
