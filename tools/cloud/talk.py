# SPDX-License-Identifier: Apache-2.0
"""The talk on an OpenStack of one's own, and what rtvirt adds to it."""

from __future__ import annotations

from typing import Final

from rtvirt.model.cpuset import CPUSet
from tools.cloud.config import MICROVERSION
from tools.cloud.site import Site
from tools.cloud.stage import Stage
from tools.lab.kernel_view import HugePages
from tools.lab.kernel_view import affinity_masks
from tools.lab.kernel_view import huge_pages
from tools.lab.kernel_view import schedulers
from tools.lab.kernel_view import vcpu_threads

MEMORY_MIB: Final = 512
PAGE_KIB: Final = 2048
PAGES: Final = MEMORY_MIB * 1024 // PAGE_KIB

_REALTIME: Final = """\
openstack flavor set {name} \\
    --property 'hw:cpu_policy=dedicated' \\
    --property 'hw:cpu_realtime=yes' \\
    --property 'hw:cpu_realtime_mask=^0' \\
    --property 'hw:mem_page_size=2MB'"""
_SERVER: Final = (
    'openstack server create --flavor {flavor} --image centos-rt \\\n'
    '    --nic none --wait {name}'
)
_POOL: Final = (
    '/sys/devices/system/node/node{cell}/hugepages/hugepages-{size}kB/'
    'nr_hugepages'
)


def tell(stage: Stage, site: Site) -> None:
    """Tell it all, on a cloud that is up."""
    prepare(stage)
    misspell(stage)
    create(stage)
    look(stage, site)
    prove(stage, site)
    crowd(stage, site)
    overask(stage, site)


def prepare(stage: Stage) -> None:
    """Make the image and the flavor."""
    stage.step('The image and the flavor')
    stage.note(
        'the commands are those of the talk. Its flavor asks for 4 pCPUs and '
        'pages of 1 GiB, this host gives 2 and pages of 2 MiB: so 2 vCPUs, '
        f'{MEMORY_MIB} MiB, the mask ^0 for ^0-1, and 2MB for 1GB.'
    )
    stage.note(
        'the image is an empty disk: what is shown is how its guest runs, '
        'not what runs in it'
    )
    stage.ask('truncate --size 16M centos-rt.raw')
    stage.run(
        'openstack image create --disk-format raw --container-format bare '
        '\\\n    --file centos-rt.raw -c name -c status centos-rt'
    )
    stage.run(
        f'openstack flavor create --vcpus 2 --ram {MEMORY_MIB} --disk 20 '
        '\\\n    rt1.small'
    )
    stage.run(_REALTIME.format(name='rt1.small'))
    stage.run('openstack flavor show -c properties rt1.small')


def misspell(stage: Stage) -> None:
    """Ask for what rtvirt does not have."""
    stage.step('A slip, which nova-api refuses')
    stage.note(
        'nova checks extra specs from microversion 2.86 on; clouds.yaml here '
        f'says {MICROVERSION}'
    )
    for spec in ('rtvirt:prority=7', 'rtvirt:priority=500'):
        said = stage.run(
            f"openstack flavor set rt1.small --property '{spec}'", code=1
        )
        stage.expect_part('refused', '400: Client Error', said)


def create(stage: Stage) -> None:
    """Create the server."""
    stage.step('The server')
    stage.note(
        'no network is here, hence --nic none; a server has a name; --wait '
        'shows how it went'
    )
    said = stage.run(_SERVER.format(flavor='rt1.small', name='rt-server'))
    stage.expect_part('status', 'ACTIVE', said)


def look(stage: Stage, site: Site) -> None:
    """Look under the hood with the talk's own tools."""
    stage.step('Under the hood')
    stage.note(
        'xmllint stands in for xpath, which Debian has with other arguments'
    )
    stage.run('virsh dumpxml 1 | xmllint --xpath /domain/cputune -')
    stage.run('ps -e | grep qemu')
    pid = _pid(stage, site)
    tids = vcpu_threads(stage.run(f'ps -Tp {pid}'))
    stage.expect('vCPU threads', 2, len(tids))
    masks = [stage.run(f'taskset -p {tid}') for tid in tids]
    stage.expect(
        'affinity masks of the vCPUs',
        [f'{1 << cpu:x}' for cpu in CPUSet.parse(site.cpus)],
        affinity_masks(''.join(masks)),
    )
    policies = [stage.run(f'chrt -p {tid}') for tid in tids]
    stage.expect(
        'policies of the vCPUs',
        [('SCHED_OTHER', 0), ('SCHED_FIFO', 1)],
        schedulers(''.join(policies)),
    )
    stage.run('virsh dumpxml 1 | xmllint --xpath /domain/memoryBacking -')
    maps = stage.run(f'grep huge /proc/{pid}/numa_maps')
    cell = site.cell
    stage.expect(
        'memory',
        [HugePages(f'bind:{cell}', cell, PAGES, PAGE_KIB)],
        huge_pages(maps),
    )


def prove(stage: Stage, site: Site) -> None:
    """Let rtvirt prove it, as nova-compute did already."""
    stage.step('The proof')
    stage.run(f"grep -h 'runs as planned' {site.log}/nova-compute.log")
    stage.run(f"rtvirt domain verify --connect '{site.uri}' {_name(stage)}")


def crowd(stage: Stage, site: Site) -> None:
    """Ask for a second server beside the first."""
    stage.step('A second one: no pCPU is left')
    refuse(stage, 'rt1.small', 'rt-second')
    stage.note('pCPUs are counted by placement, before any filter is asked')
    stage.run(
        f"grep -h 'no allocation candidates' {site.log}/nova-scheduler.log"
    )
    stage.run('openstack server delete --wait rt-second rt-server')


def overask(stage: Stage, site: Site) -> None:
    """Ask for more huge pages than there are."""
    stage.step('One that does not fit: too few huge pages')
    total = int(
        stage.ask(f'cat {_POOL.format(cell=site.cell, size=PAGE_KIB)}')
    )
    memory_mib = 2 * total * PAGE_KIB // 1024
    stage.note(
        f'{total} pages of 2 MiB are in host cell {site.cell}; placement '
        'counts memory, not pages'
    )
    stage.run(
        f'openstack flavor create --vcpus 2 --ram {memory_mib} --disk 20 '
        '\\\n    -c name -c ram rt1.large'
    )
    stage.run(_REALTIME.format(name='rt1.large'))
    refuse(stage, 'rt1.large', 'rt-large')
    why = stage.run(f"grep -h 'No host is left' {site.log}/nova-scheduler.log")
    stage.expect_part('reason', 'too few free 2 MiB pages', why)


def refuse(stage: Stage, flavor: str, name: str) -> None:
    """Ask for a server that finds no host."""
    stage.run(_SERVER.format(flavor=flavor, name=name), code=1)
    said = stage.run(
        f'openstack server show -f json -c fault {name} \\\n'
        '    | grep -o \'"message": "[^"]*"\''
    )
    stage.expect_part('refused', 'No valid host was found', said)


def _name(stage: Stage) -> str:
    """Return what nova calls the domain of the server."""
    return stage.ask('virsh domname 1')


def _pid(stage: Stage, site: Site) -> int:
    path = site.run / 'libvirt' / 'qemu' / f'{_name(stage)}.pid'
    return int(path.read_text())
