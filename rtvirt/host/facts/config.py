# SPDX-License-Identifier: Apache-2.0
"""The formats of configuration files: text to settings, no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LIBVIRT: Final = re.compile(
    r'^[ \t]*(\w+)[ \t]*=[ \t]*(\[[^\]]*\]|"[^"\n]*"|\'[^\'\n]*\'|[^\s#]+)',
    re.MULTILINE,
)
_QUOTED: Final = re.compile(r'"([^"\n]*)"|\'([^\'\n]*)\'')


def parse_ini(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield section, key and value of each setting.

    What oslo.config and systemd read alike: ``#`` and ``;`` begin a
    comment, a line that begins with white space continues the one before,
    a key may occur more than once. A line before the first section is in
    section ``''``.
    """
    section = key = value = ''
    for line in text.splitlines():
        if line[:1].isspace() and key and line.strip():
            value += '\n' + line.strip()
            continue
        if key:
            yield section, key, value
            key = ''
        bare = line.strip()
        if bare.startswith('['):
            section = bare[1:].partition(']')[0]
        elif bare and bare[0] not in '#;':
            name, equals, rest = bare.partition('=')
            if equals:
                key, value = name.strip(), rest.strip()
    if key:
        yield section, key, value


def parse_libvirt_conf(text: str) -> dict[str, tuple[str, ...]]:
    """Read ``qemu.conf``: each key with its texts.

    A text or a number is one, a list in brackets may go over lines.
    """
    bare = '\n'.join(
        line for line in text.splitlines() if not line.lstrip().startswith('#')
    )
    return {key: _texts(value) for key, value in _LIBVIRT.findall(bare)}


def _texts(value: str) -> tuple[str, ...]:
    if value[0] in '["\'':
        return tuple(a or b for a, b in _QUOTED.findall(value))
    return (value,)
