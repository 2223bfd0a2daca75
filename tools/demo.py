# SPDX-License-Identifier: Apache-2.0
"""`make demo`: the demo of the package with the sample for small machines."""

import pathlib
import sys

from rtvirt.demo.app import main

TOP = pathlib.Path(__file__).resolve().parent.parent

if __name__ == '__main__':
    flavor = TOP / 'etc' / 'rtvirt' / 'flavors' / 'rt1.tiny.yaml'
    sys.exit(main([str(flavor), *sys.argv[1:]]))
