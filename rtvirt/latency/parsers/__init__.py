# SPDX-License-Identifier: Apache-2.0
"""What latency tools print: one module per tool, found as plug-ins."""
