# SPDX-License-Identifier: Apache-2.0
"""Groups of resctrl: members, caches in KiB, bandwidth in percent."""

from rtvirt.host.facts.tree import MappingTree
from rtvirt.host.resctrl_group import read_resctrl
from rtvirt.model.facts.missing import Missing
from rtvirt.model.facts.missing import Why
from rtvirt.model.observed import ResctrlGroup
from rtvirt.model.resctrl import CacheAllocation
from rtvirt.model.resctrl import CacheType

CPU = '/sys/devices/system/cpu'
RESCTRL = '/sys/fs/resctrl'
FILES: dict[str, bytes | Missing] = {
    f'{CPU}/online': b'0-3\n',
    **{
        f'{CPU}/cpu{cpu}/cache/index3/{name}': content
        for cpu in range(4)
        for name, content in {
            'level': b'3\n',
            'id': f'{cpu // 2}\n'.encode(),
            'size': b'8192K\n',
            'shared_cpu_list': b'0-1\n' if cpu < 2 else b'2-3\n',
        }.items()
    },
    f'{RESCTRL}/info/L3/cbm_mask': b'ff\n',
    f'{RESCTRL}/info/L3/min_cbm_bits': b'1\n',
    f'{RESCTRL}/info/L3/num_closids': b'16\n',
    f'{RESCTRL}/schemata': b'    MB:0=100;1=100\n    L3:0=0f;1=ff\n',
    f'{RESCTRL}/tasks': b'1\n2\n',
    f'{RESCTRL}/qemu-1-rt/schemata': b'    MB:0= 40;1=100\n  L3:0=f0;1=1\n',
    f'{RESCTRL}/qemu-1-rt/tasks': b'74\n75\n',
    f'{RESCTRL}/mon_groups/x/tasks': b'74\n',
}


def test_groups_have_members_caches_and_bandwidth() -> None:
    resctrl = read_resctrl(MappingTree(FILES))

    assert not isinstance(resctrl.groups, Missing)
    assert {*resctrl.groups} == {'', 'qemu-1-rt'}
    assert resctrl.groups['qemu-1-rt'] == ResctrlGroup(
        name='qemu-1-rt',
        caches=(
            CacheAllocation(bank=0, size_kib=4096),
            CacheAllocation(bank=1, size_kib=1024),
        ),
        bandwidth={0: 40, 1: 100},
    )
    assert resctrl.group_of(74) == 'qemu-1-rt'
    assert resctrl.group_of(1) == ''


def test_code_and_data_apart() -> None:
    files = FILES | {
        f'{RESCTRL}/info/L3CODE/cbm_mask': b'ff\n',
        f'{RESCTRL}/a/schemata': b'L3CODE:0=1\nL3DATA:0=3\n',
        f'{RESCTRL}/a/tasks': b'',
    }
    del files[f'{RESCTRL}/info/L3/cbm_mask']
    resctrl = read_resctrl(MappingTree(files))

    assert not isinstance(resctrl.groups, Missing)
    assert resctrl.groups['a'].caches == (
        CacheAllocation(bank=0, type=CacheType.CODE, size_kib=1024),
        CacheAllocation(bank=0, type=CacheType.DATA, size_kib=2048),
    )


def test_where_it_is_not_mounted() -> None:
    resctrl = read_resctrl(MappingTree({f'{CPU}/online': b'0\n'}))

    group = resctrl.group_of(74)
    assert isinstance(group, Missing)
    assert group.is_absent
    assert group == resctrl.groups


def test_what_cannot_be_read_is_told() -> None:
    hidden = Missing(missing=Why.UNREADABLE, path=f'{RESCTRL}/schemata')
    tree = MappingTree(FILES | {hidden.path: hidden})
    assert read_resctrl(tree).groups == hidden

    broken = MappingTree(FILES | {f'{CPU}/cpu0/cache/index3/size': b'big\n'})
    groups = read_resctrl(broken).groups
    assert isinstance(groups, Missing)
    assert groups.missing is Why.MALFORMED
