#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Test rtvirt in another release of nova than the one that is installed. The
# release lies in a directory of its own, and is found first.
#
#   tools/nova_release.sh BIN RELEASE PYTEST-ARGUMENT...
#
# BIN is the directory of programs of an environment that has nova, for all
# that nova needs besides.

set -euo pipefail

bin=$(cd "$1" && pwd)
release=$2
shift 2
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

where=$bin/../share/nova-$release
if [ ! -d "$where" ]; then
    rm -rf "$where.new"
    # Releases before 34 know no newer SQLAlchemy.
    "$bin/python" -m pip install --quiet --no-deps --target "$where.new" \
        "nova==$release" 'SQLAlchemy<2.1' </dev/null >&2
    mv "$where.new" "$where"
fi
PYTHONPATH=$where${PYTHONPATH:+:$PYTHONPATH} exec "$bin/pytest" "$@"
