# SPDX-License-Identifier: Apache-2.0
"""Stands in for neutron: there is no network, and it says so.

nova asks for the ports and the security groups of every server that it
shows, of one without a network too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any

if TYPE_CHECKING:
    from wsgiref.types import StartResponse
    from wsgiref.types import WSGIEnvironment


def application(
    environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer a request of neutron's API."""
    body = json.dumps(
        answer(environ['PATH_INFO'], f'http://{environ["HTTP_HOST"]}')
    ).encode()
    start_response(
        '200 OK',
        [
            ('Content-Type', 'application/json'),
            ('Content-Length', str(len(body))),
        ],
    )
    return [body]


def answer(path: str, url: str) -> dict[str, Any]:
    """Return what neutron says where nobody made anything.

    :param path: as in ``/v2.0/security-groups.json``.
    :param url: of the service.
    """
    version, _, rest = path.strip('/').partition('/')
    if not version:
        link = {'rel': 'self', 'href': f'{url}/v2.0/'}
        one = {'id': 'v2.0', 'status': 'CURRENT', 'links': [link]}
        return {'versions': [one]}
    if not rest:
        return {'resources': []}
    kind = rest.partition('/')[0].removesuffix('.json').replace('-', '_')
    if kind == 'quotas':
        names = ('network', 'port', 'security_group')
        return {'quota': dict.fromkeys(names, -1)}
    return {kind: []}
