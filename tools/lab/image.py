# SPDX-License-Identifier: Apache-2.0
"""The emulated host's image: built once for a recipe, then only read."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.lab import recipe
from tools.lab.built_kernel import ensure_kernel
from tools.lab.bzimage import unpack_kernel
from tools.lab.cache import cache_directory
from tools.lab.cache import cached
from tools.lab.cache import is_cached
from tools.lab.debstrap import require_program
from tools.lab.initramfs import archive
from tools.lab.recipe import Kernel
from tools.lab.rootfs import LOADER
from tools.lab.rootfs import add_python_packages
from tools.lab.rootfs import loader
from tools.lab.rootfs import make_rootfs

_DEBIAN_KERNEL: Final = 'vmlinux'

_SPARE_MIB: Final = 512
"""What the emulated host may write."""

_STORE: Final = 'var/lib/lab'
"""Where the emulated host has what its guests boot."""

_NEEDED: Final = re.compile(r' => /\S+/(\S+)')


@dataclass(frozen=True, slots=True)
class Image:
    """What an emulated host boots from; nobody writes to it.

    :ivar directory: has all of it, but for a kernel that was built.
    :ivar kernel: an ELF file with a PVH entry point.
    """

    directory: Path
    kernel: Path

    @property
    def disk(self) -> Path:
        """The root file system, raw ext4."""
        return self.directory / 'root.img'

    @property
    def initrd(self) -> Path:
        """Mounts the disks, whichever kernel it is."""
        return self.directory / 'initrd.cpio'


def is_whole(kernel: Kernel = Kernel.RT) -> bool:
    """Return whether all of an image is in the cache already."""
    return is_cached(recipe.image_digest()) and (
        kernel is Kernel.RT or is_cached(recipe.kernel_digest())
    )


def ensure_image(
    kernel: Kernel = Kernel.RT, say: Callable[[str], None] = lambda _: None
) -> Image:
    """Return the image of the recipe; what of it is not cached is built.

    :param kernel: what the host boots; its guests boot Debian's.
    :param say: told what is done when that takes long.
    :raises LabError: if it cannot be built.
    """

    def build(made: Path, scratch: Path) -> None:
        say('building the image of the emulated host, once: 2 min')
        _build(Image(made, made / _DEBIAN_KERNEL), scratch)

    directory = cached(recipe.image_digest(), build)
    if kernel is Kernel.RT:
        return Image(directory, directory / _DEBIAN_KERNEL)
    return Image(directory, ensure_kernel(say))


def _build(image: Image, scratch: Path) -> None:
    root, log = scratch / 'root', cache_directory() / 'build.log'
    make_rootfs(root, log)
    add_python_packages(root, log)
    _add_kernel(root, image)
    _make_disk(root, image.disk)


def _add_kernel(root: Path, image: Image) -> None:
    """Make what is booted, for the host and for guests on it."""
    store = root / _STORE
    store.mkdir(parents=True)
    [packed] = (root / 'boot').glob('vmlinuz-*')
    image.kernel.write_bytes(unpack_kernel(packed))
    packed.unlink()
    shutil.copyfile(image.kernel, store / 'vmlinux')
    (store / 'guest.cpio').write_bytes(_guest(root))
    image.initrd.write_bytes(_initrd(root))


def _initrd(root: Path) -> bytes:
    """Return an initramfs with the modules for the disks, in order."""
    [tree] = (root / 'usr/lib/modules').iterdir()
    order = _order(tree / 'modules.dep', recipe.DISK_MODULES)
    return archive(
        {
            '/init': recipe.HOST / 'initrd',
            '/busybox': root / 'usr/bin/busybox',
            '/modules/order': ''.join(
                f'{Path(name).name}\n' for name in order
            ).encode(),
            **{f'/modules/{Path(name).name}': tree / name for name in order},
        }
    )


def _order(dependencies: Path, wanted: tuple[str, ...]) -> list[str]:
    """Return the modules and what they need, as they can be loaded.

    :param dependencies: modules.dep(5), which lists what is needed last
        first.
    """
    needs: dict[str, list[str]] = {}
    for line in dependencies.read_text().splitlines():
        name, _, rest = line.partition(':')
        needs[Path(name).stem] = [*reversed(rest.split()), name]
    return list(
        dict.fromkeys(
            module for name in wanted for module in needs.get(name, ())
        )
    )


def _guest(root: Path) -> bytes:
    """Return the guest: busybox, the latency tools and their libraries."""
    files: dict[str, Path | bytes] = {
        '/bin/busybox': root / 'usr/bin/busybox',
    }
    for program in recipe.GUEST_PROGRAMS:
        files[program] = root / program.lstrip('/')
        for name in _libraries(root, program):
            files[name] = root / 'usr/lib/x86_64-linux-gnu' / Path(name).name
    return archive(files, {'/bin/sh': 'busybox'})


def _libraries(root: Path, program: str) -> list[str]:
    """Return what the loader of the root would load for a program."""
    listed = subprocess.run(
        [*loader(root), '--list', root / program.lstrip('/')],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [
        *(f'/lib/{name}' for name in _NEEDED.findall(listed.stdout)),
        f'/lib64/{LOADER}',
    ]


def _make_disk(root: Path, disk: Path) -> None:
    """Make a file system of a directory."""
    used = sum(
        path.lstat().st_size + 4096
        for path in root.rglob('*')
        if not path.is_symlink()
    )
    size_mib = used * 11 // 10 // 2**20 + _SPARE_MIB
    subprocess.run(
        [
            *(require_program('mke2fs'), '-q', '-t', 'ext4', '-m', '0'),
            *('-O', '^has_journal,^metadata_csum', '-E', 'root_owner=0:0'),
            *('-d', root, disk, f'{size_mib}M'),
        ],
        stdout=subprocess.DEVNULL,
        check=True,
    )
