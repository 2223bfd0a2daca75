# SPDX-License-Identifier: Apache-2.0
"""Layer 4: pictures and pages, drawn from values; they read nothing."""
