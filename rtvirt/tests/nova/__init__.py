# SPDX-License-Identifier: Apache-2.0
"""rtvirt held against the nova that it stands beside."""
