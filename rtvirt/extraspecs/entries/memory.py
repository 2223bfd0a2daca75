# SPDX-License-Identifier: Apache-2.0
"""Rows: the guest's NUMA cells, its memory and its devices' affinity."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.spec import Kind
from rtvirt.extraspecs.spec import Spec
from rtvirt.extraspecs.spec import with_image
from rtvirt.model.guest import PCINUMAAffinityPolicy

_NUMA: Final = (
    *with_image(
        Spec(
            name='hw:numa_nodes',
            kind=Kind.NUMBER,
            minimum=1,
            default='1',
            description='How many NUMA cells the guest has.',
            effect='Each goes to a host cell of its own.',
            since='2014.2',
            source='_get_numa_node_count_constraint',
        ),
        since='2014.2',
    ),
    *with_image(
        Spec(
            name='hw:numa_cpus.{cell}',
            kind=Kind.CPUS,
            description=(
                'The vCPUs of one guest cell. Read from cell 0 up to the '
                'first gap; needs hw:numa_mem.N for the same cells.'
            ),
            effect='Divides the vCPUs among the guest cells.',
            since='2014.2',
            source='_get_numa_cpu_constraint',
        ),
        since='2014.2',
    ),
    *with_image(
        Spec(
            name='hw:numa_mem.{cell}',
            kind=Kind.NUMBER,
            minimum=1,
            description='The memory of one guest cell in MiB.',
            effect='Divides the memory among the guest cells.',
            since='2014.2',
            source='_get_numa_mem_constraint',
        ),
        since='2014.2',
    ),
    *with_image(
        Spec(
            name='hw:pci_numa_affinity_policy',
            kind=Kind.WORD,
            values=tuple(PCINUMAAffinityPolicy),
            default='legacy',
            description=(
                'How close passed-through devices must be to the vCPUs.'
            ),
            effect='Limits the host cells that the fit may choose.',
            since='21.0.0',
            source='get_pci_numa_policy_constraint',
        ),
        since='21.0.0',
    ),
)

_MEMORY: Final = (
    *with_image(
        Spec(
            name='hw:mem_page_size',
            kind=Kind.PAGE_SIZE,
            description=(
                'The size of the pages that back the guest: small, large, '
                'any, KiB without a unit, or with one. The image chooses '
                'only where the flavor says large or any.'
            ),
            effect='Decides the pages and the host cells that have them.',
            since='2015.1',
            source='_get_numa_pagesize_constraint',
        ),
        since='2015.1',
    ),
    *with_image(
        Spec(
            name='hw:locked_memory',
            kind=Kind.TRUTH,
            description=(
                'Whether guest memory must stay in RAM. Needs '
                'hw:mem_page_size.'
            ),
            effect='Written as <locked/>; real-time guests have it anyway.',
            since='26.0.0',
            source='get_locked_memory_constraint',
        ),
        since='26.0.0',
    ),
    *with_image(
        Spec(
            name='hw:mem_encryption',
            kind=Kind.TRUTH,
            description='Whether guest memory is encrypted.',
            effect=(
                'Locks memory under AMD SEV and SEV-ES; the encryption '
                'itself is left to nova.'
            ),
            since='20.0.0',
            source='get_mem_encryption_constraint',
        ),
        since='20.0.0',
    ),
    *with_image(
        Spec(
            name='hw:mem_encryption_model',
            kind=Kind.WORD,
            values=('amd-sev', 'amd-sev-es', 'amd-sev-snp', 'intel-tdx'),
            default='amd-sev',
            is_lenient=True,
            description='The technique of memory encryption.',
            effect='Decides whether encryption locks memory.',
            since='32.0.0',
            source='get_mem_encryption_constraint',
        ),
        since='32.0.0',
        is_lenient=False,
    ),
    Spec(
        name='hw:pmem',
        kind=Kind.TEXT,
        description='Labels of the persistent memory devices, with commas.',
        effect=('Gives the guest a NUMA cell; the devices are left to nova.'),
        since='20.0.0',
        source='get_vpmems',
    ),
)

_FIRMWARE: Final = (
    Spec(
        name='hw_firmware_type',
        kind=Kind.WORD,
        values=('uefi', 'bios'),
        description='The firmware the image boots with.',
        effect='Checked where memory encryption is asked for.',
        since='13.0.0',
        source='get_mem_encryption_constraint',
        is_image=True,
    ),
    Spec(
        name='hw_firmware_stateless',
        kind=Kind.TRUTH,
        description='Whether the firmware keeps no state.',
        effect='Checked where memory encryption is asked for.',
        since='30.0.0',
        source='get_stateless_firmware_constraint',
        is_image=True,
    ),
    Spec(
        name='hw_machine_type',
        kind=Kind.TEXT,
        description="QEMU's machine type.",
        effect='Checked where memory encryption is asked for.',
        since='12.0.0',
        source='get_mem_encryption_constraint',
        is_image=True,
    ),
    Spec(
        name='hw_video_model',
        kind=Kind.WORD,
        values=(
            'cirrus', 'qxl', 'vga', 'vmvga', 'xen', 'virtio', 'gop', 'none',
            'bochs',
        ),
        description='The video device.',
        effect='Checked where memory encryption is asked for.',
        since='12.0.0',
        source='get_mem_encryption_constraint',
        is_image=True,
    ),
)  # fmt: skip

SPECS: Final = (*_NUMA, *_MEMORY, *_FIRMWARE)
