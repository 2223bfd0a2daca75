#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Make the machine ready: the Debian packages of bindep.txt, then .venv with
# what is asked for. Does nothing, quickly, where all is there already.
#
#   tools/setup.sh package    rtvirt itself, editable, with libvirt
#   tools/setup.sh tox        tox, which makes its own environments

set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
venv=$top/.venv
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

wanted_packages() {
    awk '$1 !~ /^#/ && /platform:dpkg/ { print $1 }' "$top/bindep.txt" | sort
}

# shellcheck disable=SC2016  # the fields are for dpkg-query to fill in
installed_packages() {
    wanted_packages |
        xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
        awk '$1 == "installed" { print $2 }' | sort -u
}

# Nobody is there to answer a question; a missing or stale list is renewed.
apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
        -o Dpkg::Use-Pty=0)
    [ "$(id -u)" -eq 0 ] || apt=(sudo -n "${apt[@]}")
    "${apt[@]}" install --no-install-recommends "$@" && return
    say 'renewing the package lists'
    "${apt[@]}" update || say 'some lists could not be renewed'
    "${apt[@]}" install --no-install-recommends "$@"
}

install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say 'not a Debian system: see bindep.txt for what is needed'
        return
    fi
    mapfile -t missing < <(
        comm -23 <(wanted_packages) <(installed_packages)
    )
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        say 'Debian packages are missing; run this, then try again:'
        printf 'sudo apt-get install --no-install-recommends %s\n' \
            "${missing[*]}" >&2
        exit 1
    fi
    say "installing ${missing[*]}"
    apt_install "${missing[@]}" </dev/null >&2
}

# The first on PATH that is new enough, can make an environment and has the
# headers that libvirt-python is compiled with; else Debian's own.
find_python() {
    local name
    for name in python3 python3.11 python3.12 python3.13 /usr/bin/python3; do
        if "$name" - <<'PYTHON' 2>/dev/null; then
import ensurepip
import os
import sys
import sysconfig
import venv

headers = os.path.join(sysconfig.get_path('include'), 'Python.h')
sys.exit(sys.version_info < (3, 11) or not os.path.exists(headers))
PYTHON
            command -v "$name"
            return
        fi
    done
    say 'no Python >= 3.11 with venv and headers was found'
    exit 1
}

make_venv() {
    local python
    "$venv/bin/python" -c 'import pip' 2>/dev/null && return
    python=$(find_python)
    say "making .venv with $python"
    "$python" -m venv --clear "$venv"
}

# install_once STAMP PIP-ARGUMENT...
# The stamp holds what was installed and from what, so a changed setup.cfg, a
# moved checkout or another libvirt is noticed.
install_once() {
    local stamp=$venv/.$1 state
    shift
    state=$(
        printf '%s\n' "$top" "$@"
        "$venv/bin/python" -V
        cat "$top/setup.cfg" "$top/setup.py" "$top/requirements.txt"
        pkg-config --modversion libvirt 2>/dev/null || true
    )
    state=$(sha256sum <<<"$state")
    [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || return 0
    say "installing $* into .venv"
    "$venv/bin/python" -m pip install --quiet "$@" </dev/null >&2
    printf '%s\n' "$state" >"$stamp"
}

case ${1:-} in
    package) what=(--editable "${top}[libvirt]") ;;
    tox) what=('tox>=4.11') ;;
    *)
        say 'expected "package" or "tox"'
        exit 2
        ;;
esac
install_packages
make_venv
install_once "$1" "${what[@]}"
