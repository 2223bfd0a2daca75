# SPDX-License-Identifier: Apache-2.0
"""Real libvirt and real QEMU on this machine; most of it as root."""
