# SPDX-License-Identifier: Apache-2.0
"""Every message that is written anywhere: one voice, and a way out in each.

What doc/source/contributor/messages.rst says is looked for in the source
itself, so that it holds for errors that no test provokes.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from rtvirt import exception
from rtvirt import plugins
from rtvirt.checks import run as checks
from rtvirt.checks.base import Check
from rtvirt.host import meaning
from rtvirt.lint_rules import run as lint_rules
from rtvirt.lint_rules.base import Rule

TOP: Final = Path(exception.__file__).parent

WITHOUT_HINT: Final = {
    'ModelError': 'its message says what is expected: to give that is the '
    'way out; who reads a file or an option adds where it stands',
    'CPUSetError': 'the same',
}

ERRORS: Final = frozenset({'LabError', 'CloudError'}) | frozenset(
    name
    for name, kind in vars(exception).items()
    if isinstance(kind, type) and issubclass(kind, exception.RTVirtError)
)

NAMES: Final = ('QEMU', 'SCHED_', 'XML', 'CPU', 'I/O')
"""What a message may begin with, other than a small letter or a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A place where an error is made."""

    where: str
    kind: str
    call: ast.Call
    caught: frozenset[str]

    @property
    def message(self) -> ast.expr | None:
        return self.call.args[0] if self.call.args else None

    @property
    def hint(self) -> ast.expr | None:
        for keyword in self.call.keywords:
            if keyword.arg == 'hint':
                return keyword.value
        return None


@functools.cache
def sources() -> dict[str, ast.Module]:
    """Return every module of the package that makes one of these."""
    made = re.compile(rf'\b(?:{"|".join(ERRORS)}|Gap)\(')
    found = {}
    for path in sorted(TOP.rglob('*.py')):
        name = path.relative_to(TOP)
        if 'tests' not in name.parts:
            text = path.read_text(encoding='utf-8')
            if made.search(text):
                found[str(name)] = ast.parse(text)
    return found


@functools.cache
def raised() -> tuple[Raised, ...]:
    """Return every place where an error of the tree is made."""
    return tuple(
        item for name, tree in sources().items() for item in find(tree, name)
    )


def find(tree: ast.Module, name: str) -> Iterator[Raised]:
    """Yield the errors that a module makes, and what is caught there."""
    caught: dict[ast.AST, frozenset[str]] = {}
    for node in ast.walk(tree):
        # ast.walk() comes to a handler before it comes to what is in it.
        if isinstance(node, ast.ExceptHandler) and node.type is not None:
            names = frozenset(re.findall(r'\w+', ast.unparse(node.type)))
            caught |= dict.fromkeys(ast.walk(node), names)
        elif isinstance(node, ast.Call) and called(node) in ERRORS:
            yield Raised(
                where=f'{name}:{node.lineno}',
                kind=called(node),
                call=node,
                caught=caught.get(node, frozenset()),
            )


def called(call: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    return str(getattr(call.func, 'id', getattr(call.func, 'attr', '')))


def texts(node: ast.expr | None) -> list[str]:
    """Return what a text can be, with ``{}`` for each value in it."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        return [
            ''.join(
                str(part.value) if isinstance(part, ast.Constant) else '{}'
                for part in node.values
            )
        ]
    if isinstance(node, ast.IfExp):
        return texts(node.body) + texts(node.orelse)
    if isinstance(node, ast.BoolOp):
        return [text for part in node.values for text in texts(part)]
    return []


def fallbacks(node: ast.expr) -> list[ast.expr]:
    """Return what a hint comes to: of ``a or b``, the last."""
    if isinstance(node, ast.IfExp):
        return fallbacks(node.body) + fallbacks(node.orelse)
    if isinstance(node, ast.BoolOp):
        return fallbacks(node.values[-1])
    return [node]


def lacks_hint(error: Raised) -> bool:
    """Whether there may be no hint in the end.

    One of another error is as good as that: what has none may not be what
    was caught.
    """
    if error.hint is None:
        return True
    hintless = {*WITHOUT_HINT, 'RTVirtError', 'ValueError', 'Exception'}
    for end in fallbacks(error.hint):
        if isinstance(end, ast.Constant) and not end.value:
            return True
        if (
            isinstance(end, ast.Attribute)
            and end.attr == 'hint'
            and error.caught & hintless
        ):
            return True
    return False


def test_every_error_has_a_way_out() -> None:
    assert len(raised()) > 150
    bare = [
        f'{error.where} {error.kind}'
        for error in raised()
        if error.kind not in WITHOUT_HINT and lacks_hint(error)
    ]
    assert not bare


@pytest.mark.parametrize('name', sorted(WITHOUT_HINT))
def test_a_class_without_a_way_out_says_why(name: str) -> None:
    doc = ' '.join((getattr(exception, name).__doc__ or '').split())
    assert 'hint' in doc


def tool_errors() -> Iterator[Raised]:
    """Yield where the tools of the checkout, if it is one, make errors."""
    for path in sorted(TOP.parent.glob('tools/*/*.py')):
        text = path.read_text(encoding='utf-8')
        if 'Error(' in text:
            yield from find(ast.parse(text), f'{path.parent.name}/{path.name}')


def voice(text: str) -> str:
    """Return what a message does that none is to do; nothing if fine."""
    text = text.strip()
    if text.endswith(('.', '!')) and not text.endswith('...'):
        return 'ends with a full stop'
    if text[:1].isupper() and not text.startswith(NAMES):
        return 'begins with a capital'
    if '`' in text:
        return 'quotes with `'
    if re.search(r'\b(please|cannot be empty|invalid|illegal)\b', text, re.I):
        return 'says a word that tells nothing'
    if re.search(r'\{\}(us|ns|ms|%|[KMG]iB)', text):
        return 'has no blank before a unit'
    return ''


def test_errors_speak_with_one_voice() -> None:
    wrong = [
        f'{error.where} {voice(text)}: {text}'
        for error in (*raised(), *tool_errors())
        for part in (error.message, error.hint)
        for text in texts(part)
        if voice(text)
    ]
    assert not wrong


_TELLS: Final = re.compile(
    r'(?<!")\b(?:rtvirt|virsh) (?:[a-z-]|\{\}| )+ '
    r'(?:tells?|shows?|lists?|says|names?|lets|moves|removes|forgets)\b'
)


def test_a_command_in_a_sentence_is_quoted() -> None:
    """So that one sees where it ends."""
    wrong = [
        f'{error.where}: {text}'
        for error in raised()
        for text in texts(error.hint)
        if _TELLS.search(text)
    ]
    assert not wrong
    assert _TELLS.search('virsh resume {} lets it run')
    assert not _TELLS.search('"rtvirt host show" tells what is free')


def test_a_hint_is_no_question() -> None:
    asked = [
        f'{error.where}: {text}'
        for error in raised()
        for text in texts(error.hint)
        if text.endswith('?') and not text.startswith('did you mean')
    ]
    assert not asked


def test_every_check_and_rule_has_a_mend() -> None:
    rows: list[Check | Rule] = [
        *checks.table(plugins.host_checks()).values(),
        *lint_rules.table(plugins.lint_rules()).values(),
    ]
    assert len(rows) > 100
    for row in rows:
        for text in (row.expected, row.mend):
            assert text, row.code
            assert not text.endswith('.'), row.code
            assert '`' not in text, row.code
        assert not row.title.endswith('.'), row.code
        assert row.why.endswith('.'), row.code


def test_every_gap_has_a_mend() -> None:
    gaps = [
        (f'{name}:{node.lineno}', node)
        for name, tree in sources().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, 'id', '') == 'Gap'
    ]
    assert len(gaps) > 15
    for where, call in gaps:
        assert 'mend' in {word.arg for word in call.keywords}, where


def test_every_meaning_of_an_error_of_libvirt_has_a_way_out() -> None:
    for row in meaning._MEANINGS:
        for text in (row.text, row.hint):
            assert text, row.pattern
            assert not voice(text), text
        assert not row.hint.endswith('?'), row.hint
    assert meaning.explain_error('something that nobody knows').hint


def test_the_voice_is_heard() -> None:
    """The rules of this test refuse what they are to refuse."""
    for text in (
        'a thing is wrong.',
        'The thing is wrong',
        'give what `virsh capabilities` prints',
        'invalid value',
        'took {}us',
    ):
        assert voice(text)


@pytest.mark.parametrize(
    ('hint', 'lacks'),
    [
        ("'do that'", False),
        ("'do that' if it else ''", True),
        ("''", True),
        ('e.hint', True),
        ("e.hint or 'do that'", False),
        ("'do that' or e.hint", True),
    ],
)
def test_a_hint_that_may_be_missing_is_found(hint: str, lacks: bool) -> None:
    text = (
        'try: pass\n'
        f'except ModelError as e: raise HostError(str(e), hint={hint})'
    )
    (error,) = find(ast.parse(text), 'x.py')
    assert lacks_hint(error) is lacks
