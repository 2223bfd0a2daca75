# SPDX-License-Identifier: Apache-2.0
"""Layer 4: everything that reads the machine, its processes or libvirt."""
