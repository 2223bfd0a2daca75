# SPDX-License-Identifier: Apache-2.0
"""Domains from their creation to their end; libvirt is the only state."""
