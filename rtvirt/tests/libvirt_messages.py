# SPDX-License-Identifier: Apache-2.0
"""What libvirt and QEMU said, word for word.

Beside each message stands a part of what rtvirt makes of it, and of the way
out. The administration guide lists them all.
"""

from __future__ import annotations

from typing import Final
from typing import NamedTuple


class Said(NamedTuple):
    """A message, a part of what it means, and a part of the way out."""

    message: str
    means: str
    way_out: str


# libvirt 9.0 and QEMU 7.2, in a virtual machine and in a container.
MESSAGES: Final = [
    Said(
        'Cannot set scheduler parameters for pid 4711: Operation not '
        'permitted',
        'the kernel refuses a real-time scheduler',
        'cgroup_controllers',
    ),
    Said(
        "V1 controller 'cpu' is not wanted, but 'cpuacct' is co-mounted: "
        'Invalid argument',
        'the controller cpuacct without cpu',
        'take cpuacct out of cgroup_controllers',
    ),
    Said(
        'unsupported configuration: Scheduler priority 200 out of range '
        '[1, 99]',
        'there is no real-time priority 200',
        'from 1 to 99',
    ),
    Said(
        'cannot limit locked memory of process 4711 to 9007199254740991: '
        'Operation not permitted',
        'may not lift the limit of locked memory',
        'CAP_SYS_RESOURCE',
    ),
    Said(
        'internal error: process exited while connecting to monitor: '
        '2026-11-22T19:36:23.625635Z qemu-system-x86_64: mlockall: Cannot '
        'allocate memory\n2026-11-22T19:36:23.6Z qemu-system-x86_64: locking '
        'memory failed',
        'QEMU may not lock the memory',
        'LimitMEMLOCK',
    ),
    Said(
        'internal error: process exited while connecting to monitor: '
        '2026-11-22T19:36:23.625635Z qemu-system-x86_64: unable to map '
        'backing store for guest RAM: Cannot allocate memory',
        'too few free huge pages for the guest (unable to map',
        'rtvirt host show',
    ),
    Said(
        'internal error: Unable to find any usable hugetlbfs mount for '
        '16384 KiB',
        'no hugetlbfs with pages of 16384 KiB',
        'pagesize=16384K',
    ),
    Said(
        'internal error: hugetlbfs filesystem is not mounted or disabled by '
        'administrator config',
        'no hugetlbfs is mounted',
        'mount -t hugetlbfs',
    ),
    Said('hugepages: node 3 not found', 'guest cell 3', 'nodeset'),
    Said(
        'unsupported configuration: NUMA node 5 is unavailable',
        'the host has no NUMA node 5',
        'rtvirt host show',
    ),
    Said(
        'internal error: qemu unexpectedly closed the monitor: '
        '2026-11-22T19:36:43.704961Z qemu-system-x86_64: cannot set up guest '
        "memory 'pc.ram': Cannot allocate memory",
        'less memory than the guest wants (cannot set up',
        'rtvirt host show',
    ),
    Said(
        'internal error: qemu unexpectedly closed the monitor: '
        '2026-11-22T23:54:40.113425Z qemu-system-x86_64: Setting CPU '
        'affinity failed: Invalid argument',
        'emulator threads may not run on its host cell',
        'hw:emulator_threads_policy=share',
    ),
    Said(
        'cannot set CPU affinity on process 27584: Invalid argument',
        'a pCPU of the guest is offline',
        'cpu/online',
    ),
    Said(
        "Unable to write to '/sys/fs/cgroup/machine.slice/machine-qemu.scope/"
        "libvirt/vcpu3/cpuset.cpus': Numerical result out of range",
        'a pCPU of the guest is offline',
        'cpu/online',
    ),
    Said(
        'unsupported configuration: cachetune is only supported for KVM '
        'domains',
        'cannot be shared out here',
        'resctrl',
    ),
    Said(
        "invalid argument: could not get preferred machine for "
        "/usr/bin/qemu-system-x86_64 type=kvm: Emulator does not support "
        "virt type 'kvm'",
        'there is no KVM here',
        '/dev/kvm',
    ),
    Said(
        'Cannot check QEMU binary /nowhere/qemu: No such file or directory',
        'there is no QEMU',
        'qemu-system-x86',
    ),
    Said(
        'XML error: No PCI buses available',
        'no such machine type',
        '-machine help',
    ),
    Said(
        "Cannot access storage file '/nowhere/d.raw': No such file or "
        'directory',
        'the file /nowhere/d.raw cannot be opened',
        'qemu.conf',
    ),
    Said(
        'unable to stat: /nowhere/vmlinuz: No such file or directory',
        'there is no file /nowhere/vmlinuz',
        'the machine that libvirt runs on',
    ),
    Said(
        "Failed to create file '/nowhere/con.log': No such file or directory",
        'cannot write /nowhere/con.log',
        'directory',
    ),
    Said(
        'internal error: qemu unexpectedly closed the monitor: '
        '2026-11-22T19:36:38.642592Z qemu-system-x86_64: -blockdev '
        '{"node-name":"libvirt-1-format","read-only":false,"driver":"qcow2",'
        '"file":"libvirt-1-storage","backing":null}: Image is not in qcow2 '
        'format',
        'a disk is not in the format qcow2',
        'qemu-img info',
    ),
    Said(
        "Network not found: no network with matching name 'nonet'",
        'libvirt has no network nonet',
        'net-list',
    ),
    Said(
        "Requested operation is not valid: network 'default' is not active",
        'the network default is not started',
        'virsh net-start default',
    ),
    Said(
        "Cannot get interface MTU on 'nobr0': No such device",
        'the host has no bridge nobr0',
        'ip link',
    ),
    Said(
        'XML document failed to validate against schema: Unable to validate '
        'doc against /usr/share/libvirt/schemas/domain.rng\nElement domain '
        'has extra content: nonsense\n',
        'not what libvirt knows',
        'virt-xml-validate',
    ),
    Said(
        "Domain not found: no domain with matching name 'a'",
        'there is no such domain',
        'rtvirt domain list',
    ),
    Said(
        "operation failed: domain 'e' is already defined with uuid "
        '957066a2-6e93-4cd6-ae31-f5420212a2d5',
        'there is a domain e already',
        'another name',
    ),
    Said(
        "operation failed: domain 'e' already exists with uuid "
        '957066a2-6e93-4cd6-ae31-f5420212a2d5',
        'there is a domain e already',
        'another name',
    ),
    Said(
        'Requested operation is not valid: domain is not running',
        'the domain does not run',
        'rtvirt domain list',
    ),
    Said(
        'Requested operation is not valid: domain is already running',
        'the domain runs already',
        'rtvirt domain verify',
    ),
    Said(
        'Requested operation is not valid: cannot undefine domain with nvram',
        'UEFI',
        '--nvram',
    ),
    Said(
        "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission "
        'denied',
        'you may not manage libvirt',
        'group libvirt',
    ),
    Said(
        'authentication unavailable: no polkit agent available to '
        "authenticate action 'org.libvirt.unix.manage'",
        'you may not manage libvirt',
        'group libvirt',
    ),
    Said(
        "unable to connect to server at 'rt-there:49152': Connection refused",
        'the memory of the guest cannot be sent to rt-there',
        '--migrate-uri',
    ),
    Said(
        "Unable to resolve address 'nowhere' service '49152': Temporary "
        'failure in name resolution',
        'no address is known for the host nowhere',
        '/etc/hosts',
    ),
    Said(
        'internal error: Attempt to migrate guest to the same host '
        '70989bd0-0f81-4848-b327-84466d38e5fa',
        'one host, or have the same UUID',
        'host_uuid',
    ),
    Said(
        'Unsafe migration: Migration without shared storage is unsafe',
        'is not safe in the hands of two hosts',
        'storage that both share',
    ),
    Said(
        'the CPU is incompatible with host CPU: Host CPU does not provide '
        'required features: avx512f',
        'lacks features of the guest',
        'CPU model that all hosts have',
    ),
    Said(
        'Requested operation is not valid: cannot migrate domain: State '
        'blocked by non-migratable CPU device (invtsc flag)',
        'was promised a clock rate',
        '<timer name="tsc"',
    ),
    Said(
        'Requested operation is not valid: cannot migrate a domain with '
        "<hostdev mode='subsystem' type='pci'>",
        'a device of its host (pci)',
        'detach-device',
    ),
    Said(
        "operation aborted: job 'migration out' canceled by client",
        'somebody has aborted the migration',
        'start it again',
    ),
    Said(
        'internal error: qemu unexpectedly closed the monitor',
        'the QEMU of the guest has ended',
        '/var/log/libvirt/qemu',
    ),
    Said(
        "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No "
        'such file or directory',
        'libvirt does not answer',
        'systemctl start libvirtd',
    ),
    Said(
        "unable to connect to server at '127.0.0.1:9': Connection refused",
        'nobody answers there',
        'have it listen',
    ),
    Said(
        'Cannot recv data: ssh: connect to host 127.0.0.1 port 1: Connection '
        'refused: Connection reset by peer',
        'ssh cannot get to the host',
        'ssh USER@HOST',
    ),
    Said(
        "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file "
        'or directory',
        'no certificates for TLS',
        'qemu+ssh',
    ),
    Said(
        'Cannot write data: Broken pipe',
        'libvirt has ended meanwhile',
        'rtvirt domain list',
    ),
    Said(
        'internal error: client socket is closed',
        'libvirt has ended meanwhile',
        'rtvirt domain list',
    ),
    Said(
        'operation forbidden: read only access prevents virDomainDefineXML',
        'for reading only',
        'readonly',
    ),
    Said(
        'no connection driver available for nothing:///here',
        'unknown here',
        'qemu:///system',
    ),
    Said(
        'invalid argument: remote_open: transport in URL not recognised '
        '(should be tls|unix|ssh|ext|tcp|libssh2|libssh)',
        'a transport that is unknown here',
        'qemu+ssh://host/system',
    ),
    Said(
        'Timed out during operation: cannot acquire state change lock (held '
        'by monitor=remoteDispatchDomainCreateWithFlags)',
        'libvirt is busy with this domain',
        'domjobinfo',
    ),
    Said(
        'unsupported flags (0x1) in function testDomainCreateXML',
        'this libvirt cannot do that',
        'virsh version',
    ),
]
