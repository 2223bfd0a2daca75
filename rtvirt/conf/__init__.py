# SPDX-License-Identifier: Apache-2.0
"""Layer 4: the options of a host, and how they are read from files."""
