# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtvirt.host.facts.config import parse_ini
from rtvirt.host.facts.config import parse_libvirt_conf


def test_an_ini_file() -> None:
    text = (
        'before = 1\n'
        '# comment\n; comment\n'
        '[DEFAULT]\nmany = a\nmany = b\nempty =\nno value\n'
        '[compute] \n cpu_shared_set=0-1\n'
        'long = first\n   second\n\tthird\n\n  lonely\n'
        'x = [y]\n'
    )
    assert list(parse_ini(text)) == [
        ('', 'before', '1'),
        ('DEFAULT', 'many', 'a'),
        ('DEFAULT', 'many', 'b'),
        ('DEFAULT', 'empty', ''),
        ('compute', 'cpu_shared_set', '0-1'),
        ('compute', 'long', 'first\nsecond\nthird'),
        ('compute', 'x', '[y]'),
    ]


def test_a_libvirt_file() -> None:
    text = (
        '#cgroup_controllers = [ "cpu" ]\n'
        'cgroup_controllers = [ "cpuset",\n'
        '  # "cpu",\n'
        '  "memory" ]\n'
        'hugetlbfs_mount = ""\n'
        'max_core = "unlimited"\n'
        'clear_emulator_capabilities = 0 # why\n'
        "user = 'root'\n"
        'empty = []\n'
    )
    assert parse_libvirt_conf(text) == {
        'cgroup_controllers': ('cpuset', 'memory'),
        'hugetlbfs_mount': ('',),
        'max_core': ('unlimited',),
        'clear_emulator_capabilities': ('0',),
        'user': ('root',),
        'empty': (),
    }


@given(st.text(alphabet='ab=[]" \'\n\t#;,0', max_size=60))
def test_any_text_is_read(text: str) -> None:
    list(parse_ini(text))
    parse_libvirt_conf(text)
