# SPDX-License-Identifier: Apache-2.0
"""Layer 3: what is wrong with a domain document. Pure functions.

libvirt accepts much that cannot work or starves the guest, and what it
refuses it seldom explains. Each module has rules that belong together. Their
codes go by letters::

    RL-T  threads: pins            RL-C  CPU, features and clock
    RL-S  schedulers               RL-D  devices and I/O threads
    RL-M  memory                   RL-H  what needs to know the host
    RL-P  two domains together
"""
