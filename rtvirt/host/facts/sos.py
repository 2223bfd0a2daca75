# SPDX-License-Identifier: Apache-2.0
"""Fill the gaps of an unpacked sosreport from what its commands printed."""

from __future__ import annotations

import re
from typing import Final

from rtvirt.host.facts.tree import LIMIT
from rtvirt.host.facts.tree import Tree
from rtvirt.host.facts.tree import read_text
from rtvirt.model.facts.missing import Missing

COMMANDS: Final = '/sos_commands'

_SYSCTL: Final = re.compile(r'^([\w./-]+) = ?(.*)$', re.MULTILINE)
_SYSCTL_PATHS: Final = (
    f'{COMMANDS}/kernel/sysctl_-a',
    f'{COMMANDS}/sysctl/sysctl_-a',
)
_SYSCTL_LIMIT: Final = 1 << 22
_MOUNT: Final = re.compile(
    r'^(\S+) on (\S+) type (\S+) \(([^)]*)\)', re.MULTILINE
)
_UNAME: Final = re.compile(r'^Linux (\S+) (\S+) (.*)$', re.MULTILINE)


class SOSTree:
    """A tree whose missing ``/proc`` files come from ``sos_commands``.

    A file that the report has is never replaced.
    """

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._sysctl: dict[str, str] | None = None

    def read(self, path: str, limit: int = LIMIT) -> bytes | Missing:
        """Return what a file holds, or held when the report was made."""
        content = self._tree.read(path, limit)
        if not isinstance(content, Missing) or not content.is_absent:
            return content
        text = self._substitute(path)
        return content if text is None else text.encode()

    def names(self, path: str) -> tuple[str, ...]:
        """Return the entries of a directory, sorted."""
        return self._tree.names(path)

    def _substitute(self, path: str) -> str | None:
        uname = _UNAME_FIELDS.get(path)
        if uname is not None:
            return self._uname(uname)
        if path == '/proc/mounts':
            return self._mounts()
        if path.startswith('/proc/sys/'):
            return self._sysctl_value(path.removeprefix('/proc/sys/'))
        return None

    def _sysctl_value(self, name: str) -> str | None:
        if self._sysctl is None:
            self._sysctl = {}
            for path in _SYSCTL_PATHS:
                text = read_text(self._tree, path, _SYSCTL_LIMIT)
                if isinstance(text, str):
                    self._sysctl.update(_SYSCTL.findall(text))
        return self._sysctl.get(name.replace('/', '.'))

    def _uname(self, group: int) -> str | None:
        text = read_text(self._tree, f'{COMMANDS}/kernel/uname_-a')
        match = _UNAME.match(text) if isinstance(text, str) else None
        return match[group] if match else None

    def _mounts(self) -> str | None:
        text = read_text(self._tree, '/proc/self/mounts')
        if isinstance(text, str):
            return text
        text = read_text(self._tree, f'{COMMANDS}/filesys/mount_-l')
        if isinstance(text, Missing):
            return None
        return ''.join(
            f'{device} {point} {kind} {options} 0 0\n'
            for device, point, kind, options in _MOUNT.findall(text)
        )


_UNAME_FIELDS: Final = {
    '/proc/sys/kernel/hostname': 1,
    '/proc/sys/kernel/osrelease': 2,
    '/proc/version': 3,
}
