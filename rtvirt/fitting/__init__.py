# SPDX-License-Identifier: Apache-2.0
"""The exact fit of a guest on a host; see :mod:`rtvirt.fitting.engine`.

Not called ``fit``, as its function is: an import of one of its modules would
put the package in the place of ``rtvirt.fit``.
"""
