# SPDX-License-Identifier: Apache-2.0
"""Layer 3: what was planned against what the kernel shows. Pure.

Each module has verifiers that belong together. Their codes go by letters::

    RV-T  threads: there, and where they are to run
    RV-S  schedulers
    RV-M  memory
    RV-X  strangers
    RV-C  caches and memory bandwidth
    RV-L  the document of the next start
    RV-P  the plan against the document
"""
