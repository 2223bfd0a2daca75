# SPDX-License-Identifier: Apache-2.0
"""``python3 -m rtvirt`` is ``rtvirt``."""

import sys

from rtvirt.cli.app import main

sys.exit(main())
