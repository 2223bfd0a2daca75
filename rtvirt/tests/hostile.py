# SPDX-License-Identifier: Apache-2.0
"""Input made to hurt, for every public function that takes input.

``python -m rtvirt.tests.hostile`` tries each case under a limit of memory
and processor time and prints what came of it, one line of JSON each.
"""

import functools
import json
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import rtvirt

CPU_SECONDS = 20
"""For one case. The slowest takes less than one second."""

MEMORY_BYTES = 256 << 20
"""For all cases, beyond what the interpreter and the modules take."""

HUGE = 10**9
ENDLESS = 1 << 20_000
"""Python refuses to print it: it has more than 4300 digits."""

MEGABYTES = 'x' * (10 << 20)


def deep(levels: int = 100_000) -> list[Any]:
    """Return lists in lists."""
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


def flavor(specs: dict[str, Any] | None = None, **changed: Any) -> Any:
    fields = {'name': 'f', 'vcpus': 4, 'memory_mib': 4096, **changed}
    return rtvirt.Flavor(**fields, extra_specs=specs or {})


def guest(specs: dict[str, Any], **changed: Any) -> Any:
    return rtvirt.parse_guest(flavor(specs, **changed))


def pinned(**specs: Any) -> Any:
    """Parse a flavor with dedicated vCPUs; ``_`` stands for the colon."""
    return guest({'hw:cpu_policy': 'dedicated', **specs})


def masked(mask: str) -> Any:
    """Parse a flavor with a mask of real-time vCPUs."""
    return pinned(**{'hw:cpu_realtime': 'yes', 'hw:cpu_realtime_mask': mask})


def one_node(cpus: str, memory_mib: str) -> Any:
    """Parse a flavor with one NUMA node."""
    return pinned(
        **{
            'hw:numa_nodes': '1',
            'hw:numa_cpus.0': cpus,
            'hw:numa_mem.0': memory_mib,
        }
    )


def capabilities(cell: str, doctype: str = '') -> str:
    return (
        f'<?xml version="1.0"?>{doctype}<capabilities><host><cpu/><topology>'
        f'<cells num="1">{cell}</cells></topology></host></capabilities>'
    )


CPU = '<cpu id="0" socket_id="0" core_id="0" siblings="{siblings}"/>'
CELL = (
    '<cell id="{id}"><memory unit="KiB">{memory}</memory>'
    '<cpus num="1">' + CPU + '</cpus></cell>'
)


def cell(id: Any = 0, memory: Any = 1 << 20, siblings: Any = 0) -> str:
    return CELL.format(id=id, memory=memory, siblings=siblings)


BOMB = (
    '<!DOCTYPE capabilities [<!ENTITY a0 "ha">'
    + ''.join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + ']>'
)
EXTERNAL = '<!DOCTYPE capabilities [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x"> %x;]>'
FOREIGN = '<!DOCTYPE a SYSTEM "file:///dev/zero">'


def read_host(text: str | bytes) -> Any:
    return rtvirt.HostTopology.from_capabilities(text)


def a_host() -> Any:
    return rtvirt.HostTopology.uniform(cells=1, cores=8)


def with_host(**changed: Any) -> Any:
    data = {**a_host().to_dict(), **changed}
    return rtvirt.HostTopology.from_dict(data)


def with_cell(**changed: Any) -> Any:
    data = a_host().to_dict()
    data['cells'][0].update(changed)
    return rtvirt.HostTopology.from_dict(data)


def place(vcpus: int = 4, **terms: Any) -> Any:
    """Fit a guest that would fit but for the terms or its size."""
    return rtvirt.fit(
        guest({'hw:cpu_policy': 'dedicated'}, vcpus=vcpus), a_host(), **terms
    )


@functools.cache
def a_plan() -> Any:
    return place()


Case = Callable[[], Any]

VALUES: dict[str, Case] = {
    'cpuset-text-range': lambda: rtvirt.CPUSet.parse('0-999999999'),
    'cpuset-text-number': lambda: rtvirt.CPUSet.parse('9' * 200_000),
    'cpuset-text-long': lambda: rtvirt.CPUSet.parse('0-16383,' * 10**6),
    'cpuset-text-commas': lambda: rtvirt.CPUSet.parse(',' * 10**7),
    'cpuset-text-nul': lambda: rtvirt.CPUSet.parse('0\x001'),
    'cpuset-range': lambda: rtvirt.CPUSet(range(HUGE)),
    'cpuset-huge': lambda: rtvirt.CPUSet([HUGE]),
    'cpuset-endless': lambda: rtvirt.CPUSet([ENDLESS]),
    'cpuset-negative': lambda: rtvirt.CPUSet([-1]),
    'cpuset-mask-huge': lambda: rtvirt.CPUSet.from_mask(1 << HUGE),
    'cpuset-mask-negative': lambda: rtvirt.CPUSet.from_mask(-1),
    'flavor-vcpus-huge': lambda: flavor(vcpus=HUGE),
    'flavor-vcpus-endless': lambda: flavor(vcpus=ENDLESS),
    'flavor-vcpus-negative': lambda: flavor(vcpus=-1),
    'flavor-memory-endless': lambda: flavor(memory_mib=ENDLESS),
    'flavor-memory-negative': lambda: flavor(memory_mib=-1),
    'flavor-disk-endless': lambda: flavor(disk_gib=ENDLESS),
    'flavor-name-number': lambda: flavor(name=ENDLESS),
    'flavor-name-nested': lambda: flavor(name=deep()),
    'flavor-specs-nested': lambda: flavor({'hw:x': deep()}),
    'flavor-specs-endless': lambda: flavor({'hw:x': ENDLESS}),
    'flavor-specs-keys': lambda: flavor({ENDLESS: 'x'}),  # type: ignore[dict-item]
    'flavor-dict-nested': lambda: rtvirt.Flavor.from_dict({'name': deep()}),
    'flavor-dict-list': lambda: rtvirt.Flavor.from_dict(deep()),  # type: ignore[arg-type]
    'flavor-dict-endless': lambda: rtvirt.Flavor.from_dict(
        {'name': 'f', 'vcpus': ENDLESS, 'ram': 1}
    ),
    'flavor-dict-digits': lambda: rtvirt.Flavor.from_dict(
        {'name': 'f', 'vcpus': '1' * 10**6, 'ram': 1}
    ),
    'flavor-properties-long': lambda: rtvirt.Flavor.from_dict(
        {'name': 'f', 'vcpus': 1, 'ram': 1, 'properties': MEGABYTES}
    ),
    'image-text-long': lambda: rtvirt.ImageProperties(MEGABYTES),
    'image-nested': lambda: rtvirt.ImageProperties({'hw_x': deep()}),
    'pool-negative': lambda: rtvirt.PagePool(size_kib=4, total=-1),
    'pool-endless': lambda: rtvirt.PagePool(size_kib=4, total=ENDLESS),
}

FLAVORS: dict[str, Case] = {
    'mask-huge': lambda: masked('0-999999999'),
    'mask-exclude-huge': lambda: masked('^0-999999999'),
    'mask-long': lambda: masked('^0,' * 10**6),
    'mask-nul': lambda: masked('^0\x00'),
    'dedicated-mask-huge': lambda: guest(
        {'hw:cpu_policy': 'mixed', 'hw:cpu_dedicated_mask': '1-999999999'}
    ),
    'nodes-huge': lambda: pinned(**{'hw:numa_nodes': str(HUGE)}),
    'nodes-endless': lambda: pinned(**{'hw:numa_nodes': '9' * 10**6}),
    'nodes-negative': lambda: pinned(**{'hw:numa_nodes': '-1'}),
    'node-cpus-huge': lambda: one_node('0-999999999', '4096'),
    'node-cpus-far': lambda: pinned(
        **{'hw:numa_nodes': '1', 'hw:numa_cpus.999999999': '0'}
    ),
    'node-memory-endless': lambda: one_node('0-3', '9' * 10**6),
    'node-memory-negative': lambda: one_node('0-3', '-4096'),
    'page-size-endless': lambda: pinned(
        **{'hw:mem_page_size': '9' * 10**6 + 'GB'}
    ),
    'page-size-negative': lambda: pinned(**{'hw:mem_page_size': '-1'}),
    'page-size-control': lambda: pinned(**{'hw:mem_page_size': '1\x1bGB'}),
    'sockets-endless': lambda: pinned(**{'hw:cpu_sockets': '9' * 10**6}),
    'sockets-huge': lambda: pinned(**{'hw:cpu_sockets': str(HUGE)}),
    'max-sockets-negative': lambda: pinned(**{'hw:cpu_max_sockets': '-1'}),
    'priority-endless': lambda: pinned(
        **{'hw:cpu_realtime': 'yes', 'rtvirt:priority': '9' * 10**6}
    ),
    'priority-many': lambda: pinned(
        **{'hw:cpu_realtime': 'yes', 'rtvirt:priority': '2=1,' * 10**6}
    ),
    'priority-far': lambda: pinned(
        **{'hw:cpu_realtime': 'yes', 'rtvirt:priority': '999999999=1'}
    ),
    'iothreads-huge': lambda: pinned(**{'rtvirt:iothreads': '9' * 10**6}),
    'cache-endless': lambda: pinned(**{'rtvirt:cache_mib': '9' * 10**6}),
    'quota-endless': lambda: pinned(**{'quota:cpu_quota': '9' * 10**6}),
    'unknown-key-long': lambda: pinned(**{'hw:' + MEGABYTES: 'x'}),
    'unknown-keys-many': lambda: pinned(
        **{f'hw:cpu_realtimE{n}': 'x' for n in range(10_000)}
    ),
    'value-long': lambda: pinned(**{'hw:cpu_thread_policy': MEGABYTES}),
}

HOSTS: dict[str, Case] = {
    'capabilities-bomb': lambda: read_host(
        capabilities('<cell id="&a11;"/>', BOMB)
    ),
    'capabilities-bomb-text': lambda: read_host(
        capabilities('<cell id="0"><memory>&a11;</memory></cell>', BOMB)
    ),
    'capabilities-external': lambda: read_host(
        capabilities('<cell id="0"><memory>&x;</memory></cell>', EXTERNAL)
    ),
    'capabilities-parameter': lambda: read_host(
        capabilities(cell(), PARAMETER)
    ),
    'capabilities-foreign': lambda: read_host(capabilities(cell(), FOREIGN)),
    'capabilities-long': lambda: read_host(capabilities(cell() * 10**5)),
    'capabilities-text-long': lambda: read_host(capabilities(MEGABYTES)),
    'capabilities-deep': lambda: read_host('<a>' * 10**6),
    'capabilities-attributes': lambda: read_host(
        '<capabilities ' + ' '.join(f'a{n}="x"' for n in range(10**6)) + '/>'
    ),
    'capabilities-utf16': lambda: read_host(
        capabilities(cell(), BOMB).encode('utf-16')
    ),
    'capabilities-zeros': lambda: read_host(b'\0' * (10 << 20)),
    'capabilities-empty': lambda: read_host(''),
    'capabilities-surrogate': lambda: read_host('<a>\ud800</a>'),
    'capabilities-siblings-huge': lambda: read_host(
        capabilities(cell(siblings='0-999999999'))
    ),
    'capabilities-memory-endless': lambda: read_host(
        capabilities(cell(memory='9' * 10**6))
    ),
    'capabilities-memory-negative': lambda: read_host(
        capabilities(cell(memory=-1))
    ),
    'capabilities-id-huge': lambda: read_host(
        capabilities(cell(id='9' * 10**5))
    ),
    'uniform-cells': lambda: rtvirt.HostTopology.uniform(cells=HUGE),
    'uniform-cores': lambda: rtvirt.HostTopology.uniform(cores=HUGE),
    'uniform-threads': lambda: rtvirt.HostTopology.uniform(threads=HUGE),
    'uniform-memory': lambda: rtvirt.HostTopology.uniform(memory_mib=ENDLESS),
    'uniform-pages': lambda: rtvirt.HostTopology.uniform(
        pages={-4: 1, 0: ENDLESS}
    ),
    'host-cells-nested': lambda: with_host(cells=deep()),
    'host-cells-many': lambda: with_host(
        cells=[{'id': n, 'memory_mib': -1} for n in range(10**5)]
    ),
    'host-name-number': lambda: with_host(name=ENDLESS),
    'host-version-endless': lambda: with_host(schema_version=ENDLESS),
    'cell-id-endless': lambda: with_cell(id=ENDLESS),
    'cell-memory-negative': lambda: with_cell(memory_mib=-1),
    'cell-cpus-huge': lambda: with_cell(dedicated=[HUGE]),
    'cell-cpus-endless': lambda: with_cell(dedicated=[ENDLESS]),
    'cell-cores-nested': lambda: with_cell(siblings=deep()),
    'cell-keys-endless': lambda: with_cell(**{MEGABYTES: 1}),
    'plan-iothreads': lambda: rtvirt.Plan.from_dict(
        {
            **a_plan().to_dict(),
            'guest': {**a_plan().to_dict()['guest'], 'iothreads': HUGE},
        }
    ),
    'plan-nested': lambda: rtvirt.Plan.from_dict(
        {'schema_version': 1, 'guest': deep()}
    ),
    'facts-nested': lambda: rtvirt.HostFacts.from_dict(
        {'schema_version': 1, 'kernel': deep()}
    ),
    'facts-keys': lambda: rtvirt.HostFacts.from_dict(
        {'schema_version': 1, ENDLESS: 1}  # type: ignore[dict-item]
    ),
}


FITS: dict[str, Case] = {
    'fit-vcpus-most': lambda: place(vcpus=16384),
    'fit-strategy-long': lambda: place(strategy=MEGABYTES),
    'fit-strategy-endless': lambda: place(strategy=ENDLESS),
    'fit-smt-long': lambda: place(smt_isolate=MEGABYTES),
    'fit-affinity-huge': lambda: place(affinity=[{HUGE}]),
    'fit-affinity-endless': lambda: place(affinity=[{ENDLESS}]),
    'fit-affinity-many': lambda: place(affinity=[{9}] * 10**5),
    'fit-nothing-accepted': lambda: place(accept=lambda plan: False),
    'explain-strategy-long': lambda: rtvirt.explain(
        pinned(), a_host(), strategy=MEGABYTES
    ),
    'limits-endless': lambda: rtvirt.Limits(cpu_allocation_ratio=ENDLESS),
    'limits-negative': lambda: rtvirt.Limits(ram_allocation_ratio=-1.0),
    'limits-infinite': lambda: rtvirt.Limits(
        ram_allocation_ratio=float('inf')
    ),
    'limits-nan': lambda: rtvirt.Limits(cpu_allocation_ratio=float('nan')),
}


def write(**options: Any) -> Any:
    return rtvirt.domain_xml(a_plan(), **{'name': 'x', **options})


def read(text: str | bytes) -> Any:
    return rtvirt.parse_domain(text)


def tuned(inside: str) -> Any:
    """Read a domain and merge a plan into it."""
    return rtvirt.apply_plan(a_plan(), domain(inside))


def domain(inside: str, doctype: str = '') -> str:
    return f"{doctype}<domain type='kvm'><name>x</name>{inside}</domain>"


def pin(vcpu: Any, cpuset: Any) -> str:
    return domain(
        f"<cputune><vcpupin vcpu='{vcpu}' cpuset='{cpuset}'/></cputune>"
    )


def observed() -> Any:
    """Return a process that has no threads."""
    return rtvirt.ObservedDomain.from_dict(
        {'schema_version': 1, 'uuid': 'x', 'pid': 1, 'threads': []}
    )


CORES = f"cores='{HUGE}' threads='1'"


def kept(text: str) -> Any:
    """Read the plan that a domain keeps."""
    plan = f'<p:plan xmlns:p="urn:rtvirt:plan:1">{text}</p:plan>'
    return rtvirt.plan_of(read(domain(f'<metadata>{plan}</metadata>')))


NAMES = {
    'nul': 'a\0b',
    'escape': 'a\x1b[31mb',
    'newline': 'a\nb',
    'slash': '../a',
    'surrogate': 'a\ud800b',
    'illegal': 'a\ufffeb',
    'long': MEGABYTES,
    'empty': '',
}

DOMAINS: dict[str, Case] = {
    **{
        f'name-{word}': functools.partial(write, name=name)
        for word, name in NAMES.items()
    },
    'uuid-long': lambda: write(uuid=MEGABYTES),
    'machine-quote': lambda: write(machine='q35"/><x a="'),
    'type-long': lambda: write(virt_type=MEGABYTES),
    'disk-control': lambda: write(disks=['/a\x01']),
    'disk-relative': lambda: write(disks=['a']),
    'disk-format': lambda: rtvirt.Disk(path='/a', format=MEGABYTES),
    'network-control': lambda: write(network='a\x01'),
    'network-mac': lambda: rtvirt.Network(mac=MEGABYTES),
    'cmdline-control': lambda: write(kernel='/k', cmdline='a\0b'),
    'domain-bomb': lambda: read(domain('<title>&a11;</title>', BOMB)),
    'domain-external': lambda: read(domain('<title>&x;</title>', EXTERNAL)),
    'domain-parameter': lambda: read(domain('', PARAMETER)),
    'domain-foreign': lambda: read(domain('', FOREIGN)),
    'domain-utf16': lambda: read(domain('', BOMB).encode('utf-16')),
    'domain-utf7': lambda: read(
        b'<?xml version="1.0" encoding="utf-7"?>'
        + domain('+ADw-x/+AD4-').encode()
    ),
    'domain-long': lambda: read(domain(f'<title>{MEGABYTES}</title>')),
    'domain-many': lambda: read(domain('<title/>' * 10**6)),
    'domain-deep': lambda: read(domain('<a>' * 10**6)),
    'domain-deep-closed': lambda: read(domain('<a>' * 10**5 + '</a>' * 10**5)),
    'domain-attributes': lambda: read(
        domain('<a ' + ' '.join(f'a{n}="x"' for n in range(10**6)) + '/>')
    ),
    'domain-zeros': lambda: read(b'\0' * (10 << 20)),
    'domain-half': lambda: read('<domain'),
    'domain-none': lambda: read(''),
    'domain-vcpu-endless': lambda: read(domain(f"<vcpu>{'9' * 10**6}</vcpu>")),
    'domain-vcpu-twice': lambda: tuned('<vcpu>1</vcpu>' * 2),
    'apply-counts-huge': lambda: tuned(
        f'<vcpu>{HUGE}</vcpu><iothreads>{HUGE}</iothreads>'
    ),
    'domain-memory-negative': lambda: read(domain('<memory>-1</memory>')),
    'domain-memory-unit': lambda: read(
        domain(f"<memory unit='{'x' * 10**6}'>1</memory>")
    ),
    'domain-pin-huge': lambda: read(pin(0, '0-999999999')),
    'domain-pin-endless': lambda: read(pin('9' * 10**6, 0)),
    'domain-pin-long': lambda: read(pin(0, '0,' * 10**6)),
    'domain-iothreads-endless': lambda: read(
        domain(f"<iothreads>{'9' * 10**6}</iothreads>")
    ),
    'lint-bomb': lambda: rtvirt.lint(
        read(domain('<title>&a11;</title>', BOMB))
    ),
    'lint-vcpus-huge': lambda: rtvirt.lint(
        read(domain(f'<vcpu>{HUGE}</vcpu>'))
    ),
    'lint-iothreads-huge': lambda: rtvirt.lint(
        read(domain(f'<iothreads>{HUGE}</iothreads>'))
    ),
    'lint-topology-huge': lambda: rtvirt.lint(
        read(domain(f"<cpu><topology sockets='{HUGE}' {CORES}/></cpu>"))
    ),
    'observed-nested': lambda: rtvirt.ObservedDomain.from_dict(
        {'schema_version': 1, 'uuid': 'x', 'pid': 1, 'threads': deep()}
    ),
    'observed-pid-endless': lambda: rtvirt.ObservedDomain.from_dict(
        {'schema_version': 1, 'uuid': 'x', 'pid': ENDLESS, 'threads': []}
    ),
    'verify-another': lambda: rtvirt.verify(
        read(domain('<uuid>y</uuid>')), observed()
    ),
    'verify-counts-huge': lambda: rtvirt.verify(
        read(
            domain(
                f'<uuid>x</uuid><vcpu>{HUGE}</vcpu>'
                f'<iothreads>{HUGE}</iothreads>'
            )
        ),
        observed(),
    ),
    'kept-plan-nested': lambda: kept('[' * 10**6),
    'kept-plan-number': lambda: kept('{"schema_version":' + '9' * 10**6 + '}'),
    'kept-plan-text': lambda: kept(
        f'{{"schema_version":1,"x":"{"x" * 10**6}"}}'
    ),
    'kept-plan-none': lambda: kept(''),
    'apply-bomb': lambda: rtvirt.apply_plan(
        a_plan(), domain('<title>&a11;</title>', BOMB)
    ),
    'apply-no-domain': lambda: rtvirt.apply_plan(a_plan(), '<network/>'),
}

LATENCIES: dict[str, Case] = {
    'latency-text-empty': lambda: rtvirt.parse_latency(''),
    'latency-text-long': lambda: rtvirt.parse_latency(MEGABYTES),
    'latency-text-nested': lambda: rtvirt.parse_latency('[' * 10**6),
    'latency-text-digits': lambda: rtvirt.parse_latency(
        f'T: 0 ( 1) P:95 I:200 C: {"9" * 10**6} Min: 1 Act: 1 Avg: 1 Max: 1'
    ),
    'latency-dict-nested': lambda: rtvirt.LatencyResult.from_dict(
        {'schema_version': 1, 'tool': deep()}
    ),
    'latency-dict-endless': lambda: rtvirt.LatencyResult.from_dict(
        {'schema_version': ENDLESS}
    ),
    'evidence-nested': lambda: rtvirt.Evidence.from_dict(
        {'schema_version': 1, 'result': deep()}
    ),
    'evidence-endless': lambda: rtvirt.Evidence.from_dict(
        {'schema_version': ENDLESS}
    ),
}

CASES: dict[str, Case] = {
    **VALUES,
    **FLAVORS,
    **HOSTS,
    **FITS,
    **DOMAINS,
    **LATENCIES,
}

HARMLESS = {
    'node-cpus-far',  # nova looks at the keys of the nodes there are
    'sockets-huge',  # a wish, which the vCPUs limit
    'apply-counts-huge',  # the plan's counts take their place
    'lint-vcpus-huge',  # findings are the answer
    'lint-iothreads-huge',
    'lint-topology-huge',
    'verify-counts-huge',
}
"""Cases that need no refusal."""


class TooLong(BaseException):
    """A case took more than :data:`CPU_SECONDS`."""


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise TooLong


def attempt(case: Case) -> dict[str, Any]:
    """Return what came of a case."""
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        made = case()
    except rtvirt.RTVirtError as error:
        words = f'{error}{error.hint}'
        return {
            'refused': type(error).__name__,
            'length': len(words),
            'printable': words.replace('\n', '').isprintable(),
        }
    except TooLong:
        return {'error': 'took too long'}
    except BaseException as error:  # noqa: BLE001 - whatever it is, say it
        return {'error': f'{type(error).__name__}: {error!s:.200}'}
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return {'accepted': type(made).__name__}


def main() -> None:
    """Try every case; the name of each goes out first."""
    for name in dir(rtvirt):
        getattr(rtvirt, name)
    signal.signal(signal.SIGPROF, _stop)
    pages = int(Path('/proc/self/statm').read_text().split()[0])
    limit = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for name, case in CASES.items():
        print(json.dumps({'case': name}), flush=True)
        print(json.dumps({'case': name, **attempt(case)}), flush=True)


if __name__ == '__main__':
    main()
