#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Make the machine ready: the Debian packages of bindep.txt, then what is
# asked for. Does nothing, quickly, where all is there already.
#
#   tools/setup.sh package    in .venv: rtvirt itself, editable, to run it all
#   tools/setup.sh tools      in .venv: what the checks need besides
#   tools/setup.sh nova       in .venv-nova: rtvirt beside nova
#   tools/setup.sh release    in .venv-release: what builds and checks a release
#   tools/setup.sh cloud      in .venv-cloud: an OpenStack, and rtvirt in it

set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# wanted_packages PROFILE...
# Lines without a profile are for everybody, as bindep has it.
wanted_packages() {
    awk -v profiles="$*" '
        BEGIN { split(profiles, given); for (i in given) asked[given[i]] }
        /^#/ || !/platform:dpkg/ { next }
        {
            package = $1
            gsub(/^[^[]*\[|\].*$|platform:dpkg/, "")
            if (NF == 0 || $1 in asked) print package
        }' "$top/bindep.txt" | sort
}

# shellcheck disable=SC2016  # the fields are for dpkg-query to fill in
installed_packages() {
    wanted_packages "$@" |
        xargs dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
        awk '$1 == "installed" { print $2 }' | sort -u
}

# Nobody is there to answer a question; missing or stale lists are renewed.
apt_install() {
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -q
        -o Dpkg::Use-Pty=0)
    [ "$(id -u)" -eq 0 ] || apt=(sudo -n "${apt[@]}")
    "${apt[@]}" install --no-install-recommends "$@" && return
    "${apt[@]}" update || say 'some package lists could not be renewed'
    "${apt[@]}" install --no-install-recommends "$@"
}

install_packages() {
    local missing
    if ! command -v dpkg-query >/dev/null; then
        say 'not a Debian system: see bindep.txt for what is needed'
        return
    fi
    mapfile -t missing < <(
        comm -23 <(wanted_packages "$@") <(installed_packages "$@")
    )
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
        say 'Debian packages are missing; run this, then try again:'
        printf 'sudo apt-get install --no-install-recommends %s\n' \
            "${missing[*]}" >&2
        exit 1
    fi
    say "installing the Debian packages ${missing[*]}"
    mkdir -p build
    if ! apt_install "${missing[@]}" </dev/null >build/apt.log 2>&1; then
        tail -n 20 build/apt.log >&2
        say 'apt-get failed; build/apt.log has all that it said'
        exit 1
    fi
}

# A kernel for guests lies below build/: installed, it would become this
# machine's own.
unpack_kernel() {
    local name
    command -v dpkg-deb >/dev/null || return 0
    ! compgen -G 'build/kernel/boot/vmlinuz-*' >/dev/null || return 0
    say 'unpacking a kernel for guests'
    rm -rf build/kernel
    mkdir -p build/kernel
    if ! find_kernel >/dev/null && [ "$(id -u)" -eq 0 ]; then
        apt-get -q update >>build/apt.log 2>&1 || true
    fi
    if ! name=$(find_kernel) || ! (
        cd build/kernel
        apt-get -q download "$name"
        dpkg-deb -x "$name"_*.deb .
        rm "$name"_*.deb
    ) >>build/apt.log 2>&1; then
        say 'there is none: tests that boot a guest cannot run'
    fi
}

# The package that the newest cloud kernel really is in.
find_kernel() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null |
        awk '/Depends: linux-image-/ { print $2; found = 1; exit }
             END { exit !found }'
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

# make_venv DIRECTORY
# Programs in an environment name it by its path: a moved one is made anew.
make_venv() {
    local python
    grep -qsF "$top/$1/" "$1/bin/pip" &&
        "$1/bin/python" -c 'import pip' 2>/dev/null && return
    python=$(find_python)
    say "making ${1##*/} with $python"
    "$python" -m venv --clear "$1"
}

# install_once DIRECTORY NAME PIP-ARGUMENT...
# A stamp holds what was installed and from what, so changed requirements or
# another libvirt are noticed.
install_once() {
    local venv=$1 name=$2 state
    local stamp=$venv/.$name
    shift 2
    state=$(
        printf '%s\n' "$@"
        "$venv/bin/python" -V
        cat setup.cfg setup.py requirements.txt test-requirements.txt \
            doc/requirements.txt rtvirt/tests/nova/requirements.txt \
            tools/release-requirements.txt tools/cloud/requirements.txt
        pkg-config --modversion libvirt 2>/dev/null || true
    )
    state=$(sha256sum <<<"$state")
    [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || return 0
    say "installing $name into ${venv##*/}"
    "$venv/bin/python" -m pip install --quiet "$@" </dev/null >&2
    printf '%s\n' "$state" >"$stamp"
}

cd "$top"
install_packages "$@"
for what in "$@"; do
    case $what in
        package)
            make_venv .venv
            install_once .venv package --editable '.[libvirt,watch]'
            ;;
        tools)
            make_venv .venv
            unpack_kernel
            install_once .venv tools \
                -r test-requirements.txt -r doc/requirements.txt
            ;;
        nova)
            make_venv .venv-nova
            install_once .venv-nova nova \
                --editable . -r rtvirt/tests/nova/requirements.txt
            ;;
        release)
            make_venv .venv-release
            install_once .venv-release release \
                -r tools/release-requirements.txt
            ;;
        cloud)
            make_venv .venv-cloud
            install_once .venv-cloud cloud \
                --editable '.[libvirt]' -r tools/cloud/requirements.txt
            ;;
        *)
            say "unknown: $what"
            exit 2
            ;;
    esac
done
