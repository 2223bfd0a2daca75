# SPDX-License-Identifier: Apache-2.0
"""The arguments that name a flavor and an image, and what is in the files."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any
from typing import TypeVar

from rtvirt.cli.document import STDIN
from rtvirt.cli.document import model_of
from rtvirt.cli.document import read_mapping
from rtvirt.exception import ConfigError
from rtvirt.exception import InputError
from rtvirt.exception import ModelError
from rtvirt.extraspecs.parser import parse_guest
from rtvirt.model.flavor import Flavor
from rtvirt.model.flavor import ImageProperties
from rtvirt.model.guest import GuestRequirement

LOG = logging.getLogger(__name__)

T = TypeVar('T')


def add_image(group: argparse._ActionsContainer) -> None:
    """Add ``--image``."""
    group.add_argument(
        '--image',
        metavar='FILE',
        help='the image: a file as "openstack image show -f yaml" prints it, '
        'or a mapping of its hw_* properties',
    )


def read_guest(flavor_path: str, image_path: str | None) -> GuestRequirement:
    """Read a flavor and an image.

    :raises InputError: if a file is none.
    :raises ExtraSpecError: if they ask for nonsense.
    """
    if flavor_path == image_path == STDIN:
        raise ConfigError(
            'the flavor and the image cannot both be standard input',
            hint='name a file for one of the two',
        )
    flavor = _build(flavor_path, Flavor.from_dict, 'flavor')
    image = None
    if image_path is not None:
        image = _build(image_path, _image, 'image')
    guest = parse_guest(flavor, image)
    for warning in guest.warnings:
        LOG.warning('%s', warning)
    return guest


def _image(mapping: Mapping[str, Any]) -> ImageProperties:
    """Return the properties of an image in any form that a client prints.

    Of what is no property, lists (tags, locations) and nulls are dropped.
    """
    bare = mapping.get('properties', mapping)
    if isinstance(bare, Mapping):
        bare = {
            key: value
            for key, value in bare.items()
            if not isinstance(value, list | dict | None)
        }
    return ImageProperties(bare or {})


def _build(path: str, make: Callable[[Any], T], what: str) -> T:
    mapping = read_mapping(path, what)
    try:
        return make(mapping)
    except ModelError as error:
        name = 'standard input' if path == STDIN else path
        raise InputError(
            f'{name}: {error}', path=path, hint=error.hint or model_of(what)
        ) from error
