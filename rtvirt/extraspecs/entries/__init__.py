# SPDX-License-Identifier: Apache-2.0
"""The rows of the catalogue, by concern. Plain data."""
