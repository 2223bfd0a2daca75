# SPDX-License-Identifier: Apache-2.0
"""Extra specs of a namespace of one's own, for nova-api."""

from nova.api.validation.extra_specs import base


def register() -> list[base.ExtraSpecValidator]:
    """Return what nova-api is to accept below ``acme:``."""
    return [
        base.ExtraSpecValidator(
            name='acme:line',
            description='The production line that the guest controls.',
            value={'type': str, 'pattern': r'line-[0-9]+'},
        )
    ]
