# SPDX-License-Identifier: Apache-2.0
"""Rules: page size, locked and encrypted memory."""

from __future__ import annotations

from typing import Final

from rtvirt.extraspecs.request import Request
from rtvirt.model.pages import PageSize

_SIZE: Final = 'hw:mem_page_size'
_IMAGE_SIZE: Final = 'hw_mem_page_size'


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
    asked = request.texts.get(_SIZE)
    raise request.conflict(
        f'the image has {_IMAGE_SIZE}={request.image_texts[_IMAGE_SIZE]}, '
        + (
            f'the flavor {_SIZE}={asked}'
            if asked
            else f'the flavor no {_SIZE}'
        ),
        _IMAGE_SIZE,
        _SIZE,
        hint=f'set {_SIZE}=large or any, which let the image choose',
    )


def locked_memory(request: Request) -> bool:
    """Return whether the guest asks for memory that stays in RAM.

    As nova's ``get_locked_memory_constraint``.

    :raises ExtraSpecError: if flavor and image disagree, or no page size
        is asked for.
    """
    locked = agreed_truth(request, 'locked_memory')
    if locked and not (
        request.texts.get(_SIZE) or request.image_texts.get(_IMAGE_SIZE)
    ):
        key = 'hw:locked_memory'
        if key not in request.specs:
            key = 'hw_locked_memory'
        raise request.conflict(
            f'{key} needs a page size',
            key,
            _SIZE,
            hint=f'set {_SIZE}',
        )
    return bool(locked) or _is_locked_by_encryption(request)


def agreed_truth(request: Request, name: str) -> bool | None:
    """Return a truth value that flavor and image may both give.

    :raises ConflictingExtraSpecs: if they disagree.
    """
    flavor: bool | None = request.specs.get(f'hw:{name}')
    image: bool | None = request.properties.get(f'hw_{name}')
    if flavor is None:
        return image
    if image is not None and image is not flavor:
        raise request.conflict(
            f'the flavor has hw:{name}={request.texts[f"hw:{name}"]}, the '
            f'image hw_{name}={request.image_texts[f"hw_{name}"]}',
            f'hw:{name}',
            f'hw_{name}',
            hint='remove one or make them agree',
        )
    return flavor


_LOCKING: Final = ('amd-sev', 'amd-sev-es')
_STATELESS: Final = ('amd-sev-snp', 'intel-tdx')


def _is_locked_by_encryption(request: Request) -> bool:
    """Return whether memory encryption locks memory.

    As nova's ``get_mem_encryption_constraint``.
    """
    specs = request.specs
    image = request.properties
    if not (specs.get('hw:mem_encryption') or image.get('hw_mem_encryption')):
        return False
    agreed_truth(request, 'mem_encryption')
    flavor_model = request.texts.get('hw:mem_encryption_model')
    image_model = image.get('hw_mem_encryption_model')
    if None not in (flavor_model, image_model) and flavor_model != image_model:
        raise request.conflict(
            f'the flavor has hw:mem_encryption_model={flavor_model}, the '
            f'image hw_mem_encryption_model={image_model}',
            'hw:mem_encryption_model',
            'hw_mem_encryption_model',
            hint='remove one or make them agree',
        )
    model = image_model or flavor_model or 'amd-sev'
    _check_image_for_encryption(request, model)
    return model in _LOCKING


def _check_image_for_encryption(request: Request, model: str) -> None:
    image = request.properties
    machine = request.image_texts.get('hw_machine_type')
    wants = [
        ('hw_firmware_type', 'uefi', image.get('hw_firmware_type') == 'uefi')
    ]
    wants.append(
        ('hw_machine_type', 'q35', machine is None or 'q35' in machine)
    )
    if model in _STATELESS:
        wants.append(
            (
                'hw_firmware_stateless',
                'yes',
                bool(image.get('hw_firmware_stateless')),
            )
        )
    if model == 'intel-tdx':
        wants.append(
            ('hw_video_model', 'none', image.get('hw_video_model') == 'none')
        )
    for key, value, holds in wants:
        if not holds:
            raise request.conflict(
                f'memory encryption ({model}) needs an image with {key}='
                f'{value}',
                key,
                'hw:mem_encryption',
                expected=value,
                hint=f'set {key}={value} on the image',
            )
