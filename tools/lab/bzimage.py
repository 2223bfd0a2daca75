# SPDX-License-Identifier: Apache-2.0
"""The kernel inside of a bzImage.

Uncompressed it boots by its PVH entry point, in a fraction of the time:
an emulated processor unpacks slowly.
"""

from __future__ import annotations

import lzma
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tools.lab.error import LabError

_ELF: Final = b'\x7fELF'
_PACKERS: Final[tuple[tuple[bytes, Callable[[bytes], bytes]], ...]] = (
    (b'\xfd7zXZ\0', lambda data: lzma.LZMADecompressor().decompress(data)),
    (b'\x1f\x8b\x08', lambda data: zlib.decompressobj(31).decompress(data)),
)


def unpack_kernel(image: Path) -> bytes:
    """Return the ELF file that a bzImage holds.

    :raises LabError: if none is found.
    """
    data = image.read_bytes()
    for magic, unpack in _PACKERS:
        at = -1
        while (at := data.find(magic, at + 1)) >= 0:
            try:
                kernel = unpack(data[at:])
            except (lzma.LZMAError, zlib.error):
                continue
            if kernel.startswith(_ELF):
                return kernel
    raise LabError(f'{image.name} holds no kernel that can be unpacked')
