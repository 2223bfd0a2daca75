# SPDX-License-Identifier: Apache-2.0
"""``rtvirt domain lint`` names what is wrong, and mends what is certain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rtvirt.tests.tuned_host import tuned_host
from rtvirt.tests.unit.cli.conftest import EDGE
from rtvirt.tests.unit.cli.conftest import SAMPLES
from rtvirt.tests.unit.cli.conftest import SMALL
from rtvirt.tests.unit.cli.conftest import RTVirt
from rtvirt.tests.unit.lint_rules.test_rules import GOOD

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> str:
        path = tmp_path / f'{name}.xml'
        path.write_text(text)
        return str(path)

    return write


UNLOCKED = GOOD.replace('    <locked/>\n', '')


def test_a_good_document(rtvirt: RTVirt, write: Write) -> None:
    ended = rtvirt('domain', 'lint', write('good', GOOD))
    assert (ended.code, ended.err) == (0, '')
    assert ended.out.startswith('1 document: nothing found')


def test_a_bad_document(rtvirt: RTVirt, write: Write) -> None:
    path = write('bad', UNLOCKED)
    ended = rtvirt('domain', 'lint', path)
    assert ended.code == 3
    assert ended.out.startswith('1 document: 1 error')
    assert 'RL-M01' in ended.out
    ended = rtvirt('domain', 'lint', path, '--fail-on', 'fatal')
    assert ended.code == 0


def test_json_has_the_findings(rtvirt: RTVirt, write: Write) -> None:
    path = write('bad', UNLOCKED)
    ended = rtvirt('domain', 'lint', path, '-f', 'json')
    (file,) = ended.json['files']
    assert (file['file'], file['domain']) == (path, 'good')
    assert [f['code'] for f in file['findings']] == ['RL-M01']


def test_two_documents_are_of_one_host(rtvirt: RTVirt, write: Write) -> None:
    one = write('one', GOOD)
    two = write('two', GOOD.replace('good<', 'two<'))
    ended = rtvirt('domain', 'lint', one, two, '-f', 'json')
    assert ended.code == 3
    assert [f['code'] for f in ended.json['pairs']] == ['RL-P01']


def test_sarif_says_where(rtvirt: RTVirt, write: Write) -> None:
    path = write('bad', UNLOCKED)
    ended = rtvirt('domain', 'lint', path, '-f', 'sarif')
    assert ended.code == 3
    (run,) = ended.json['runs']
    (result,) = run['results']
    assert (result['ruleId'], result['level']) == ('RL-M01', 'error')
    where = result['locations'][0]['physicalLocation']
    assert where['artifactLocation']['uri'] == path
    line = UNLOCKED.splitlines()[where['region']['startLine'] - 1]
    assert '<memoryBacking>' in line
    ids = [rule['id'] for rule in run['tool']['driver']['rules']]
    assert len(ids) == len(set(ids))
    assert {'RL-M01', 'RL-P01', 'RL-X01'} <= set(ids)


def test_fix_prints_the_document(rtvirt: RTVirt, write: Write) -> None:
    path = write('bad', UNLOCKED)
    ended = rtvirt('domain', 'lint', '--fix', path)
    assert ended.code == 3
    assert '<locked/>' in ended.out
    assert ended.out.replace('<locked/>', '').split() == UNLOCKED.split()
    assert 'RL-M01' in ended.err
    mended = write('mended', ended.out)
    assert rtvirt('domain', 'lint', mended).code == 0


def test_a_host_adds_its_rules(
    rtvirt: RTVirt, write: Write, tmp_path: Path
) -> None:
    tuned_host().unpack(tmp_path / 'host')
    path = write(
        'bad', GOOD.replace('vcpu="3" cpuset="3"', 'vcpu="3" cpuset="0"')
    )
    assert 'RL-H03' not in rtvirt('domain', 'lint', path).out
    ended = rtvirt('domain', 'lint', path, '--host', str(tmp_path / 'host'))
    assert ended.code == 3
    assert 'RL-H03' in ended.out


def test_what_cannot_be_read(rtvirt: RTVirt, write: Write) -> None:
    ended = rtvirt('domain', 'lint', write('bad', '<network/>'))
    assert ended.code == 3
    assert 'RL-X01' in ended.out
    ended = rtvirt('domain', 'lint', '/no/such.xml')
    assert ended.code == 1
    assert 'Traceback' not in ended.err


def test_what_does_not_go_together(rtvirt: RTVirt, write: Write) -> None:
    path = write('good', GOOD)
    assert rtvirt('domain', 'lint', '--fix', path, path).code == 2
    assert rtvirt('domain', 'lint', '-', '-').code == 2


@pytest.mark.parametrize(
    'flavor',
    sorted(path.name for path in (SAMPLES / 'flavors').glob('*.yaml')),
)
def test_what_rtvirt_makes_is_clean(
    rtvirt: RTVirt, write: Write, flavor: str
) -> None:
    made = rtvirt(
        'domain',
        'xml',
        *('--name', 'made', '--flavor', str(SAMPLES / 'flavors' / flavor)),
        *('--host', str(SAMPLES / 'hosts' / 'dual-socket-smt-48.xml')),
        *('--dedicated', '2-23,26-47', '--shared', '0-1,24-25'),
        *('--disk', '/var/lib/libvirt/images/made.raw'),
    )
    assert made.code == 0, made.err
    ended = rtvirt('domain', 'lint', write('made', made.out), '-f', 'json')
    (file,) = ended.json['files']
    assert file['findings'] == []


def test_the_sample_of_the_talk_is_clean(rtvirt: RTVirt, write: Write) -> None:
    made = rtvirt(
        *('domain', 'xml', '--name', 'rt1', '--flavor', SMALL),
        *('--host', EDGE, '--dedicated', '2-5'),
        *('--disk', '/var/lib/libvirt/images/rt1.raw'),
    )
    ended = rtvirt('domain', 'lint', write('rt1', made.out))
    assert ended.code == 0


def test_a_host_that_is_only_described(
    rtvirt: RTVirt, write: Write, tmp_path: Path
) -> None:
    pin = 'vcpu="3" cpuset="3"'
    path = write('bad', GOOD.replace(pin, 'vcpu="3" cpuset="4000"'))
    shown = rtvirt('host', 'show', '--host', EDGE, '-f', 'json')
    described = tmp_path / 'edge.json'
    described.write_text(shown.out)
    codes = []
    for host in (EDGE, str(described)):
        ended = rtvirt('domain', 'lint', path, '--host', host, '-f', 'json')
        assert ended.code == 3, ended.err
        (file,) = ended.json['files']
        codes.append({finding['code'] for finding in file['findings']})
    assert codes[0] == codes[1]
    alone = rtvirt('domain', 'lint', path, '-f', 'json').json['files'][0]
    assert {f['code'] for f in alone['findings']} < codes[0]
    ended = rtvirt('domain', 'lint', path, '--host', '')
    assert (ended.code, ended.out) == (1, '')
    assert 'the name of the host is empty' in ended.err
