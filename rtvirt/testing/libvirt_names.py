# SPDX-License-Identifier: Apache-2.0
"""The numbers of libvirt's interface, as ``libvirt-python`` has them.

They are part of libvirt's ABI and never change. A test compares each with
``libvirt-python``.
"""

from __future__ import annotations

import enum
from typing import Final


class ErrorCode(enum.IntEnum):
    """``VIR_ERR_*``."""

    INTERNAL_ERROR = 1
    NO_SUPPORT = 3
    NO_CONNECT = 5
    INVALID_CONN = 6
    INVALID_DOMAIN = 7
    INVALID_ARG = 8
    OPERATION_FAILED = 9
    NO_NAME = 21
    XML_ERROR = 27
    OPERATION_DENIED = 29
    XML_DETAIL = 35
    SYSTEM_ERROR = 38
    RPC = 39
    NO_DOMAIN = 42
    OPERATION_INVALID = 55
    CONFIG_UNSUPPORTED = 67
    OPERATION_TIMEOUT = 68
    OPERATION_ABORTED = 78
    NO_DOMAIN_METADATA = 80
    OPERATION_UNSUPPORTED = 84
    XML_INVALID_SCHEMA = 92


class ErrorDomain(enum.IntEnum):
    """``VIR_FROM_*``."""

    NONE = 0
    RPC = 7
    QEMU = 10
    DOMAIN = 20


class State(enum.IntEnum):
    """``VIR_DOMAIN_*``."""

    NOSTATE = 0
    RUNNING = 1
    BLOCKED = 2
    PAUSED = 3
    SHUTDOWN = 4
    SHUTOFF = 5
    CRASHED = 6
    PMSUSPENDED = 7


class RunningReason(enum.IntEnum):
    """``VIR_DOMAIN_RUNNING_*``."""

    UNKNOWN = 0
    BOOTED = 1
    MIGRATED = 2
    RESTORED = 3
    UNPAUSED = 5


class PausedReason(enum.IntEnum):
    """``VIR_DOMAIN_PAUSED_*``."""

    UNKNOWN = 0
    USER = 1
    MIGRATION = 2
    STARTING_UP = 11


class ShutoffReason(enum.IntEnum):
    """``VIR_DOMAIN_SHUTOFF_*``."""

    UNKNOWN = 0
    SHUTDOWN = 1
    DESTROYED = 2
    CRASHED = 3
    MIGRATED = 4
    FAILED = 6


class XMLFlag(enum.IntFlag):
    """``VIR_DOMAIN_XML_*``."""

    SECURE = 1
    INACTIVE = 2
    UPDATE_CPU = 4
    MIGRATABLE = 8


class DefineFlag(enum.IntFlag):
    """``VIR_DOMAIN_DEFINE_*``."""

    VALIDATE = 1


class StartFlag(enum.IntFlag):
    """``VIR_DOMAIN_START_*``."""

    PAUSED = 1
    AUTODESTROY = 2
    BYPASS_CACHE = 4
    FORCE_BOOT = 8
    VALIDATE = 16


class DestroyFlag(enum.IntFlag):
    """``VIR_DOMAIN_DESTROY_*``."""

    DEFAULT = 0
    GRACEFUL = 1


class UndefineFlag(enum.IntFlag):
    """``VIR_DOMAIN_UNDEFINE_*``."""

    MANAGED_SAVE = 1
    SNAPSHOTS_METADATA = 2
    NVRAM = 4
    KEEP_NVRAM = 8
    CHECKPOINTS_METADATA = 16
    TPM = 32
    KEEP_TPM = 64


class AffectFlag(enum.IntFlag):
    """``VIR_DOMAIN_AFFECT_*``."""

    CURRENT = 0
    LIVE = 1
    CONFIG = 2


class MetadataType(enum.IntEnum):
    """``VIR_DOMAIN_METADATA_*``."""

    DESCRIPTION = 0
    TITLE = 1
    ELEMENT = 2


class ListFlag(enum.IntFlag):
    """``VIR_CONNECT_LIST_DOMAINS_*``."""

    ACTIVE = 1
    INACTIVE = 2
    PERSISTENT = 4
    TRANSIENT = 8
    RUNNING = 16
    PAUSED = 32
    SHUTOFF = 64
    OTHER = 128


class MigrateFlag(enum.IntFlag):
    """``VIR_MIGRATE_*``."""

    LIVE = 1
    PEER2PEER = 2
    TUNNELLED = 4
    PERSIST_DEST = 8
    UNDEFINE_SOURCE = 16
    PAUSED = 32
    ABORT_ON_ERROR = 4096
    AUTO_CONVERGE = 8192


class MigrateParam(enum.StrEnum):
    """``VIR_MIGRATE_PARAM_*``."""

    URI = 'migrate_uri'
    DEST_XML = 'destination_xml'
    PERSIST_XML = 'persistent_xml'
    LISTEN_ADDRESS = 'listen_address'


_PREFIXES: Final[dict[str, type[enum.Enum]]] = {
    'VIR_ERR_': ErrorCode,
    'VIR_FROM_': ErrorDomain,
    'VIR_DOMAIN_': State,
    'VIR_DOMAIN_RUNNING_': RunningReason,
    'VIR_DOMAIN_PAUSED_': PausedReason,
    'VIR_DOMAIN_SHUTOFF_': ShutoffReason,
    'VIR_DOMAIN_XML_': XMLFlag,
    'VIR_DOMAIN_DEFINE_': DefineFlag,
    'VIR_DOMAIN_START_': StartFlag,
    'VIR_DOMAIN_DESTROY_': DestroyFlag,
    'VIR_DOMAIN_UNDEFINE_': UndefineFlag,
    'VIR_DOMAIN_AFFECT_': AffectFlag,
    'VIR_DOMAIN_METADATA_': MetadataType,
    'VIR_CONNECT_LIST_DOMAINS_': ListFlag,
    'VIR_MIGRATE_': MigrateFlag,
    'VIR_MIGRATE_PARAM_': MigrateParam,
}

NAMES: Final[dict[str, int | str]] = {
    f'{prefix}{member}': value.value
    for prefix, kind in _PREFIXES.items()
    for member, value in kind.__members__.items()
}
"""The constants by the names that programs know them by."""
