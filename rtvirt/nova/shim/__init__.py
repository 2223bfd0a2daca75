# SPDX-License-Identifier: Apache-2.0
"""What becomes visible as ``nova.virt.*``.

nova imports compute drivers below ``nova.virt`` only. The directory of this
package is appended to that package's path by :mod:`rtvirt.nova.plugin`;
nothing is ever written into nova.
"""
