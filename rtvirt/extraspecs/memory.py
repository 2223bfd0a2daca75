# SPDX-License-Identifier: Apache-2.0
"""Rules: page size, locked and encrypted memory."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.agreement import agreed
from rtvirt.extraspecs.request import Request
from rtvirt.model.pages import PageSize

_SIZE: Final = 'hw:mem_page_size'
_IMAGE_SIZE: Final = 'hw_mem_page_size'
_LOCKED: Final = 'hw:locked_memory'
_IMAGE_LOCKED: Final = 'hw_locked_memory'
_ENCRYPTION: Final = 'hw:mem_encryption'
_IMAGE_ENCRYPTION: Final = 'hw_mem_encryption'
_MODEL: Final = 'hw:mem_encryption_model'
_IMAGE_MODEL: Final = 'hw_mem_encryption_model'


def page_size(request: Request) -> int | PageSize | None:
    """Return the page size asked for: KiB, a word, or None.

    As nova's ``_get_numa_pagesize_constraint``.

    :raises ConflictingExtraSpecs: if the image asks without being let to.
    """
    flavor: int | PageSize | None = request.specs.get(_SIZE)
    image: int | PageSize | None = request.properties.get(_IMAGE_SIZE)
    if image is None:
        return flavor or None
    if flavor is PageSize.ANY or flavor is PageSize.LARGE:
        return image or None
    raise request.conflict(
        'the flavor does not let the image choose',
        _IMAGE_SIZE,
        _SIZE,
        expected=f'{_SIZE}=large or {_SIZE}=any in the flavor',
        hint=f'remove {_IMAGE_SIZE} or take another flavor',
    )


def locked_memory(request: Request) -> bool:
    """Return whether the guest asks for memory that stays in RAM.

    As nova's ``get_locked_memory_constraint``.

    :raises ExtraSpecError: if flavor and image disagree, or no page size
        is asked for.
    """
    locked = agreed(request, _LOCKED, _IMAGE_LOCKED)
    if locked and not request.text(_SIZE):
        raise request.conflict(
            f'this needs {_SIZE}, which is not given',
            _LOCKED,
            _IMAGE_LOCKED,
            expected=_SIZE,
            hint=f'set {_SIZE}',
        )
    if _ENCRYPTION in request.specs or _IMAGE_ENCRYPTION in request.properties:
        return _is_locked_by_encryption(request) or bool(locked)
    return bool(locked)


_LOCKS: Final = ('amd-sev', 'amd-sev-es')
_STATELESS: Final = ('amd-sev-snp', 'intel-tdx')


def _is_locked_by_encryption(request: Request) -> bool:
    """Return whether memory encryption locks memory.

    As nova's ``get_mem_encryption_constraint``.

    :raises ExtraSpecError: if flavor and image disagree or the image is not
        made for it.
    """
    if not agreed(request, _ENCRYPTION, _IMAGE_ENCRYPTION):
        return False
    ours = request.text(_MODEL)
    theirs = request.text(_IMAGE_MODEL)
    if ours is not None and theirs is not None and ours != theirs:
        raise request.conflict(
            'flavor and image disagree',
            _MODEL,
            _IMAGE_MODEL,
            expected='the same in both',
            hint='remove one or make them agree',
        )
    model = theirs or ours or _LOCKS[0]
    if model not in _LOCKS + _STATELESS:
        raise request.invalid(_MODEL)
    _check_image(request, model)
    return model in _LOCKS


def _check_image(request: Request, model: str) -> None:
    """Refuse an image that is not made for encrypted memory."""
    image = request.properties
    machine = image.get('hw_machine_type', 'q35')
    wanted = [
        ('hw_firmware_type', 'uefi', image.get('hw_firmware_type') == 'uefi'),
        ('hw_machine_type', 'q35', 'q35' in machine),
    ]
    if model in _STATELESS:
        key = 'hw_firmware_stateless'
        wanted.append((key, 'yes', image.get(key) is True))
    if model == 'intel-tdx':
        key = 'hw_video_model'
        wanted.append((key, 'none', image.get(key) == 'none'))
    for key, value, holds in wanted:
        if not holds:
            raise request.conflict(
                f'{model} needs an image with {key}={value}',
                key,
                _ENCRYPTION,
                _IMAGE_ENCRYPTION,
                expected=value,
                hint=f'set {key}={value} on the image',
            )
