# SPDX-License-Identifier: Apache-2.0
"""The talk, live: from an untuned host to a measured real-time guest."""

from __future__ import annotations

import json
import sys
from typing import Final

from rtvirt.demo.interrupt import ignore_interrupts
from rtvirt.demo.interrupt import raise_interrupts
from rtvirt.demo.screen import Screen
from rtvirt.exception import RTVirtError
from tools.lab.guest_domain import template
from tools.lab.guest_domain import wait_for_shell
from tools.lab.kernel_view import HugePages
from tools.lab.kernel_view import affinity_masks
from tools.lab.kernel_view import huge_pages
from tools.lab.kernel_view import schedulers
from tools.lab.kernel_view import vcpu_threads
from tools.lab.machine import prepared_host
from tools.lab.recipe import HERE
from tools.lab.stage import Stage
from tools.lab.topology import UNTUNED

# An emulated processor's clock cannot be what these two ask for.
EMULATED: Final = 'RT-A04,RT-H03'

SETS: Final = '--dedicated 2-7 --shared 0-1'
# Once in 200 us, as in the talk, is too much for an emulated processor.
MEASURE: Final = (
    'rtvirt latency run --domain rt1 --duration 5 --interval 5000 -o rt1.json'
)
TUNE: Final = 'rtvirt host tune --dedicated 2-7 --hugepages 1G=4'


def main() -> int:
    """Give the talk; return the exit code."""
    raise_interrupts()
    screen = Screen()
    try:
        with prepared_host(UNTUNED, say=screen.note) as host:
            stage = Stage(screen, host)
            try:
                tell(stage)
            finally:
                ignore_interrupts()
    except KeyboardInterrupt:
        sys.stderr.write('lab: interrupted; the host is down\n')
        return 130
    except RTVirtError as error:
        sys.stderr.write(f'lab: {error}\n')
        if error.hint:
            sys.stderr.write(f'hint: {error.hint}\n')
        return 1
    screen.say()
    screen.say(
        f'The host is down. All of this took {stage.elapsed_s:.0f} s.', 'good'
    )
    return 0


def tell(stage: Stage) -> None:
    """Tell the whole story on a host that is not yet booted."""
    stage.screen.say('rtvirt: a real-time guest on an emulated host')
    stage.note(
        'the host is emulated: 8 pCPUs in two cells, a PREEMPT_RT kernel, '
        'SVM. All that it shows is true of any host, but for times: those '
        'mean nothing here.'
    )
    find_out(stage)
    tune(stage)
    plan(stage)
    tids = create(stage)
    look(stage, tids)
    measure(stage)


def find_out(stage: Stage) -> None:
    """Boot the host as it is installed, and check it."""
    stage.step('A host as it is installed')
    stage.host.boot({})
    stage.run('rtvirt host check --dedicated 2-7', code=3)


def tune(stage: Stage) -> None:
    """Install what rtvirt prints, reboot, check again."""
    stage.step('Tuned: what rtvirt prints, an administrator installs')
    stage.run(f'{TUNE} -c path -c line')
    printed = stage.host.shell(f'{TUNE} -f json').check().stdout
    files = {one['path']: one['text'] for one in json.loads(printed)['files']}
    stage.note(
        'the lab puts these files in place and reboots; tuned and sysctl '
        'load them as on any host'
    )
    stage.host.reboot(files)
    stage.run('cat /proc/cmdline')
    stage.note(
        f'{EMULATED}: an emulated processor promises no steady TSC, and its '
        'timers are late'
    )
    stage.run(f'rtvirt host check --skip {EMULATED}')


def plan(stage: Stage) -> None:
    """Place one flavor that fits, and explain one that does not."""
    stage.step('The flavor, and where it goes')
    stage.put(HERE / 'rt1.small.yaml', 'rt1.small.yaml')
    stage.run(f'rtvirt plan --flavor rt1.small.yaml {SETS}')
    stage.step('One that does not fit, and what would')
    stage.put(HERE / 'rt1.wide.yaml', 'rt1.wide.yaml')
    stage.run(f'rtvirt explain --flavor rt1.wide.yaml {SETS}', code=4)


def create(stage: Stage) -> list[int]:
    """Create the guest, and return the threads of its vCPUs."""
    stage.step('The guest, with a PREEMPT_RT kernel, and its proof')
    stage.host.write('guest.xml', template('rt1'))
    stage.run('cat guest.xml')
    stage.run(
        'rtvirt domain create rt1 --flavor rt1.small.yaml '
        f'{SETS} --base guest.xml'
    )
    stage.step('The same, by the tools of the kernel')
    pid = stage.host.read('/run/libvirt/qemu/rt1.pid').strip()
    threads = stage.run(f'ps -T -p {pid}')
    tids = vcpu_threads(threads.stdout)
    stage.expect('vCPU threads', 4, len(tids))
    pages = stage.run(f'grep huge /proc/{pid}/numa_maps')
    stage.expect(
        'memory',
        [HugePages('bind:0', node=0, count=1, size_kib=1 << 20)],
        huge_pages(pages.stdout),
    )
    return tids


def look(stage: Stage, tids: list[int]) -> None:
    """Compare the kernel's tables with the talk's."""
    masks = [stage.run(f'taskset -p {tid}').stdout for tid in tids]
    stage.expect(
        'affinity masks of the vCPUs',
        ['4', '8', '10', '20'],
        affinity_masks(''.join(masks)),
    )
    policies = [stage.run(f'chrt -p {tid}').stdout for tid in tids]
    stage.expect(
        'policies of the vCPUs',
        [*[('SCHED_OTHER', 0)] * 2, *[('SCHED_FIFO', 1)] * 2],
        schedulers(''.join(policies)),
    )
    stage.run('rtvirt domain verify rt1')


def measure(stage: Stage) -> None:
    """Run cyclictest in the guest, over its serial console."""
    stage.step('In the guest: cyclictest, over the serial console')
    wait_for_shell(stage.host, 'rt1')
    stage.note(
        'NO FIGURE OF WHAT FOLLOWS MEANS ANYTHING: guest and host are '
        'emulated, on processors that others use as well. It shows that and '
        'how latency is measured.'
    )
    stage.run(MEASURE)
    stage.run('rtvirt latency report rt1.json')


if __name__ == '__main__':
    sys.exit(main())
