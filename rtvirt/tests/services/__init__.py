# SPDX-License-Identifier: Apache-2.0
"""All of nova in one process, on a real libvirtd with real guests."""
