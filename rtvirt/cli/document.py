# SPDX-License-Identifier: Apache-2.0
"""Read the files that a command line names, whoever wrote them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any
from typing import Final

import yaml

from rtvirt.exception import InputError

STDIN: Final = '-'
MAX_MAPPING: Final = 1 << 18
"""The longest flavor or image in bytes: a hundred times a long one, and a
second's work for a parser written in Python."""

MAX_XML: Final = 1 << 24
"""The longest domain XML in bytes."""


def read_text(path: str, limit: int) -> str:
    """Return the text of a file, or of standard input where it is ``-``.

    :param limit: how many bytes it may have.
    :raises InputError: if it cannot be read, is too long or is no text.
    """
    try:
        if path == STDIN:
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(path).open('rb') as file:
                data = file.read(limit + 1)
    # ValueError: a name with a null byte.
    except (OSError, ValueError) as error:
        reason = getattr(error, 'strerror', None) or str(error)
        raise InputError(
            f'cannot read {path!r}: {reason}',
            path=path,
            hint='name a file that is there and that you may read; - is '
            'standard input',
        ) from error
    if len(data) > limit:
        raise InputError(
            f'{_name(path)} is longer than {limit >> 10} KiB',
            path=path,
            hint='look whether it is the right file',
        )
    try:
        return data.decode('utf-8-sig')
    except UnicodeDecodeError as error:
        raise InputError(
            f'{_name(path)} is no text: byte {error.start} is not UTF-8',
            path=path,
            hint='save it as UTF-8, if it is the right file',
        ) from None


def read_mapping(path: str, what: str) -> dict[str, Any]:
    """Read a YAML or JSON file whose top level is a mapping.

    YAML's scalars stay the texts they are written as (but null), as
    OpenStack keeps extra specs: ``010`` is no octal number and ``yes`` no
    truth value.

    :param what: what the file should be, for messages.
    :raises InputError: if it is anything else, holds a key twice, or holds
        YAML aliases (of which a few lines can stand for gigabytes).
    """
    text = read_text(path, MAX_MAPPING)
    try:
        data = _parse(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(
            f'{_name(path)} is neither YAML nor JSON: {_explain(error)}',
            path=path,
            hint=model_of(what),
        ) from error
    if not isinstance(data, dict):
        raise InputError(
            f'{_name(path)} is no {what}: its top level is '
            f'{_KINDS.get(type(data), "a text")}, not a mapping',
            path=path,
            hint=model_of(what),
        )
    return data


def model_of(what: str) -> str:
    """Return what a file that should be a flavor or an image is to be."""
    return f'write the {what} as "openstack {what} show -f yaml" prints it'


_KINDS: Final = {
    type(None): 'empty',
    list: 'a list',
    int: 'a number',
    float: 'a number',
    bool: 'a truth value',
}


def _name(path: str) -> str:
    return 'standard input' if path == STDIN else repr(path)


def _parse(text: str) -> Any:
    # JSON is nearly a subset of YAML; its parser is exact and fast.
    if text.lstrip()[:1] == '{':
        try:
            return json.loads(text, object_pairs_hook=_distinct)
        except json.JSONDecodeError:
            # A flow mapping of YAML begins in the same way.
            pass
    return yaml.load(text, _Loader)  # noqa: S506 (it makes no objects)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f'the key {key!r:.80} is there twice')
        found[key] = value
    return found


def _explain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return 'it is nested too deeply'
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f'{error.problem} (line {mark.line + 1})'
    if isinstance(error, yaml.reader.ReaderError):
        return (
            f'character {error.position} is U+{error.character:04X}, '
            'which no text has'
        )
    return str(error)


class _Loader(yaml.BaseLoader):
    """YAML's base loader (texts, lists, mappings) with null, without aliases
    and without keys that occur twice."""

    def compose_node(
        self, parent: yaml.Node | None, index: Any
    ) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                None,
                None,
                'aliases (*name) are not allowed here',
                self.peek_event().start_mark,  # type: ignore[no-untyped-call]
            )
        return super().compose_node(parent, index)

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    'a key is no plain text',
                    key_node.start_mark,
                )
            key = key_node.value
            if key in found:
                raise yaml.constructor.ConstructorError(
                    None,
                    None,
                    f'the key {key!r:.80} is there twice',
                    key_node.start_mark,
                )
            found[key] = self.construct_object(value_node, deep=deep)
        return found


_NULL: Final = 'tag:yaml.org,2002:null'
_Loader.add_implicit_resolver(
    _NULL, re.compile(r'(~|null|Null|NULL|)\Z'), ['~', 'n', 'N', '']
)
_Loader.add_constructor(_NULL, lambda _loader, _node: None)
