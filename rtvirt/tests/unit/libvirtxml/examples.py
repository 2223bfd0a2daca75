# SPDX-License-Identifier: Apache-2.0
"""One element of every class, with every field set, and how it is written."""

from __future__ import annotations

from typing import Any

from rtvirt.libvirtxml.boot import Boot
from rtvirt.libvirtxml.boot import OSType
from rtvirt.libvirtxml.clock import Clock
from rtvirt.libvirtxml.clock import Timer
from rtvirt.libvirtxml.console import Console
from rtvirt.libvirtxml.console import PortTarget
from rtvirt.libvirtxml.console import Serial
from rtvirt.libvirtxml.cpu import CPU
from rtvirt.libvirtxml.cpu import NUMACell
from rtvirt.libvirtxml.cpu import Topology
from rtvirt.libvirtxml.cputune import BandwidthNode
from rtvirt.libvirtxml.cputune import Cache
from rtvirt.libvirtxml.cputune import CacheTune
from rtvirt.libvirtxml.cputune import CPUTune
from rtvirt.libvirtxml.cputune import EmulatorSched
from rtvirt.libvirtxml.cputune import IOThreadSched
from rtvirt.libvirtxml.cputune import MemoryTune
from rtvirt.libvirtxml.cputune import Monitor
from rtvirt.libvirtxml.cputune import VCPUSched
from rtvirt.libvirtxml.devices import Devices
from rtvirt.libvirtxml.disk import Controller
from rtvirt.libvirtxml.disk import Disk
from rtvirt.libvirtxml.disk import DiskSource
from rtvirt.libvirtxml.disk import DiskTarget
from rtvirt.libvirtxml.disk import Driver
from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.features import KVM
from rtvirt.libvirtxml.features import Features
from rtvirt.libvirtxml.interface import Interface
from rtvirt.libvirtxml.interface import InterfaceSource
from rtvirt.libvirtxml.iothreads import IOThread
from rtvirt.libvirtxml.memballoon import MemBalloon
from rtvirt.libvirtxml.memory_backing import HugePage
from rtvirt.libvirtxml.memory_backing import MemoryBacking
from rtvirt.libvirtxml.numatune import MemNode
from rtvirt.libvirtxml.numatune import NUMAMemory
from rtvirt.libvirtxml.numatune import NUMATune
from rtvirt.libvirtxml.vcpu import VCPU
from rtvirt.libvirtxml.vcpu import VCPUState
from rtvirt.model.cpuset import CPUSet

BOTH = CPUSet([0, 1])

VCPUSCHED = VCPUSched(cpus=BOTH, scheduler='fifo', priority=1)
IOTHREADSCHED = IOThreadSched(cpus=CPUSet([1]), scheduler='rr', priority=2)
EMULATORSCHED = EmulatorSched(scheduler='fifo', priority=3)
CACHE = Cache(id=0, level=3, type='both', size_kib=2048)
MONITOR = Monitor(level=3, vcpus=BOTH)
CACHETUNE = CacheTune(vcpus=BOTH, caches=(CACHE,), monitors=(MONITOR,))
BANDWIDTH = BandwidthNode(id=0, bandwidth=30)
MEMORYTUNE = MemoryTune(
    vcpus=BOTH, nodes=(BANDWIDTH,), monitors=(Monitor(vcpus=BOTH),)
)
MEMNODE = MemNode(mode='strict', nodeset=BOTH)
NUMAMEMORY = NUMAMemory(mode='preferred', placement='auto', nodeset=BOTH)
PAGE = HugePage(size_kib=2048, nodeset=BOTH)
OSTYPE = OSType(arch='x86_64', machine='q35', type='exe')
TOPOLOGY = Topology(sockets=1, dies=2, cores=3, threads=4)
CELL = NUMACell(
    cpus=BOTH, memory_kib=4, mem_access='shared', distances={0: 10, 1: 20}
)
KVM_HINTS = KVM(hidden=True, hint_dedicated=True, poll_control=False)
TIMER = Timer(
    present=True,
    track='guest',
    tickpolicy='delay',
    frequency=10,
    mode='native',
)
DRIVER = Driver(
    name='qemu',
    type='raw',
    cache='none',
    io='native',
    iothread=1,
    iothreads=True,
)
PORT = PortTarget(type='serial', port=0)

EXAMPLES: list[tuple[Any, str]] = [
    (
        CPUTune(
            shares=1,
            period=2,
            quota=-1,
            vcpupins={0: BOTH, 1: CPUSet([2])},
            emulatorpin=BOTH,
            iothreadpins={1: BOTH},
            emulatorsched=EMULATORSCHED,
            vcpuscheds=(VCPUSCHED,),
            iothreadscheds=(IOTHREADSCHED,),
            cachetunes=(CACHETUNE,),
            memorytunes=(MEMORYTUNE,),
        ),
        """\
<cputune>
  <shares>1</shares>
  <period>2</period>
  <quota>-1</quota>
  <vcpupin vcpu='0' cpuset='0-1'/>
  <vcpupin vcpu='1' cpuset='2'/>
  <emulatorpin cpuset='0-1'/>
  <iothreadpin iothread='1' cpuset='0-1'/>
  <emulatorsched scheduler='fifo' priority='3'/>
  <vcpusched vcpus='0-1' scheduler='fifo' priority='1'/>
  <iothreadsched iothreads='1' scheduler='rr' priority='2'/>
  <cachetune vcpus='0-1'>
    <cache id='0' level='3' type='both' size='2048' unit='KiB'/>
    <monitor level='3' vcpus='0-1'/>
  </cachetune>
  <memorytune vcpus='0-1'>
    <node id='0' bandwidth='30'/>
    <monitor vcpus='0-1'/>
  </memorytune>
</cputune>
""",
    ),
    (
        VCPUSCHED,
        "<vcpusched vcpus='0-1' scheduler='fifo' priority='1'/>\n",
    ),
    (
        IOTHREADSCHED,
        "<iothreadsched iothreads='1' scheduler='rr' priority='2'/>\n",
    ),
    (EMULATORSCHED, "<emulatorsched scheduler='fifo' priority='3'/>\n"),
    (CACHE, "<cache id='0' level='3' type='both' size='2048' unit='KiB'/>\n"),
    (MONITOR, "<monitor level='3' vcpus='0-1'/>\n"),
    (
        CACHETUNE,
        """\
<cachetune vcpus='0-1'>
  <cache id='0' level='3' type='both' size='2048' unit='KiB'/>
  <monitor level='3' vcpus='0-1'/>
</cachetune>
""",
    ),
    (BANDWIDTH, "<node id='0' bandwidth='30'/>\n"),
    (
        MEMORYTUNE,
        """\
<memorytune vcpus='0-1'>
  <node id='0' bandwidth='30'/>
  <monitor vcpus='0-1'/>
</memorytune>
""",
    ),
    (
        NUMATune(memory=NUMAMEMORY, memnodes={0: MEMNODE}),
        """\
<numatune>
  <memory mode='preferred' placement='auto' nodeset='0-1'/>
  <memnode cellid='0' mode='strict' nodeset='0-1'/>
</numatune>
""",
    ),
    (
        NUMAMEMORY,
        "<memory mode='preferred' placement='auto' nodeset='0-1'/>\n",
    ),
    (MEMNODE, "<memnode mode='strict' nodeset='0-1'/>\n"),
    (
        MemoryBacking(hugepages=(PAGE,), nosharepages=True, locked=True),
        """\
<memoryBacking>
  <hugepages>
    <page size='2048' unit='KiB' nodeset='0-1'/>
  </hugepages>
  <nosharepages/>
  <locked/>
</memoryBacking>
""",
    ),
    (PAGE, "<page size='2048' unit='KiB' nodeset='0-1'/>\n"),
    (
        VCPU(placement='auto', cpuset=BOTH, current=1, count=2),
        "<vcpu placement='auto' cpuset='0-1' current='1'>2</vcpu>\n",
    ),
    (
        VCPUState(enabled=True, hotpluggable=False, order=1),
        "<vcpu enabled='yes' hotpluggable='no' order='1'/>\n",
    ),
    (
        IOThread(pool_min=1, pool_max=2),
        "<iothread thread_pool_min='1' thread_pool_max='2'/>\n",
    ),
    (
        CPU(
            mode='host-model',
            topology=TOPOLOGY,
            features={'invtsc': 'disable'},
            cells={0: CELL},
        ),
        """\
<cpu mode='host-model'>
  <topology sockets='1' dies='2' cores='3' threads='4'/>
  <feature name='invtsc' policy='disable'/>
  <numa>
    <cell id='0' cpus='0-1' memory='4' unit='KiB' memAccess='shared'>
      <distances>
        <sibling id='0' value='10'/>
        <sibling id='1' value='20'/>
      </distances>
    </cell>
  </numa>
</cpu>
""",
    ),
    (TOPOLOGY, "<topology sockets='1' dies='2' cores='3' threads='4'/>\n"),
    (
        CELL,
        """\
<cell cpus='0-1' memory='4' unit='KiB' memAccess='shared'>
  <distances>
    <sibling id='0' value='10'/>
    <sibling id='1' value='20'/>
  </distances>
</cell>
""",
    ),
    (
        Features(
            acpi=True,
            apic=True,
            kvm=KVM_HINTS,
            pmu=False,
            vmport=False,
            vmcoreinfo=True,
            tb_cache_kib=65536,
        ),
        """\
<features>
  <acpi/>
  <apic/>
  <kvm>
    <hidden state='on'/>
    <hint-dedicated state='on'/>
    <poll-control state='off'/>
  </kvm>
  <pmu state='off'/>
  <vmport state='off'/>
  <vmcoreinfo state='on'/>
  <tcg>
    <tb-cache unit='KiB'>65536</tb-cache>
  </tcg>
</features>
""",
    ),
    (
        KVM_HINTS,
        """\
<kvm>
  <hidden state='on'/>
  <hint-dedicated state='on'/>
  <poll-control state='off'/>
</kvm>
""",
    ),
    (
        Clock(offset='utc', timers={'tsc': TIMER}),
        """\
<clock offset='utc'>
  <timer name='tsc' present='yes' track='guest' tickpolicy='delay' \
frequency='10' mode='native'/>
</clock>
""",
    ),
    (
        TIMER,
        (
            "<timer present='yes' track='guest' tickpolicy='delay' "
            "frequency='10' mode='native'/>\n"
        ),
    ),
    (
        Boot(
            type=OSTYPE, kernel='/k', initrd='/i', cmdline='a="b" c=\'d\' <&'
        ),
        """\
<os>
  <type arch='x86_64' machine='q35'>exe</type>
  <kernel>/k</kernel>
  <initrd>/i</initrd>
  <cmdline>a="b" c=&#39;d&#39; &lt;&amp;</cmdline>
</os>
""",
    ),
    (OSTYPE, "<type arch='x86_64' machine='q35'>exe</type>\n"),
    (
        Disk(
            type='block',
            device='lun',
            driver=DRIVER,
            source=DiskSource(file='/f', dev='/d'),
            target=DiskTarget(dev='vda', bus='virtio'),
            readonly=True,
        ),
        """\
<disk type='block' device='lun'>
  <driver name='qemu' type='raw' cache='none' io='native' iothread='1'>
    <iothreads/>
  </driver>
  <source file='/f' dev='/d'/>
  <target dev='vda' bus='virtio'/>
  <readonly/>
</disk>
""",
    ),
    (
        DRIVER,
        """\
<driver name='qemu' type='raw' cache='none' io='native' iothread='1'>
  <iothreads/>
</driver>
""",
    ),
    (DiskSource(file='/f', dev='/d'), "<source file='/f' dev='/d'/>\n"),
    (
        DiskTarget(dev='vda', bus='virtio'),
        "<target dev='vda' bus='virtio'/>\n",
    ),
    (
        Controller(
            type='scsi',
            index=0,
            model='virtio-scsi',
            driver=Driver(iothread=1),
        ),
        """\
<controller type='scsi' index='0' model='virtio-scsi'>
  <driver iothread='1'/>
</controller>
""",
    ),
    (
        Interface(
            type='bridge',
            mac='52:54:00:12:34:56',
            source=InterfaceSource(network='n', bridge='b'),
            model='virtio',
        ),
        """\
<interface type='bridge'>
  <mac address='52:54:00:12:34:56'/>
  <source network='n' bridge='b'/>
  <model type='virtio'/>
</interface>
""",
    ),
    (
        InterfaceSource(network='n', bridge='b'),
        "<source network='n' bridge='b'/>\n",
    ),
    (PORT, "<target type='serial' port='0'/>\n"),
    (
        Serial(type='file', path='/c', target=PORT),
        """\
<serial type='file'>
  <source path='/c'/>
  <target type='serial' port='0'/>
</serial>
""",
    ),
    (
        Console(type='file', path='/c', target=PORT),
        """\
<console type='file'>
  <source path='/c'/>
  <target type='serial' port='0'/>
</console>
""",
    ),
    (
        MemBalloon(
            model='virtio',
            autodeflate=True,
            free_page_reporting=True,
            stats_period=10,
        ),
        """\
<memballoon model='virtio' autodeflate='on' freePageReporting='on'>
  <stats period='10'/>
</memballoon>
""",
    ),
    (
        Devices(
            emulator='/q',
            disks=(Disk(target=DiskTarget(dev='vda')),),
            controllers=(Controller(type='usb', model='none'),),
            interfaces=(Interface(type='user'),),
            serials=(Serial(type='pty'),),
            consoles=(Console(type='pty'),),
            memballoon=MemBalloon(model='none'),
        ),
        """\
<devices>
  <emulator>/q</emulator>
  <disk type='file' device='disk'>
    <target dev='vda'/>
  </disk>
  <controller type='usb' model='none'/>
  <interface type='user'/>
  <serial type='pty'/>
  <console type='pty'/>
  <memballoon model='none'/>
</devices>
""",
    ),
    (
        Domain(
            virt_type='kvm',
            name='a',
            uuid='u',
            plan='{"it\'s": 1}',
            memory_kib=1,
            current_memory_kib=2,
            memory_backing=MemoryBacking(locked=True),
            vcpu=VCPU(count=1),
            vcpus={0: VCPUState(enabled=True)},
            iothreads=1,
            iothreadids={1: IOThread(pool_max=2)},
            cputune=CPUTune(shares=1),
            numatune=NUMATune(memory=NUMAMemory(nodeset=BOTH)),
            boot=Boot(type=OSType()),
            features=Features(acpi=True),
            cpu=CPU(mode='maximum'),
            clock=Clock(offset='utc'),
            devices=Devices(consoles=(Console(type='pty'),)),
        ),
        """\
<domain type='kvm'>
  <name>a</name>
  <uuid>u</uuid>
  <metadata>
    <rtvirt:plan xmlns:rtvirt='urn:rtvirt:plan:1'>{"it&#39;s": 1}</rtvirt:plan>
  </metadata>
  <memory unit='KiB'>1</memory>
  <currentMemory unit='KiB'>2</currentMemory>
  <memoryBacking>
    <locked/>
  </memoryBacking>
  <vcpu>1</vcpu>
  <vcpus>
    <vcpu id='0' enabled='yes'/>
  </vcpus>
  <iothreads>1</iothreads>
  <iothreadids>
    <iothread id='1' thread_pool_max='2'/>
  </iothreadids>
  <cputune>
    <shares>1</shares>
  </cputune>
  <numatune>
    <memory mode='strict' nodeset='0-1'/>
  </numatune>
  <os>
    <type>hvm</type>
  </os>
  <features>
    <acpi/>
  </features>
  <cpu mode='maximum'/>
  <clock offset='utc'/>
  <devices>
    <console type='pty'/>
  </devices>
</domain>
""",
    ),
]
