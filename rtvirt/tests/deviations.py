# SPDX-License-Identifier: Apache-2.0
"""Flavors and images on which rtvirt and nova differ, by deviation.

The unit tests hold rtvirt's side to them, the tests beside nova both.
"""

SIZE = 'hw:mem_page_size'
RT = {
    'hw:cpu_policy': 'dedicated',
    'hw:cpu_realtime': 'yes',
    'hw:emulator_threads_policy': 'isolate',
}
TWO = {'hw:numa_nodes': '2', 'hw:numa_cpus.0': '0-3', 'hw:numa_cpus.1': ''}

NOVA_REFUSES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ('page-size-units', {SIZE: '2M'}, {}),
    ('page-size-units', {SIZE: '1G'}, {}),
    ('page-size-units', {SIZE: '2048kB'}, {}),
    ('page-size-units', {SIZE: '2048Ki'}, {}),
    ('page-size-units', {SIZE: 'any'}, {'hw_mem_page_size': '2M'}),
    ('image-values', {}, {'hw_disk_bus': 'nvme'}),
    ('address-bits', {'hw:maxphysaddr_mode': 'emulate'}, {}),
]

RTVIRT_REFUSES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ('page-size-whole', {SIZE: '0.3MB'}, {}),
    ('page-size-whole', {SIZE: '8bit'}, {}),
    ('page-size-whole', {SIZE: '-1KB'}, {}),
    ('page-size-whole', {SIZE: '1YB'}, {}),
    ('page-size-whole', {SIZE: '9' * 19}, {}),
    ('cell-memory', TWO | {'hw:numa_mem.0': '4096', 'hw:numa_mem.1': '0'}, {}),
    (
        'cell-memory',
        TWO | {'hw:numa_mem.0': '4097', 'hw:numa_mem.1': '-1'},
        {},
    ),
    ('realtime-mask-range', RT | {'hw:cpu_realtime_mask': '^9'}, {}),
    ('realtime-mask-range', RT | {'hw:cpu_realtime_mask': '^0,^9'}, {}),
    ('realtime-mask-range', RT, {'hw_cpu_realtime_mask': '^4'}),
    ('realtime-mask-range', {'hw:cpu_realtime_mask': '2-9'}, {}),
    ('realtime-mask-range', {'hw:cpu_realtime_mask': 'abc'}, {}),
    (
        'realtime-mask-range',
        RT | {'hw:cpu_realtime_mask': '2-9'},
        {'hw_cpu_realtime_mask': '^0'},
    ),
    ('empty-thread-policy', {'hw:cpu_thread_policy': ''}, {}),
    ('unread-lists', {'hw:numa_mem.0': 'abc'}, {}),
    ('unread-lists', {'hw:numa_nodes': '1', 'hw:numa_cpus.1': 'abc'}, {}),
    ('digits', RT | {'hw:cpu_realtime_mask': '^\u0661'}, {}),
    ('digits', {SIZE: '\u0662'}, {}),
    ('digits', {'hw:cpu_max_sockets': '9' * 41}, {}),
    ('digits', RT | {'hw:cpu_realtime_mask': '+1'}, {}),
    ('quota-range', {'quota:cpu_shares': '-1'}, {}),
    ('quota-range', {'quota:cpu_period': '999'}, {}),
    ('quota-range', {'quota:cpu_quota': '1'}, {}),
]
