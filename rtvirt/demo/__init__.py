# SPDX-License-Identifier: Apache-2.0
"""The demo: from a flavor to a running domain and its proof.

It starts a real QEMU in a private directory, without any daemon, and takes
away all that it made. What it finds out about the machine, the tests use
as well.
"""
