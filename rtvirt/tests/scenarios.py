# SPDX-License-Identifier: Apache-2.0
"""What nova 34 does with flavors and images, rule by rule.

The unit tests hold rtvirt to it, the tests beside nova hold nova to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rtvirt.tests.flavors import Case


@dataclass(frozen=True)
class Scenario:
    """A flavor, an image, and what comes of them.

    :ivar expected: some of the facts of the outcome, as
        :func:`rtvirt.tests.outcome.facts` names them.
    :ivar refused: where not accepted, the key that the error is about.
    """

    title: str
    case: Case
    expected: dict[str, Any]
    refused: str = ''


def accepted(
    title: str,
    specs: dict[str, str],
    image: dict[str, str] | None = None,
    *,
    vcpus: int = 4,
    memory_mib: int = 4096,
    **expected: Any,
) -> Scenario:
    case = Case(vcpus, memory_mib, specs, image or {})
    return Scenario(title, case, expected)


def refused(
    key: str,
    specs: dict[str, str],
    image: dict[str, str] | None = None,
    *,
    vcpus: int = 4,
    memory_mib: int = 4096,
) -> Scenario:
    shown = [f'{k}={v}' for k, v in {**specs, **(image or {})}.items()]
    case = Case(vcpus, memory_mib, specs, image or {})
    return Scenario(f'refused {" ".join(shown)}', case, {}, key)


DEDICATED = {'hw:cpu_policy': 'dedicated'}
MIXED = {'hw:cpu_policy': 'mixed'}
RT = {**DEDICATED, 'hw:cpu_realtime': 'yes'}
ISOLATE = {'hw:emulator_threads_policy': 'isolate'}
SHARE = {'hw:emulator_threads_policy': 'share'}
MASK = 'hw:cpu_realtime_mask'
IMAGE_MASK = 'hw_cpu_realtime_mask'
PINS = 'hw:cpu_dedicated_mask'
SIZE = 'hw:mem_page_size'
IMAGE_SIZE = 'hw_mem_page_size'
TRAIT = 'HW_CPU_HYPERTHREADING'


def masks() -> Iterator[Scenario]:
    """The grammar of masks (``parse_cpu_spec``)."""
    for text, realtime in {
        '^0-1': '2-3',
        '^0': '1-3',
        '2-3': '2-3',
        '0-3,^0-1': '2-3',
        '^0,2': '1-3',
        '2-3,^3': '2',
        '^3,2-3': '0-2',
        '^0,^2': '1,3',
        ' 1 , 3 ': '1,3',
        ' ^0 ': '1-3',
        '1 - 2': '1-2',
        ',,1,': '1',
        '01': '1',
        '1-1': '1',
        '1-2,2-3': '1-3',
    }.items():
        yield accepted(f'mask {text}', {**RT, MASK: text}, realtime=realtime)
    for text in (
        'abc', '3-1', '2-9', '4', '^0-3', '0-3', '^', '1-', '-1', '1-^2',
        '^^1', '1;2', '0x1', ' ', ',', '1 2', '1-2-3',
    ):  # fmt: skip
        yield refused(MASK, {**RT, MASK: text})


def policies() -> Iterator[Scenario]:
    """``get_cpu_policy_constraint``: flavor against image."""
    words = ('', 'shared', 'dedicated', 'mixed')
    rank = {'': 0, 'shared': 0, 'mixed': 1, 'dedicated': 2}
    for flavor in words:
        for image in words:
            specs = {'hw:cpu_policy': flavor} if flavor else {}
            props = {'hw_cpu_policy': image} if image else {}
            policy = flavor or image or 'shared'
            if policy == 'mixed':
                specs[PINS] = '0'
            if flavor and rank[image] > rank[flavor]:
                yield refused('hw_cpu_policy', specs, props)
            else:
                yield accepted(
                    f'policy {flavor}+{image}', specs, props, policy=policy
                )
    yield accepted('no policy', {'hw:cpu_policy': ''}, policy='shared')
    yield refused('hw:cpu_policy', {'hw:cpu_policy': 'pinned'})
    yield refused('hw:cpu_policy', {'hw:cpu_policy': 'Dedicated'})
    yield refused('hw_cpu_policy', {}, {'hw_cpu_policy': 'pinned'})
    yield refused('hw_cpu_policy', {}, {'hw_cpu_policy': ''})
    one = [('0-3', '', 4096, None)]
    yield accepted('a guest that floats', {}, cells=[], policy='shared')
    yield accepted('shared floats', {'hw:cpu_policy': 'shared'}, cells=[])
    yield accepted('shared cell', {'hw:numa_nodes': '1'}, cells=one)


def resources() -> Iterator[Scenario]:
    """``_get_vcpu_pcpu_resources`` and the hyperthreading trait."""
    dedicated = [('', '0-3', 4096, None)]
    for key in ('resources:PCPU', 'resources1:PCPU', 'resources42:PCPU'):
        yield accepted(key, {key: '4'}, policy='dedicated', cells=dedicated)
        yield refused(key, {key: '3'})
        yield refused(key, {key: '-4'})
        yield refused(key, {key: '4', **ISOLATE})
        yield accepted(f'{key} isolate', {key: '5', **ISOLATE})
        yield refused(key, {key: '4', **DEDICATED})
        yield refused(key, {key: '4'}, {'hw_cpu_policy': 'shared'})
        yield accepted(f'{key} none', {key: '0', **DEDICATED})
        yield accepted(f'{key} odd', {key: 'x'}, policy='shared', cells=[])
    for key in ('resources_A:PCPU', 'resources01:PCPU', 'resources0:PCPU'):
        yield accepted(f'no group {key}', {key: '7'}, policy='shared')
    yield accepted(
        'two groups',
        {'resources1:PCPU': '1', 'resources2:PCPU': '3'},
        policy='dedicated',
    )
    yield accepted(
        'realtime by resources',
        {'resources:PCPU': '4', 'hw:cpu_realtime': 'yes', MASK: '^0'},
        realtime='1-3',
    )
    yield accepted('VCPU', {'resources:VCPU': '9'}, policy='shared', cells=[])
    yield refused('resources:VCPU', {'resources:VCPU': '4', **DEDICATED})
    yield refused(
        'resources:VCPU', {'resources:VCPU': '2', 'resources:PCPU': '2'}
    )
    for key in (f'trait:{TRAIT}', f'trait7:{TRAIT}'):
        for word, threads in (
            ('required', 'require'),
            ('forbidden', 'isolate'),
        ):
            specs = {**DEDICATED, key: word}
            yield accepted(f'{key}={word}', specs, threads=threads)
        yield accepted(
            f'{key}=maybe', {**DEDICATED, key: 'maybe'}, threads=None
        )
        yield refused(
            key,
            {**DEDICATED, key: 'required', 'hw:cpu_thread_policy': 'require'},
        )
        yield refused(
            key,
            {**DEDICATED, key: 'maybe'},
            {'hw_cpu_thread_policy': 'prefer'},
        )
        yield refused(key, {key: 'required'})
    yield accepted(
        'the first trait counts',
        {
            **DEDICATED,
            f'trait2:{TRAIT}': 'forbidden',
            f'trait:{TRAIT}': 'required',
        },
        threads='isolate',
    )
    image = {f'trait:{TRAIT}': 'required'}
    yield accepted('trait of the image', DEDICATED, image, threads='require')
    yield accepted(
        'the flavor has the trait',
        {**DEDICATED, f'trait:{TRAIT}': 'forbidden'},
        image,
        threads='isolate',
    )
    yield accepted(
        'an image forbids no trait',
        DEDICATED,
        {f'trait:{TRAIT}': 'forbidden'},
        threads=None,
    )
    yield refused(f'trait:{TRAIT}', {}, image)


def realtime() -> Iterator[Scenario]:
    """``get_realtime_cpu_constraint`` and what it needs."""
    for word in ('yes', 'true', 'True', 'TRUE', 'on', 'y', 't', '1', ' Yes '):
        yield accepted(
            f'realtime {word}',
            {**DEDICATED, 'hw:cpu_realtime': word, MASK: '^0'},
            realtime='1-3',
            locked=True,
        )
    for word in ('no', 'false', 'off', '0', '', 'maybe', '2', 'ture'):
        yield accepted(
            f'realtime {word}',
            {**DEDICATED, 'hw:cpu_realtime': word, MASK: '^0'},
            realtime='',
            locked=False,
        )
    yield accepted('mask alone', {**DEDICATED, MASK: '^0'}, realtime='')
    yield accepted(
        'the mask of the image',
        {**RT, MASK: '^0'},
        {IMAGE_MASK: '^1'},
        realtime='0,2-3',
    )
    yield accepted(
        'an empty mask of the image',
        {**RT, MASK: '^0'},
        {IMAGE_MASK: ''},
        realtime='1-3',
    )
    yield refused(IMAGE_MASK, {**RT, MASK: '^0'}, {IMAGE_MASK: 'abc'})
    yield refused(IMAGE_MASK, {**RT, MASK: '^0'}, {IMAGE_MASK: '0-3'})
    yield accepted(
        'the image alone does nothing', DEDICATED, {IMAGE_MASK: '9-1'},
        realtime='',
    )  # fmt: skip
    yield refused('hw:cpu_realtime', RT)
    yield refused(MASK, {**RT, MASK: '0-3'})
    yield refused(MASK, {**RT, MASK: ''})
    for emulator in (ISOLATE, SHARE):
        for mask in ({}, {MASK: '0-3'}, {MASK: ''}):
            yield accepted(
                f'all vCPUs {mask} {emulator}',
                {**RT, **emulator, **mask},
                realtime='0-3',
            )
        yield refused(MASK, {**RT, **emulator, MASK: '^0-3'})
        yield refused(MASK, {**RT, **emulator, MASK: '2-9'})
    floating = {'hw:cpu_realtime': 'yes', MASK: '^0'}
    yield refused('hw:cpu_realtime', floating)
    yield refused('hw:cpu_realtime', {**floating, 'hw:cpu_policy': 'shared'})
    yield accepted(
        'the image pins',
        floating,
        {'hw_cpu_policy': 'dedicated'},
        realtime='1-3',
    )
    yield refused('hw:cpu_realtime', RT, vcpus=1)
    yield accepted('one vCPU', {**RT, **ISOLATE}, vcpus=1, realtime='0')


def mixed() -> Iterator[Scenario]:
    """``get_dedicated_cpu_constraint`` and mixed guests."""
    yield accepted(
        'mixed', {**MIXED, PINS: '^0-1'}, cells=[('0-1', '2-3', 4096, None)]
    )
    yield accepted(
        'mixed list',
        {**MIXED, PINS: '3,1'},
        cells=[('0,2', '1,3', 4096, None)],
    )
    yield accepted('beyond', {**MIXED, PINS: '^0,^9'}, policy='mixed')
    for text in ('0-3', '^0-3', '4', '2-9', 'abc', '^9', ',', ' '):
        yield refused(PINS, {**MIXED, PINS: text})
    for policy in ({}, {'hw:cpu_policy': 'shared'}, DEDICATED):
        yield refused(PINS, {**policy, PINS: '^0'})
        yield refused(PINS, {**policy, PINS: '0-3'})
        yield accepted(f'no mask {policy}', {**policy, PINS: ''})
    yield refused('hw:cpu_policy', MIXED)
    yield refused('hw:cpu_policy', {**MIXED, MASK: '^0'})
    yield refused('hw_cpu_policy', {}, {'hw_cpu_policy': 'mixed'})
    rt = {**MIXED, 'hw:cpu_realtime': 'yes'}
    yield accepted(
        'mixed realtime',
        {**rt, MASK: '^0'},
        realtime='1-3',
        cells=[('0', '1-3', 4096, None)],
    )
    yield refused(PINS, {**rt, MASK: '^0', PINS: '^0'})
    yield refused('hw:cpu_realtime', rt)
    for emulator in (ISOLATE, SHARE):
        yield accepted(
            f'nothing shared {emulator}',
            {**rt, **emulator},
            policy='mixed',
            realtime='0-3',
            cells=[('', '0-3', 4096, None)],
        )


def emulator() -> Iterator[Scenario]:
    """``get_emulator_thread_policy_constraint``."""
    key = 'hw:emulator_threads_policy'
    for policy in (DEDICATED, {**MIXED, PINS: '0'}):
        for word in ('isolate', 'share'):
            yield accepted(
                f'emulator {word} {policy}',
                {**policy, key: word},
                emulator=word,
            )
        yield accepted(
            'no emulator policy', {**policy, key: ''}, emulator=None
        )
    for policy in ({}, {'hw:cpu_policy': 'shared'}, {'hw:numa_nodes': '1'}):
        yield refused(key, {**policy, key: 'isolate'})
    yield accepted('share floats', SHARE, emulator=None, cells=[])
    yield accepted(
        'share in a cell', {**SHARE, 'hw:numa_nodes': '1'}, emulator='share'
    )
    yield refused(key, {**DEDICATED, key: 'shared'})
    yield refused(key, {key: 'Share'})


def threads() -> Iterator[Scenario]:
    """``get_cpu_thread_policy_constraint``: flavor against image."""
    key = 'hw:cpu_thread_policy'
    words = ('', 'prefer', 'isolate', 'require')
    for flavor in words:
        for image in words:
            specs = {**DEDICATED, key: flavor} if flavor else DEDICATED
            props = {'hw_cpu_thread_policy': image} if image else {}
            if flavor in ('', 'prefer') or image in ('', flavor):
                yield accepted(
                    f'threads {flavor}+{image}',
                    specs,
                    props,
                    threads=flavor or image or None,
                )
            else:
                yield refused('hw_cpu_thread_policy', specs, props)
    for policy in ({}, {'hw:cpu_policy': 'shared'}):
        for word in words[1:]:
            yield refused(key, {**policy, key: word})
        yield refused(
            'hw_cpu_thread_policy', policy, {'hw_cpu_thread_policy': 'prefer'}
        )
    yield refused(key, {**DEDICATED, key: 'avoid'})
    yield refused(
        'hw_cpu_thread_policy', DEDICATED, {'hw_cpu_thread_policy': 'avoid'}
    )
    yield accepted(
        'threads of mixed', {**MIXED, PINS: '0', key: 'isolate'},
        threads='isolate',
    )  # fmt: skip


def _lists(
    cells: list[tuple[str, str]], prefix: str = 'hw:'
) -> dict[str, str]:
    return {
        f'{prefix}numa_{what}.{cell}': value
        for cell, both in enumerate(cells)
        for what, value in zip(('cpus', 'mem'), both, strict=True)
    }


def numa() -> Iterator[Scenario]:
    """The number of cells and what is in them."""
    key = 'hw:numa_nodes'
    two = {key: '2'}
    halves = [('0-1', '', 2048, None), ('2-3', '', 2048, None)]
    yield accepted('two cells', two, cells=halves)
    yield accepted(
        'two cells pinned',
        {**two, **DEDICATED},
        cells=[('', '0-1', 2048, None), ('', '2-3', 2048, None)],
    )
    yield accepted(
        'cells of the image', {}, {'hw_numa_nodes': '2'}, cells=halves
    )
    yield accepted(
        'zero in the image', two, {'hw_numa_nodes': '0'}, cells=halves
    )
    yield accepted('no number', {key: ''}, cells=[])
    for text in ('0', '-1', 'x', '1.0', ' 1', '+1', '01', '1_0'):
        yield refused(key, {key: text})
    for text in ('0', '-1', 'x', '', '1.0'):
        yield refused('hw_numa_nodes', {}, {'hw_numa_nodes': text})
    yield refused('hw_numa_nodes', two, {'hw_numa_nodes': '2'})
    yield refused(key, {key: '3'})
    yield refused(key, two, vcpus=3)
    yield refused(key, two, memory_mib=4097)
    yield accepted(
        'as many cells as vCPUs', {key: '130'}, vcpus=130, memory_mib=130
    )
    uneven = [('0', '1024'), ('1-3', '3072')]
    wanted = [('0', '', 1024, None), ('1-3', '', 3072, None)]
    yield accepted('uneven', {**two, **_lists(uneven)}, cells=wanted)
    yield accepted('uneven image', two, _lists(uneven, 'hw_'), cells=wanted)
    yield accepted(
        'vCPUs of the flavor, memory of the image',
        {**two, 'hw:numa_cpus.0': '0', 'hw:numa_cpus.1': '1-3'},
        {'hw_numa_mem.0': '1024', 'hw_numa_mem.1': '3072'},
        cells=wanted,
    )
    yield accepted(
        'one cell by default', {**DEDICATED, **_lists([('0-3', '4096')])},
        cells=[('', '0-3', 4096, None)],
    )  # fmt: skip
    yield accepted(
        'a cell without vCPUs',
        {**two, **_lists([('0-3', '1024'), ('', '3072')])},
        cells=[('0-3', '', 1024, None), ('', '', 3072, None)],
    )
    yield accepted('lists without cells', _lists([('9', '1')]), cells=[])
    yield accepted(
        'from one on', {**two, 'hw:numa_cpus.1': '0', 'hw:numa_mem.1': '1'},
        cells=halves,
    )  # fmt: skip
    yield accepted(
        'beyond a gap', {**two, **_lists(uneven), 'hw:numa_cpus.3': '0-3'},
        cells=wanted,
    )  # fmt: skip
    yield accepted(
        'mixed cells',
        {**two, **MIXED, PINS: '1-2', **_lists(uneven)},
        cells=[('0', '', 1024, None), ('3', '1-2', 3072, None)],
    )
    cpus = 'hw:numa_cpus.0'
    mem = 'hw:numa_mem.0'
    yield refused(cpus, {**DEDICATED, **_lists(uneven)})
    yield refused(cpus, {**two, cpus: '0', 'hw:numa_cpus.1': '1-3'})
    yield refused(mem, {**two, mem: '1024', 'hw:numa_mem.1': '3072'})
    yield refused(cpus, {**two, **_lists(uneven[:1])})
    yield refused(cpus, {**two, **_lists([*uneven, ('', '1')])})
    yield refused('hw_numa_cpus.0', {**two, **_lists(uneven)},
                  _lists(uneven, 'hw_'))  # fmt: skip
    yield refused(
        'hw:numa_cpus.1', {**two, **_lists([('0', '1024'), ('0-3', '3072')])}
    )
    yield refused(cpus, {**two, **_lists([('0', '1024'), ('1-2', '3072')])})
    yield refused(
        'hw:numa_cpus.1', {**two, **_lists([('0', '1024'), ('1-4', '3072')])}
    )
    yield refused(mem, {**two, **_lists([('0', '1024'), ('1-3', '1024')])})
    yield refused(cpus, {**two, **_lists([('x', '1024'), ('1-3', '3072')])})
    yield refused(mem, {**two, **_lists([('0', 'abc'), ('1-3', '3072')])})
    yield refused('hw_numa_cpus.0', {}, {'hw_numa_cpus.0': 'abc'})
    yield refused('hw_numa_mem.0', {}, {'hw_numa_mem.0': '1.5'})
    yield accepted('pmem', {'hw:pmem': '6GB, 16GB'},
                   cells=[('0-3', '', 4096, None)])  # fmt: skip
    yield accepted('no pmem', {'hw:pmem': ', '}, cells=[])


def page_sizes() -> Iterator[Scenario]:
    """``_get_numa_pagesize_constraint``."""
    for text, size in {
        'small': 'small', 'large': 'large', 'any': 'any', '4': 4,
        '2048': 2048, '1048576': 1048576, '2MB': 2048, '2MiB': 2048,
        '2048KB': 2048, '2048KiB': 2048, '1GB': 1048576, '1GiB': 1048576,
        '16Mbit': 2048, '16Mb': 2048, '16Mib': 2048, '0.5GB': 524288,
        '.5GB': 524288, '+2MB': 2048, '2097152B': 2048, '007': 7,
        '1TB': 1 << 30,
    }.items():  # fmt: skip
        cells = [('0-3', '', 4096, size)]
        yield accepted(f'page size {text}', {SIZE: text}, cells=cells)
    for text in ('', '0', '0KB', '00'):
        yield accepted(f'no page size {text!r}', {SIZE: text}, cells=[])
    for text in (
        'huge', 'Large', '2 MB', ' 2MB', '2mB', '1gb', '2048kbit', '2MBs',
        '0x800', '1e3', '-1', '+4', '1.5', 'MB', 'B', '2MKB', '2Xb', '2ib',
        '16kb',
    ):  # fmt: skip
        yield refused(SIZE, {SIZE: text})
    for text in ('any', 'large'):
        for image, size in (
            ('2MB', 2048), ('small', 'small'), ('any', 'any'), ('', text),
            ('2048', 2048), ('large', 'large'),
        ):  # fmt: skip
            yield accepted(
                f'page size {text}+{image}',
                {SIZE: text},
                {IMAGE_SIZE: image},
                cells=[('0-3', '', 4096, size)],
            )
        yield refused(IMAGE_SIZE, {SIZE: text}, {IMAGE_SIZE: 'huge'})
        yield accepted(
            f'{text} and 0', {SIZE: text}, {IMAGE_SIZE: '0'}, cells=[]
        )
    for text in ('small', '2048', '2MB', '0'):
        for image in ('2MB', 'small', '2048'):
            yield refused(IMAGE_SIZE, {SIZE: text}, {IMAGE_SIZE: image})
        yield accepted(f'{text} and none', {SIZE: text}, {IMAGE_SIZE: ''})
    for image in ('2MB', 'any', '0'):
        yield refused(IMAGE_SIZE, {}, {IMAGE_SIZE: image})
        yield refused(IMAGE_SIZE, {SIZE: ''}, {IMAGE_SIZE: image})


def truths() -> Iterator[Scenario]:
    """Locked memory, encryption, PMU: flavor against image."""
    locked = 'hw:locked_memory'
    sized = {SIZE: '2MB'}
    yield accepted('locked', {**sized, locked: 'yes'}, locked=True)
    yield accepted('not locked', {locked: 'no'}, locked=False)
    yield accepted('by image', sized, {'hw_locked_memory': 'yes'}, locked=True)
    yield accepted('no size', {SIZE: '0', locked: 'yes'}, locked=True)
    yield accepted(
        'agreed',
        {**sized, locked: 'on'},
        {'hw_locked_memory': '1'},
        locked=True,
    )
    yield refused(locked, {locked: 'yes'})
    yield refused('hw_locked_memory', {}, {'hw_locked_memory': 'yes'})
    yield refused(locked, {**sized, locked: 'yes'}, {'hw_locked_memory': 'no'})
    yield refused(locked, {locked: 'no'}, {'hw_locked_memory': 'yes'})
    pmu = 'hw:pmu'
    for flavor, image, value in (
        ('yes', '', True), ('no', '', False), ('', 'yes', True),
        ('', 'no', False), ('yes', '1', True), ('maybe', 'no', False),
    ):  # fmt: skip
        yield accepted(
            f'pmu {flavor}+{image}',
            {pmu: flavor} if flavor else {},
            {'hw_pmu': image} if image else {},
            pmu=value,
        )
    yield accepted('pmu unsaid', {}, pmu=None)
    yield accepted('pmu empty', {pmu: ''}, pmu=False)
    yield refused(pmu, {pmu: 'yes'}, {'hw_pmu': 'no'})
    yield refused(pmu, {pmu: 'no'}, {'hw_pmu': 'yes'})
    queues = 'hw:vif_multiqueue_enabled'
    single = {'hw_vif_multiqueue_enabled': 'no'}
    yield refused(queues, {queues: 'yes'}, single)
    yield accepted('one vCPU has one queue', {queues: 'yes'}, single, vcpus=1)
    for key in ('hw:hide_hypervisor_id', 'hide_hypervisor_id'):
        yield accepted(key, {key: 'true'}, hidden=True)
        yield accepted(f'not {key}', {key: 'no'}, hidden=False)
    hide = {'img_hide_hypervisor_id': 'yes'}
    yield accepted(
        'hidden', {'hw:hide_hypervisor_id': 'no'}, hide, hidden=True
    )
    yield from encryption()


def encryption() -> Iterator[Scenario]:
    """``get_mem_encryption_constraint``."""
    key = 'hw:mem_encryption'
    model = 'hw:mem_encryption_model'
    image_model = 'hw_mem_encryption_model'
    uefi = {'hw_firmware_type': 'uefi'}
    snp = {**uefi, 'hw_firmware_stateless': 'yes'}
    tdx = {**snp, 'hw_video_model': 'none'}
    on = {key: 'yes'}
    yield accepted('SEV', on, uefi, locked=True)
    yield accepted(
        'SEV image', {}, {**uefi, 'hw_mem_encryption': 'yes'}, locked=True
    )
    yield accepted('off', {key: 'no', model: 'sev'}, locked=False)
    lock = {SIZE: '2MB', 'hw:locked_memory': 'yes'}
    yield accepted('locked anyway', {**lock, key: 'no'}, locked=True)
    yield accepted('SEV-ES', {**on, model: 'amd-sev-es'}, uefi, locked=True)
    yield accepted('SNP', {**on, model: 'amd-sev-snp'}, snp, locked=False)
    yield accepted('TDX', {**on, model: 'intel-tdx'}, tdx, locked=False)
    yield accepted(
        'q35', on, {**uefi, 'hw_machine_type': 'pc-q35-7.2'}, locked=True
    )
    yield accepted('any', {**on, model: ''}, uefi, locked=True)
    yield refused(key, on)
    yield refused('hw_firmware_type', on, {'hw_firmware_type': 'bios'})
    yield refused('hw_machine_type', on, {**uefi, 'hw_machine_type': 'pc'})
    yield refused(key, {**on, model: 'amd-sev-snp'}, uefi)
    yield refused(key, {**on, model: 'intel-tdx'}, snp)
    yield refused(key, on, {**uefi, 'hw_mem_encryption': 'no'})
    yield refused(key, {key: 'no'}, {**uefi, 'hw_mem_encryption': 'yes'})
    yield refused(model, {**on, model: 'sev'}, uefi)
    yield refused(
        model, {**on, model: 'amd-sev'}, {**snp, image_model: 'amd-sev-es'}
    )
    yield refused(model, {**on, model: ''}, {**uefi, image_model: 'amd-sev'})
    yield refused(image_model, {}, {image_model: 'sev'})
    yield refused('hw_firmware_type', {}, {'hw_firmware_type': 'coreboot'})


def topologies() -> Iterator[Scenario]:
    """``get_cpu_topology_constraints``, ``get_best_cpu_topology``."""
    s, c, t = 'hw:cpu_sockets', 'hw:cpu_cores', 'hw:cpu_threads'
    ms, mc, mt = 'hw:cpu_max_sockets', 'hw:cpu_max_cores', 'hw:cpu_max_threads'
    for vcpus, specs, wanted in (
        (4, {}, (4, 1, 1)),
        (4, {s: '2'}, (2, 2, 1)),
        (4, {c: '2'}, (2, 2, 1)),
        (4, {t: '2'}, (2, 1, 2)),
        (4, {s: '3'}, (4, 1, 1)),
        (4, {s: '0'}, (4, 1, 1)),
        (4, {s: '-1'}, (4, 1, 1)),
        (4, {s: '1', c: '2', t: '2'}, (1, 2, 2)),
        (8, {s: '2', t: '2'}, (2, 2, 2)),
        (8, {s: '4', c: '4', t: '4'}, (4, 2, 1)),
        (8, {s: '9', c: '2'}, (4, 2, 1)),
        (12, {ms: '2'}, (2, 6, 1)),
        (12, {ms: '2', mc: '3'}, (2, 3, 2)),
        (12, {ms: '2', s: '4'}, (2, 6, 1)),
        (12, {ms: '2', s: '4', c: '3'}, (2, 6, 1)),
        (12, {ms: '2', c: '3'}, (2, 3, 2)),
        (7, {ms: '1', mc: '1'}, (1, 1, 7)),
        (4, {ms: '0'}, (4, 1, 1)),
        (4, {s: '65537'}, (4, 1, 1)),
        (64, {c: '16'}, (4, 16, 1)),
    ):
        yield accepted(
            f'{vcpus} vCPUs {specs}', specs, vcpus=vcpus, topology=wanted
        )
    image = 'hw_cpu_sockets'
    yield accepted('image', {c: '4'}, {image: '2'}, topology=(2, 2, 1))
    yield accepted('zero', {c: '4'}, {image: '0'}, topology=(1, 4, 1))
    yield accepted(
        'lower limit',
        {ms: '4'},
        {'hw_cpu_max_sockets': '2'},
        topology=(2, 2, 1),
    )
    yield accepted(
        'the limit puts wishes aside',
        {s: '4', c: '1'},
        {'hw_cpu_max_sockets': '2'},
        topology=(2, 2, 1),
    )
    yield refused(ms, {ms: '2'}, {'hw_cpu_max_sockets': '4'})
    yield refused(ms, {ms: '-1'})
    yield refused(image, {ms: '2'}, {image: '4'})
    yield refused(image, {}, {image: '65537'})
    yield refused(ms, {mt: '1', mc: '1', ms: '2'})
    yield refused(ms, {ms: '3', mc: '1', mt: '1'})
    for key in (s, c, t, ms, mc, mt):
        for text in ('', 'x', '1.0', '0x1'):
            yield refused(key, {key: text})
        name = key.replace(':', '_')
        yield refused(name, {}, {name: 'x'})


def others() -> Iterator[Scenario]:
    """Device affinity, quotas, and names that nova does not know."""
    key = 'hw:pci_numa_affinity_policy'
    image = 'hw_pci_numa_affinity_policy'
    for word in ('required', 'preferred', 'legacy', 'socket'):
        yield accepted(f'pci {word}', {key: word}, pci=word)
        yield accepted(f'pci image {word}', {}, {image: word}, pci=word)
        yield accepted(
            f'pci both {word}', {key: word}, {image: word}, pci=word
        )
    yield accepted('no pci', {key: ''}, pci=None)
    yield refused(key, {key: 'never'})
    yield refused(image, {}, {image: 'never'})
    yield refused(key, {key: 'required'}, {image: 'legacy'})
    yield accepted(
        'quota',
        {
            'quota:cpu_shares': '2048',
            'quota:cpu_period': '10000',
            'quota:cpu_quota': '-1',
        },
        quota=(2048, 10000, -1),
    )
    yield accepted(
        'no quota', {'quota:cpu_quota': '0'}, quota=(None, None, None)
    )
    for name in ('shares', 'period', 'quota'):
        for text in ('', 'x', '1.5'):
            yield refused(f'quota:cpu_{name}', {f'quota:cpu_{name}': text})
    for key in (
        'hw:cpu_realttime', 'hw:emulator_thread_policy',
        'hw:emulator_treads_policy', 'hw:', 'hw:numa_cpus', 'hw:numa_cpus.',
        'hw:numa_cpus.x', 'hw:cpu_policy ', 'hw:CPU_POLICY', 'hw:rt_priority',
    ):  # fmt: skip
        yield refused(key, {key: 'yes'})
    for key in ('os:secure_boot', 'capabilities:hypervisor_type', 'mine'):
        yield accepted(f'foreign {key}', {key: 'required'})
    for key in ('hw_cpu_polcy', 'os_distro', 'mine', 'hw:cpu_policy'):
        yield accepted(f'foreign {key} of an image', {}, {key: 'dedicated'})


SCENARIOS: list[Scenario] = [
    scenario
    for rule in (
        masks, policies, resources, realtime, mixed, emulator, threads, numa,
        page_sizes, truths, topologies, others,
    )
    for scenario in rule()
]  # fmt: skip
