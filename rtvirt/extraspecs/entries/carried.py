# SPDX-License-Identifier: Apache-2.0
"""Rows: what nova knows and rtvirt lets pass.

A name that stands here is no slip of the pen. Its value is left to nova.
"""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Role
from rtvirt.extraspecs.spec import Spec

_DISK_BUSES: Final = (
    'fdc', 'ide', 'sata', 'scsi', 'usb', 'virtio', 'xen', 'lxc', 'uml',
)  # fmt: skip
_VALIDATORS: Final = 'nova.api.validation.extra_specs.'
_FIELDS: Final = 'nova.objects.image_meta ImageMetaProps'

_Row = tuple[str, Kind, tuple[str, ...], str, str]

_EXTRA_SPECS: Final[tuple[_Row, ...]] = (
    ('boot_menu', Kind.TRUTH, (), '2014.2', 'A boot menu.'),
    ('ephemeral_encryption', Kind.TRUTH, (), '26.0.0', 'Encrypted disks.'),
    (
        'ephemeral_encryption_format', Kind.WORD,
        ('plain', 'luks', 'luksv2'), '26.0.0', 'How disks are encrypted.',
    ),
    ('maxphysaddr_bits', Kind.NUMBER, (), '29.0.0', 'Bits of an address.'),
    (
        'maxphysaddr_mode', Kind.WORD, ('passthrough', 'emulate'), '29.0.0',
        "Whose bits of an address: the host's or maxphysaddr_bits.",
    ),
    ('redirected_usb_ports', Kind.NUMBER, (), '32.0.0', 'USB redirection.'),
    ('serial_port_count', Kind.NUMBER, (), '2014.2', 'Serial ports.'),
    (
        'sound_model', Kind.WORD,
        (
            'sb16', 'es1370', 'pcspk', 'ac97', 'ich6', 'ich9', 'usb',
            'virtio',
        ),
        '32.0.0', 'The sound device.',
    ),
    ('tpm_model', Kind.WORD, ('tpm-tis', 'tpm-crb'), '22.0.0', 'The TPM.'),
    (
        'tpm_secret_security', Kind.WORD, ('user', 'host', 'deployment'),
        '33.0.0', "Who may read the TPM's secret.",
    ),
    ('tpm_version', Kind.WORD, ('1.2', '2.0'), '22.0.0', 'The TPM.'),
    (
        'usb_model', Kind.WORD, ('none', 'nec-xhci', 'qemu-xhci'), '32.0.0',
        'The USB controller.',
    ),
    (
        'viommu_model', Kind.WORD, ('intel', 'smmuv3', 'virtio', 'auto'),
        '26.0.0', 'The IOMMU the guest sees.',
    ),
    ('virtio_packed_ring', Kind.TRUTH, (), '29.0.0', 'Packed virtqueues.'),
    (
        'watchdog_action', Kind.WORD,
        ('none', 'pause', 'poweroff', 'reset', 'disabled'), '2014.1',
        'What the watchdog does.',
    ),
)  # fmt: skip

_IMAGE_PROPERTIES: Final[tuple[_Row, ...]] = (
    ('architecture', Kind.TEXT, (), '12.0.0', 'The CPU architecture.'),
    ('auto_disk_config', Kind.TEXT, (), '12.0.0', 'Whether disks grow.'),
    ('cdrom_bus', Kind.WORD, _DISK_BUSES, '12.0.0', 'The bus of CD-ROMs.'),
    ('device_id', Kind.NUMBER, (), '12.0.0', 'Xen guest tools.'),
    ('disk_bus', Kind.WORD, _DISK_BUSES, '12.0.0', 'The bus of disks.'),
    ('disk_type', Kind.TEXT, (), '12.0.0', 'How disks are allocated.'),
    ('emulation_architecture', Kind.TEXT, (), '25.0.0', 'Emulated CPU.'),
    (
        'ephemeral_encryption_secret_uuid', Kind.TEXT, (), '29.0.0',
        'The secret of encrypted disks.',
    ),
    ('floppy_bus', Kind.WORD, _DISK_BUSES, '12.0.0', 'The bus of floppies.'),
    ('input_bus', Kind.WORD, ('usb', 'virtio'), '23.0.0', 'Input devices.'),
    ('ipxe_boot', Kind.TRUTH, (), '12.0.0', 'Boot over the network.'),
    (
        'pointer_model', Kind.WORD, ('usbtablet',), '14.0.0',
        'The pointer device.',
    ),
    ('qemu_guest_agent', Kind.TRUTH, (), '12.0.0', 'A channel for qemu-ga.'),
    ('rescue_bus', Kind.WORD, _DISK_BUSES, '21.0.0', 'The rescue disk.'),
    (
        'rescue_device', Kind.WORD,
        ('cdrom', 'disk', 'floppy', 'fs', 'lun'), '21.0.0',
        'The rescue disk.',
    ),
    ('rng_model', Kind.WORD, ('virtio',), '12.0.0', 'The random generator.'),
    (
        'scsi_model', Kind.WORD,
        (
            'buslogic', 'ibmvscsi', 'lsilogic', 'lsisas1068', 'lsisas1078',
            'virtio-scsi', 'vmpvscsi',
        ),
        '12.0.0', 'The SCSI controller.',
    ),
    ('time_hpet', Kind.TRUTH, (), '19.0.0', 'Whether there is an HPET.'),
    ('video_ram', Kind.NUMBER, (), '12.0.0', 'MiB of video memory.'),
    (
        'vif_model', Kind.WORD,
        (
            'virtio', 'ne2k_pci', 'pcnet', 'rtl8139', 'e1000', 'e1000e',
            'netfront', 'spapr-vlan', 'lan9118', 'sriov', 'vmxnet',
            'vmxnet3', 'igb',
        ),
        '12.0.0', 'Network devices.',
    ),
    ('vm_mode', Kind.TEXT, (), '12.0.0', 'Full or para-virtualisation.'),
)  # fmt: skip

_QUOTAS: Final[tuple[_Row, ...]] = (
    ('cpu_limit', Kind.NUMBER, (), '13.0.0', 'VMware: MHz at most.'),
    ('cpu_reservation', Kind.NUMBER, (), '13.0.0', 'VMware: MHz kept.'),
    (
        'cpu_shares_level', Kind.WORD, ('custom', 'high', 'normal', 'low'),
        '13.0.0', 'VMware: weight.',
    ),
    ('cpu_shares_share', Kind.NUMBER, (), '13.0.0', 'VMware: weight.'),
)  # fmt: skip

_ONLY_IN_FLAVORS: Final = frozenset({'tpm_secret_security'})


def _carried(row: _Row, prefix: str, *, is_image: bool, twin: str) -> Spec:
    name, kind, values, since, description = row
    return Spec(
        name=prefix + name,
        kind=kind,
        values=values,
        description=description,
        effect='Carried by nova; no effect here.',
        since=since,
        source=_FIELDS if is_image else _VALIDATORS + prefix.rstrip(':'),
        role=Role.NOVA,
        is_image=is_image,
        twin=twin and twin + name,
    )


def _extra_spec(row: _Row) -> tuple[Spec, ...]:
    if row[0] in _ONLY_IN_FLAVORS:
        return (_carried(row, 'hw:', is_image=False, twin=''),)
    return (
        _carried(row, 'hw:', is_image=False, twin='hw_'),
        _carried(row, 'hw_', is_image=True, twin='hw:'),
    )


SPECS: Final = (
    *(spec for row in _EXTRA_SPECS for spec in _extra_spec(row)),
    *(_carried(row, 'quota:', is_image=False, twin='') for row in _QUOTAS),
    *(
        _carried(row, 'hw_', is_image=True, twin='')
        for row in _IMAGE_PROPERTIES
    ),
)
