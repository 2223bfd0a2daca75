# SPDX-License-Identifier: Apache-2.0
"""Layer 5: rtvirt inside nova; the only importer of nova."""
