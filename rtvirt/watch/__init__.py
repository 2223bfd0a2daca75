# SPDX-License-Identifier: Apache-2.0
"""Layer 4: verify running domains again and again, and tell what changed."""
