# SPDX-License-Identifier: Apache-2.0
"""The exact fit of a guest on a host. Pure; see :mod:`rtvirt.fit.engine`."""
