# SPDX-License-Identifier: Apache-2.0
"""Layer 3: is this host fit for real time? Pure functions over facts.

Each module has checks that belong together: rows of one table, each with
the function that decides it. Their codes go by the letters of groups::

    A  virtualization base       F  memory
    B  kernel                    G  kvm modules
    C  isolation and topology    H  services and policy
    D  interrupts and network    N  needs of one guest
    E  power and firmware        V  inside a guest
    X  combinations of settings
"""
