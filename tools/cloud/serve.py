# SPDX-License-Identifier: Apache-2.0
"""Serves a WSGI application on loopback.

Usage: python -m tools.cloud.serve MODULE PORT
"""

from __future__ import annotations

import importlib
import sys

import waitress

from tools.cloud.port import HOST


def main() -> None:
    """Serve until the process is ended."""
    module, port = sys.argv[1:]
    # oslo.config of the services reads the command line as its own.
    sys.argv = [module]
    application = importlib.import_module(module).application
    waitress.serve(
        application, host=HOST, port=int(port), threads=8, ident=None
    )


if __name__ == '__main__':
    main()
