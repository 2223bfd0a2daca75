# SPDX-License-Identifier: Apache-2.0
"""libvirt's domain XML, typed where rtvirt has a word in it.

No policy: what is valid XML of libvirt is read, what a frozen element says
is written, and everything else in a document stays byte for byte.
"""
