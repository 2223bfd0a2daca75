# SPDX-License-Identifier: Apache-2.0
"""Metadata, extras and entry points live in setup.cfg."""

import setuptools

setuptools.setup(setup_requires=['pbr>=6.1.1'], pbr=True)
