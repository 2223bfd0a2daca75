# SPDX-License-Identifier: Apache-2.0
"""``python -m rtvirt.demo FLAVOR``."""

import sys

from rtvirt.demo.app import main

sys.exit(main())
