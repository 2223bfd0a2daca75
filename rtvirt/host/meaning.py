# SPDX-License-Identifier: Apache-2.0
"""What an error of libvirt means, and what to do about it.

libvirt's messages are made for its developers: the table turns those that
a real-time guest runs into into a sentence with a way out. Each entry has a
message as libvirt 9.0 gave it, or one of its errors' fixed texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What an error means.

    :ivar text: the error in one line.
    :ivar hint: the way out; where none is known, where to look.
    """

    text: str
    hint: str


def explain_error(message: str) -> Meaning:
    """Return what a message of libvirt means.

    :param message: as libvirt gave it; of one line or more.
    """
    line = ' '.join(message.split())
    for row in _MEANINGS:
        if match := row.pattern.search(line):
            values = {k: v or '' for k, v in match.groupdict().items()}
            return Meaning(
                text=f'{row.text.format(**values)} ({_gist(line)})',
                hint=row.hint.format(**values),
            )
    return Meaning(text=_gist(line), hint=_LOG)


class _Row:
    """A row of the table.

    :param pattern: a regular expression; its named groups may stand in the
        two others.
    :param text: what it means.
    :param hint: the way out.
    """

    def __init__(self, pattern: str, text: str, hint: str) -> None:
        self.pattern = re.compile(pattern)
        self.text = text
        self.hint = hint


_LOG: Final = (
    '"journalctl -u libvirtd -u virtqemud" shows what libvirt itself logs of '
    'it'
)

# What stands before the words of QEMU itself.
_NOISE: Final = re.compile(
    r'^(internal error: )?(process exited while connecting to monitor|'
    r'QEMU unexpectedly closed the monitor[^:]*|'
    r'qemu unexpectedly closed the monitor[^:]*): '
    r'(\S+Z )?(\S*qemu-system-\S+: )?'
)


def _gist(line: str) -> str:
    return _NOISE.sub('', line)


_MEANINGS: Final = (
    # Schedulers.
    _Row(
        r'Cannot set scheduler parameters for pid \d+: Operation not '
        r'permitted',
        'the kernel refuses a real-time scheduler to the guest',
        'where it has CONFIG_RT_GROUP_SCHED, libvirt\'s cpu cgroup has no '
        'real-time runtime: keep "cpu" and "cpuacct" out of '
        'cgroup_controllers in /etc/libvirt/qemu.conf and restart libvirt '
        '(RT-B02); in a container its daemon needs CAP_SYS_NICE (RT-A09); '
        '"rtvirt host check" tells which it is',
    ),
    _Row(
        r"V1 controller '(?P<one>\w+)' is not wanted, but '(?P<other>\w+)' "
        r'is co-mounted',
        'libvirt is to use the controller {other} without {one}, and cgroup '
        'v1 has both in one hierarchy',
        'take {other} out of cgroup_controllers in /etc/libvirt/qemu.conf, '
        'too, and restart libvirt',
    ),
    _Row(
        r'Scheduler priority (?P<value>-?\d+) out of range',
        'there is no real-time priority {value}',
        'choose one from 1 to 99 (rtvirt:priority)',
    ),
    # Memory.
    _Row(
        r'cannot limit locked memory of process',
        'libvirt may not lift the limit of locked memory for the guest',
        'its daemon needs CAP_SYS_RESOURCE: in a container, add it; else '
        'raise LimitMEMLOCK of libvirtd.service',
    ),
    _Row(
        r'(mlockall: Cannot allocate memory|locking memory failed)',
        'QEMU may not lock the memory of the guest',
        'libvirt gives it CAP_IPC_LOCK or a limit that is high enough where '
        'its own daemon has them: raise LimitMEMLOCK of libvirtd.service '
        '("rtvirt host check" tells)',
    ),
    _Row(
        r'unable to map backing store for guest RAM: Cannot allocate memory|'
        r'os_mem_prealloc: Insufficient free host memory pages|'
        r'preallocating memory failed|Insufficient free host memory pages',
        'the node has too few free huge pages for the guest',
        'free or reserve some (/sys/devices/system/node/node*/hugepages); '
        '"rtvirt host show" shows what is free on each node',
    ),
    _Row(
        r'Unable to find any usable hugetlbfs mount for (?P<kib>\d+) KiB',
        'no hugetlbfs with pages of {kib} KiB is mounted for libvirt',
        'mount -t hugetlbfs -o pagesize={kib}K hugetlbfs '
        '/dev/hugepages-{kib}, name it by hugetlbfs_mount in '
        '/etc/libvirt/qemu.conf, and restart libvirt',
    ),
    _Row(
        r'hugetlbfs filesystem is not mounted or disabled by '
        r'administrator|hugepages are disabled by administrator',
        'no hugetlbfs is mounted for libvirt',
        'mount -t hugetlbfs hugetlbfs /dev/hugepages, and restart libvirt',
    ),
    _Row(
        r'hugepages: node (?P<node>\d+) not found',
        'huge pages are wanted for guest cell {node}, which does not exist',
        'name only guest cells that exist in <page nodeset="...">',
    ),
    _Row(
        r'NUMA node (?P<node>\d+) is (unavailable|out of range)',
        'the host has no NUMA node {node}',
        '"rtvirt host show" lists its cells',
    ),
    _Row(
        r'cannot set up guest memory .*Cannot allocate memory',
        'the host has less memory than the guest wants',
        '"rtvirt host show" shows what each cell has',
    ),
    # pCPUs and caches.
    _Row(
        r'Setting CPU affinity failed',
        'QEMU cannot fill the pages of a guest cell: emulator threads may '
        'not run on its host cell',
        'hw:emulator_threads_policy=share, with shared pCPUs on each of the '
        'host cells; or libvirt 9.1 or later, which fills them from another '
        'one',
    ),
    _Row(
        r'cpuset\.cpus.*(Numerical result out of range|Invalid argument|'
        r'Permission denied)|cannot set CPU affinity|'
        r'Unable to set CPU affinity',
        'a pCPU of the guest is offline, is not there, or is not for '
        'libvirt\'s guests',
        'compare the pins with /sys/devices/system/cpu/online and with '
        'cpuset.cpus.effective of machine.slice; plan it again for this '
        'host',
    ),
    _Row(
        r'(cachetune|memorytune) is only supported for KVM|'
        r'resctrl.*not (supported|mounted)|'
        r'Resource control is not supported',
        'caches and memory bandwidth cannot be shared out here',
        'use KVM and a processor with CAT or MBA, and run "mount -t resctrl '
        'resctrl /sys/fs/resctrl" before libvirt starts',
    ),
    # What there is to run a guest with.
    _Row(
        r"does not support virt type 'kvm'|"
        r"could not find capabilities for .*domaintype=kvm|"
        r'KVM is not (available|supported)|Could not access KVM kernel '
        r'module|failed to initialize kvm',
        'there is no KVM here',
        'enable virtualization in the firmware and load kvm_intel or '
        'kvm_amd, so that there is /dev/kvm; --type qemu is software '
        'emulation, without any promise of latency',
    ),
    _Row(
        r"Cannot check QEMU binary (?P<path>\S+): |Cannot find (?:any "
        r'usable )?emulator|Unable to find an emulator|'
        r'Cannot find suitable emulator',
        'there is no QEMU',
        'install qemu-system-x86, or name it by --emulator',
    ),
    _Row(
        r'No PCI buses available|unsupported machine type|'
        r"Emulator '.*' does not support machine",
        'QEMU has no such machine type',
        'QEMU lists them: qemu-system-x86_64 -machine help',
    ),
    _Row(
        r"Cannot access (?:storage|backing) file '(?P<path>[^']*)'|"
        r"Could not open '(?P<disk>[^']*)'",
        'the file {path}{disk} cannot be opened by libvirt or QEMU',
        'put it there, and let the user of QEMU (qemu.conf: user) read it',
    ),
    _Row(
        r'unable to stat: (?P<path>.+): No such file',
        'there is no file {path} on the host',
        'put it on the machine that libvirt runs on',
    ),
    _Row(
        r"Failed to create file '(?P<path>[^']*)'",
        'libvirt cannot write {path}',
        'make its directory, on the machine that libvirt runs on',
    ),
    _Row(
        r'Image is not in (?P<format>\w+) format',
        'a disk is not in the format {format}',
        'qemu-img info shows which it has; say so by --disk PATH,format=',
    ),
    _Row(
        r"[Nn]etwork not found: no network with matching name "
        r"'(?P<name>[^']*)'",
        'libvirt has no network {name}',
        '"virsh net-list --all" lists those there are',
    ),
    _Row(
        r"network '(?P<name>[^']*)' is not active",
        'the network {name} is not started',
        'virsh net-start {name}',
    ),
    _Row(
        r"Cannot get interface MTU on '(?P<name>[^']*)': No such device",
        'the host has no bridge {name}',
        '"ip link show type bridge" lists those there are',
    ),
    _Row(
        r'XML document failed to validate against schema',
        'the domain XML is not what libvirt knows',
        'find where with virt-xml-validate; a base of a newer libvirt may '
        'have what this one does not know',
    ),
    # Names.
    _Row(
        r"Domain not found: no domain with matching name '(?P<name>[^']*)'|"
        r'Domain not found',
        'there is no such domain',
        '"rtvirt domain list" lists those there are',
    ),
    _Row(
        r"(?:domain|operation failed: domain) '(?P<name>[^']*)' "
        r'(?:already exists|is already defined)',
        'there is a domain {name} already',
        'choose another name or uuid; "rtvirt domain list" lists those there '
        'are',
    ),
    _Row(
        r'domain is not running',
        'the domain does not run',
        '"rtvirt domain list" shows which ones do',
    ),
    _Row(
        r'domain is already running|Domain is already active',
        'the domain runs already',
        '"rtvirt domain verify" says whether it runs as planned',
    ),
    _Row(
        r'cannot undefine domain with nvram',
        'the domain has variables of its UEFI firmware',
        'run "virsh undefine --nvram" to remove them too, or with '
        '--keep-nvram to keep them',
    ),
    # Migration.
    _Row(
        # The ports that QEMU has for it at the destination.
        r"unable to connect to server at '(?P<host>[^']*):"
        r"49(?:1[5-9]|20|21)\d'",
        'the memory of the guest cannot be sent to {host}',
        'open its ports 49152-49215 for that (qemu.conf: '
        'migration_port_min), or name another way: --migrate-uri '
        'tcp://ADDRESS',
    ),
    _Row(
        r"[Uu]nable to resolve address '(?P<host>[^']*)'",
        'no address is known for the host {host}',
        'name it in DNS or in /etc/hosts, or give an address; where the '
        'destination alone calls itself so: --migrate-uri tcp://ADDRESS',
    ),
    _Row(
        r'Attempt to migrate guest to the same host',
        'source and destination are one host, or have the same UUID',
        'name another host; give a machine that was copied a host_uuid of '
        'its own in /etc/libvirt/libvirtd.conf',
    ),
    _Row(
        r'Unsafe migration: ',
        'a disk of the domain is not safe in the hands of two hosts',
        'put it on storage that both share, with cache="none"',
    ),
    _Row(
        r"guest CPU doesn't match specification|"
        r'CPU is incompatible with host CPU',
        'the host lacks features of the guest\'s processor',
        'choose a CPU model that all hosts have: virsh '
        'hypervisor-cpu-baseline',
    ),
    _Row(
        r'non-migratable CPU device \(invtsc flag\)',
        'the guest was promised a clock rate that another host may not have '
        '(invtsc)',
        'name the rate in its document, and use hosts with the same rate: '
        '<timer name="tsc" frequency="HZ"/>',
    ),
    _Row(
        r"cannot migrate a domain with <hostdev .*type='(?P<type>\w+)'",
        'the domain has a device of its host ({type}), which stays there',
        'detach it before: virsh detach-device --live NAME FILE',
    ),
    _Row(
        r"job '[^']*' canceled by client",
        'somebody has aborted the migration',
        'start it again; it was aborted by "virsh domjobabort" or its like',
    ),
    _Row(
        r'qemu unexpectedly closed the monitor$',
        'the QEMU of the guest has ended',
        'look at the end of its log in /var/log/libvirt/qemu, on the host '
        'where it was to run',
    ),
    # The daemon.
    _Row(
        r"Failed to connect socket to '(?P<path>[^']*)': Permission denied|"
        r'authentication (?:failed|unavailable|cancelled)|'
        r'[Aa]ccess denied|no polkit agent',
        'you may not manage libvirt',
        'be root, or a member of the group libvirt',
    ),
    _Row(
        r"Failed to connect socket to '(?P<path>[^']*)'",
        'libvirt does not answer',
        'start it: systemctl start libvirtd (or virtqemud)',
    ),
    _Row(
        r'Cannot recv data: (ssh: |.*Permission denied \(|.*Host key)',
        'ssh cannot get to the host',
        'try it by hand: ssh USER@HOST virsh list',
    ),
    _Row(
        r'Connection refused|unable to connect to server',
        'nobody answers there',
        'start libvirt there, and have it listen',
    ),
    _Row(
        r"Cannot read CA certificate '(?P<path>[^']*)'",
        'there are no certificates for TLS',
        'use ssh (qemu+ssh://host/system), or make them: '
        'https://libvirt.org/kbase/tlscerts.html',
    ),
    _Row(
        r'client socket is closed|Cannot (?:recv|write) data|'
        r'End of file while reading data|connection closed due to keepalive|'
        r'internal error: client socket',
        'libvirt has ended meanwhile',
        'once it runs again, "rtvirt domain list" shows what there is',
    ),
    _Row(
        r'read only access prevents',
        'the connection is for reading only',
        'connect without ?readonly',
    ),
    _Row(
        r'no connection driver available|transport in URL not recogni',
        'the URI names a hypervisor or a transport that is unknown here',
        'write it as in qemu:///system or qemu+ssh://host/system',
    ),
    _Row(
        r'Timed out during operation: cannot acquire state change lock',
        'libvirt is busy with this domain',
        'wait until it has finished; "virsh domjobinfo" shows what it does',
    ),
    _Row(
        r'operation is not supported|unsupported flags|'
        r'not supported by the connection driver',
        'this libvirt cannot do that',
        'a newer one may; "virsh version --daemon" shows which it is',
    ),
)
