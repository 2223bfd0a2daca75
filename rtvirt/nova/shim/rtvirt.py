# SPDX-License-Identifier: Apache-2.0
"""Known to nova as ``nova.virt.rtvirt``: ``compute_driver`` names a class."""

from rtvirt.nova.driver import RTLibvirtDriver

__all__ = ['RTLibvirtDriver']
