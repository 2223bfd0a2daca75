# SPDX-License-Identifier: Apache-2.0
"""Pictures say where everything is, for any size, and for every reader."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from rtvirt.model.cpuset import CPUSet
from rtvirt.model.host import HostTopology
from rtvirt.model.host_cell import HostCell
from rtvirt.report.lettering import text_width
from rtvirt.report.occupancy import Use
from rtvirt.report.occupancy import occupy
from rtvirt.report.occupant import Occupant
from rtvirt.report.palette import Theme
from rtvirt.report.topology import topology_svg
from rtvirt.tests.plans import make_plan
from rtvirt.tests.unit.report.drawing import Picture

HOSTS = {
    8: HostTopology.uniform(cells=1, cores=8),
    48: HostTopology.uniform(cells=2, cores=12, threads=2),
    128: HostTopology.uniform(cells=4, cores=16, threads=2, l3_per_cell=2),
    160: HostTopology.uniform(cells=1, cores=20, threads=8),
    512: HostTopology.uniform(cells=8, cores=32, threads=2, l3_per_cell=4),
}


def host_of_plan(*, pinned: str = '') -> HostTopology:
    """Return a host that :func:`make_plan` makes plans for."""
    return HostTopology(
        name='edge',
        cells=(
            HostCell(
                id=1,
                siblings=tuple(CPUSet([cpu]) for cpu in range(10)),
                memory_mib=8192,
                dedicated=CPUSet.parse('2-7'),
                shared=CPUSet.parse('0-1'),
                pinned=CPUSet.parse(pinned),
            ),
        ),
    )


def draw(host: HostTopology, *occupants: Occupant, **kwargs: Any) -> Picture:
    return Picture(topology_svg(occupy(host, occupants), **kwargs))


@pytest.mark.parametrize('cpus', HOSTS)
def test_nothing_overlaps_and_nothing_sticks_out(cpus: int) -> None:
    picture = draw(HOSTS[cpus])
    (paper,) = picture.boxes('paper')
    panels = picture.boxes('panel')
    tiles = picture.boxes('tile')
    assert all(map(paper.holds, panels))
    assert not any(a.meets(b) for a, b in itertools.combinations(panels, 2))
    inside = [t for t in tiles if any(p.holds(t) for p in panels)]
    legend = [t for t in tiles if t.y < panels[0].y]
    assert len(inside) + len(legend) == len(tiles)
    by_panel = [[t for t in inside if p.holds(t)] for p in panels]
    for group in by_panel:
        assert not any(a.meets(b) for a, b in itertools.combinations(group, 2))
    assert len(picture.boxes('cache')) >= sum(
        len(cell.l3) for cell in HOSTS[cpus].cells
    )


@pytest.mark.parametrize('cpus', HOSTS)
def test_every_pcpu_has_a_name_and_a_number_of_legible_size(
    cpus: int,
) -> None:
    picture = draw(HOSTS[cpus])
    names = [picture.title_of(group) for group in picture.all('g')]
    said = {name.partition(':')[0] for name in names}
    assert {f'pCPU {cpu}' for cpu in range(cpus)} <= said
    assert picture.width <= 1280
    for text in picture.all('text'):
        size = float(text.get('font-size', '0'))
        if text.text != 'L3':
            assert size >= 9
        anchor = text.get('class') or ''
        if 'end' not in anchor and 'mid' not in anchor:
            right = float(text.get('x', '0')) + text_width(
                text.text or '', size
            )
            assert right <= picture.width, text.text


def test_the_plan_of_the_talk() -> None:
    occupant = Occupant.of_plan(make_plan(iothreads=1))
    picture = draw(host_of_plan(), occupant, title='made on edge')
    uses = {cpu: picture.use_of(cpu) for cpu in range(10)}
    assert uses == {
        **dict.fromkeys((0, 1), 'shared'),
        **dict.fromkeys((2, 3), 'vcpu'),
        **dict.fromkeys((4, 5), 'realtime'),
        **dict.fromkeys((6, 7), 'free'),
        **dict.fromkeys((8, 9), 'housekeeping'),
    }
    assert picture.title_of(picture.tile(4)) == (
        'pCPU 4: vCPU 2 of made, real-time, fifo 1'.replace('fifo', 'FIFO')
    )
    assert picture.title_of(picture.tile(2)) == (
        'pCPU 2: vCPU 0 of made; may run here: I/O thread 1 of made, '
        'emulator threads of made'
    )
    texts = picture.texts()
    assert 'made on edge' in texts
    assert 'vCPU 2' in texts
    assert 'real-time vCPU' in texts
    description = picture.root.findtext('{*}desc')
    assert description is not None
    assert 'real-time vCPU: 4-5' in description
    assert 'emulator threads on pCPUs 2-3' in description
    strips = [
        rect.get('class')
        for rect in picture.tile(2)
        if 'h-' in str(rect.get('class'))
    ]
    assert strips == ['h-emulator', 'h-iothread']


def test_guests_are_told_apart_by_letters() -> None:
    one = Occupant.of_plan(make_plan(2, realtime='1', emulator='8'), 'one')
    host = host_of_plan(pinned='6')
    other = Occupant(name='other', held=CPUSet([6]))
    picture = draw(host, one, other)
    texts = picture.texts()
    assert {'A', 'B', 'A0', 'A1', 'B taken'} <= set(texts)
    assert picture.title_of(picture.tile(6)).endswith('(other)')


def test_two_vcpus_on_one_pcpu_are_a_conflict() -> None:
    one = Occupant.of_plan(make_plan(2, realtime='1', emulator='8'), 'one')
    two = Occupant.of_plan(make_plan(1, realtime='', emulator='8'), 'two')
    picture = draw(host_of_plan(), one, two)
    assert picture.use_of(2) == Use.CONTESTED
    assert picture.use_of(3) == Use.REALTIME
    title = picture.title_of(picture.tile(2))
    assert 'vCPU 0 of one and vCPU 0 of two' in title


def test_notes_and_remarks_are_written() -> None:
    text = topology_svg(
        occupy(host_of_plan()),
        notes={1: ['3 of 4 pCPUs']},
        remarks={'What would help': ['1. dedicate pCPU 9']},
    )
    texts = Picture(text).texts()
    assert {'3 of 4 pCPUs', 'What would help', '1. dedicate pCPU 9'} <= set(
        texts
    )


NAMES = st.text(
    st.characters(exclude_categories=['Cs']), min_size=1, max_size=200
) | st.sampled_from(
    [
        '</title><script>alert(1)</script>',
        ']]>&<!--',
        '"><svg onload=alert(1)>',
        '\x00\x1b[31m\u202eevil',
        'W' * 400,
    ]
)


@settings(max_examples=12, deadline=None)
@given(name=NAMES, title=NAMES)
def test_no_name_breaks_out(name: str, title: str) -> None:
    occupant = Occupant.of_plan(make_plan(), name)
    for theme in Theme:
        picture = draw(host_of_plan(), occupant, title=title, theme=theme)
        tags = {
            str(element.tag).rpartition('}')[2]
            for element in picture.root.iter()
        }
        assert tags <= {
            *('svg', 'title', 'desc', 'style', 'defs', 'pattern', 'path'),
            *('circle', 'rect', 'g', 'text'),
        }
        assert '\u202e' not in ''.join(picture.root.itertext())


def test_the_same_picture_is_drawn_again() -> None:
    occupancy = occupy(HOSTS[128])
    assert topology_svg(occupancy) == topology_svg(occupancy)


def test_grey_has_no_colour_and_colour_has_a_dark_side() -> None:
    grey = topology_svg(occupy(host_of_plan()), theme=Theme.GREY)
    (style,) = Picture(grey).all('style')
    colours = {
        word.strip(';') for word in (style.text or '').split() if '#' in word
    }
    assert colours
    assert all(c[1:3] == c[3:5] == c[5:7] for c in colours)
    assert 'prefers-color-scheme: dark' in topology_svg(occupy(host_of_plan()))


def test_a_host_of_many_kinds_of_cores() -> None:
    cores = [CPUSet([n, n + 1]) for n in range(0, 8, 2)]
    cores += [CPUSet([n]) for n in range(8, 13)]
    host = HostTopology(
        cells=(
            HostCell(
                id=0, siblings=tuple(cores), memory_mib=1, l3=(CPUSet([0, 1]),)
            ),
            HostCell(id=3, memory_mib=0),
        )
    )
    picture = draw(host)
    assert {picture.use_of(cpu) for cpu in range(13)} == {'housekeeping'}
