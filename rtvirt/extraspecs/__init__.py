# SPDX-License-Identifier: Apache-2.0
"""Extra specs and image properties: the catalogue and the parser."""
