# SPDX-License-Identifier: Apache-2.0
"""What of a file goes into a snapshot: what is read of it, and no more.

Files below ``/proc`` and ``/sys`` go in whole but for those named here.
Everything else (configuration, logs, domain XML) may hold passwords: of
these files only the lines that the readers look for are kept, and a file
without a rule here stays out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Iterator
from typing import Final

from lxml import etree

from rtvirt.host.facts.config import parse_ini
from rtvirt.host.facts.config import parse_libvirt_conf
from rtvirt.host.facts.domain import DEFINED
from rtvirt.host.facts.domain import STATE
from rtvirt.host.facts.domain import find_domain
from rtvirt.host.facts.interrupt import BANNED
from rtvirt.host.facts.interrupt import IRQBALANCE
from rtvirt.host.facts.kernel import LOG_PATHS
from rtvirt.host.facts.kernel import LOST_TIME
from rtvirt.host.facts.libvirt import QEMU_CONF
from rtvirt.host.facts.libvirt import QEMU_CONF_KEYS
from rtvirt.host.facts.memory import MOUNT_TYPES
from rtvirt.host.facts.nova import OPTIONS
from rtvirt.host.facts.nova import is_nova_file
from rtvirt.host.facts.service import PROCESS_LISTS
from rtvirt.host.facts.service import SYSTEMD
from rtvirt.host.facts.service import TUNED_BOOT
from rtvirt.host.facts.service import TUNED_VARIABLES
from rtvirt.libvirtxml.metadata import NAMESPACE
from rtvirt.model.facts.cmdline import parse_cmdline
from rtvirt.model.facts.service import DAEMONS

Keep = Callable[[str], str]

_WHOLE: Final = ('/proc/', '/sys/', '/boot/', '/lib/', '/usr/lib/')

# The elements of a domain that its reader looks at.
_ELEMENTS: Final = (
    'name',
    'metadata',
    'vcpu',
    'iothreads',
    'cputune',
    'features',
)
_PLAN: Final = f'{{{NAMESPACE}}}plan'


def kept(path: str, content: bytes) -> bytes | None:
    """Return what a snapshot keeps of a file, None where nothing.

    A file that is kept whole is returned itself.
    """
    keep = _find_rule(path)
    if keep is not None:
        return keep(content.decode(errors='replace')).encode()
    whole = path.startswith(_WHOLE) or path in _HARMLESS
    return content if whole else None


def _find_rule(path: str) -> Keep | None:
    if path in _RULES:
        return _RULES[path]
    if is_nova_file(path):
        return _keep_nova
    if path.startswith((f'{STATE}/', f'{DEFINED}/')):
        return _keep_domain
    if path.startswith(f'{SYSTEMD}.d/'):
        return _keep_affinity
    if path.startswith('/etc/tuned/') and path.endswith('-variables.conf'):
        return _keep_variables
    return None


def _keep_nova(text: str) -> str:
    return _ini(text, lambda section, key: (section, key) in OPTIONS)


def _keep_affinity(text: str) -> str:
    wanted = ('Manager', 'CPUAffinity')
    return _ini(text, lambda section, key: (section, key) == wanted)


def _ini(text: str, is_wanted: Callable[[str, str], bool]) -> str:
    """Write the settings that are wanted as an INI file again."""
    lines = []
    current = None
    for section, key, value in parse_ini(text):
        if not is_wanted(section, key):
            continue
        if section != current:
            lines.append(f'[{section}]')
            current = section
        # A value over several lines goes on indented.
        folded = value.replace('\n', '\n ')
        lines.append(f'{key} = {folded}')
    return ''.join(f'{line}\n' for line in lines)


def _keep_qemu_conf(text: str) -> str:
    found = parse_libvirt_conf(text)
    return ''.join(
        f'{key} = [ {", ".join(_quoted(found[key]))} ]\n'
        for key in sorted(QEMU_CONF_KEYS & set(found))
    )


def _quoted(texts: tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        yield f'"{text}"'


def _keep_matches(pattern: re.Pattern[str]) -> Keep:
    """Return a rule that keeps the lines in which a pattern is found."""

    def keep(text: str) -> str:
        return ''.join(
            f'{line}\n' for line in text.splitlines() if pattern.search(line)
        )

    return keep


_keep_variables: Final = _keep_matches(TUNED_VARIABLES)


def _keep_parameters(text: str) -> str:
    return parse_cmdline(text).text + '\n'


def _keep_boot_cmdline(text: str) -> str:
    found = TUNED_BOOT.findall(text)
    if not found:
        return ''
    inside = found[-1].strip().strip('"')
    return f'TUNED_BOOT_CMDLINE="{_keep_parameters(inside).strip()}"\n'


def _keep_domain(text: str) -> str:
    """Keep names, pins and schedulers: no disk, no network, no password."""
    domain = find_domain(text.encode())
    if domain is None:
        return ''
    for child in list(domain):
        if child.tag not in _ELEMENTS:
            domain.remove(child)
    for metadata in domain.iterfind('metadata'):
        for child in list(metadata):
            if child.tag != _PLAN:
                metadata.remove(child)
    return etree.tostring(domain, encoding='unicode') + '\n'


def _keep_mounts(text: str) -> str:
    rows = [line.split() for line in text.splitlines()]
    return ''.join(
        f'none {row[1]} {row[2]} {row[3]} 0 0\n'
        for row in rows
        if len(row) > 3 and row[2] in MOUNT_TYPES
    )


def _keep_first_processor(text: str) -> str:
    return text.partition('\n\n')[0] + '\n\n'


def _keep_daemons(text: str) -> str:
    words = set(re.findall(r'[\w.-]+', text))
    return ''.join(f'{name}\n' for name in sorted(DAEMONS & words))


_HARMLESS: Final = frozenset(
    {
        '/dev/cpu_dma_latency',
        '/etc/tuned/active_profile',
    }
)
_RULES: Final[dict[str, Keep]] = {
    '/proc/cmdline': _keep_parameters,
    '/proc/cpuinfo': _keep_first_processor,
    '/proc/mounts': _keep_mounts,
    '/etc/tuned/bootcmdline': _keep_boot_cmdline,
    QEMU_CONF: _keep_qemu_conf,
    SYSTEMD: _keep_affinity,
    **dict.fromkeys(IRQBALANCE, _keep_matches(BANNED)),
    **dict.fromkeys(LOG_PATHS, _keep_matches(LOST_TIME)),
    **dict.fromkeys(PROCESS_LISTS, _keep_daemons),
}
