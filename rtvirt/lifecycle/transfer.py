# SPDX-License-Identifier: Apache-2.0
"""The way of a running domain from one libvirt to another."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from typing import Any
from typing import Final

from rtvirt.exception import HostError
from rtvirt.host.connection import load_libvirt
from rtvirt.host.connection import translated
from rtvirt.lifecycle.claim import Claim

_GLANCE_S: Final = 0.2


def route_of(
    migrate_uri: str | None, listen_address: str | None
) -> dict[str, str]:
    """Return where a migration goes, as libvirt's parameters."""
    libvirt = load_libvirt()
    route = {
        libvirt.VIR_MIGRATE_PARAM_URI: migrate_uri,
        libvirt.VIR_MIGRATE_PARAM_LISTEN_ADDRESS: listen_address,
    }
    return {key: value for key, value in route.items() if value}


def send(
    handle: Any,
    destination: Any,
    claim: Claim,
    route: dict[str, str],
    timeout: float | None,
) -> None:
    """Migrate a domain.

    Neither its vCPUs are slowed down to get it there (auto-converge) nor
    its pages fetched after it (post-copy): both would break what a
    real-time guest was promised.

    :raises HostError: if it has not got there.
    """
    libvirt = load_libvirt()
    flags = libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_ABORT_ON_ERROR
    params = {libvirt.VIR_MIGRATE_PARAM_DEST_XML: claim.live, **route}
    if claim.is_kept:
        flags |= libvirt.VIR_MIGRATE_PERSIST_DEST
        flags |= libvirt.VIR_MIGRATE_UNDEFINE_SOURCE
        params[libvirt.VIR_MIGRATE_PARAM_PERSIST_XML] = claim.kept

    def migrate() -> None:
        with translated(
            f'cannot migrate domain {claim.name!r:.80} to {claim.host}'
        ):
            handle.migrate3(destination, params, flags)

    _run(migrate, handle, destination, claim, timeout)


def _run(
    migrate: Callable[[], None],
    handle: Any,
    destination: Any,
    claim: Claim,
    timeout: float | None,
) -> None:
    """Run a migration; call it back when it is to end, or at Ctrl-C."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(migrate)
        try:
            trouble = _wait(done, destination, claim, timeout)
        except BaseException:
            _call_back(done, handle)
            raise
        if trouble is not None:
            _call_back(done, handle)
            # It may have got there after all.
            if done.exception() is not None:
                raise trouble from done.exception()
        done.result()


def _wait(
    done: Future[None],
    destination: Any,
    claim: Claim,
    timeout: float | None,
) -> HostError | None:
    """Return when a migration has ended, or why it should."""
    began = time.monotonic()
    while not wait([done], _GLANCE_S).done:
        if timeout is not None and time.monotonic() - began > timeout:
            return HostError(
                f'domain {claim.name!r:.80} has not got to {claim.host} '
                f'within {timeout:g} s and was called back',
                hint='its memory changes faster than it can be sent: '
                'give it more time, a faster way (--migrate-uri), or '
                'less to do meanwhile',
            )
        # QEMU would try for a quarter of an hour to reach it.
        if not destination.isAlive():
            return HostError(
                f'{claim.host} has gone while domain {claim.name!r:.80} was '
                'on its way, which was called back',
                hint='once it is back, "rtvirt domain destroy --undefine '
                f'{claim.name:.80}" removes what is left of it there',
            )
    return None


def _call_back(done: Future[None], handle: Any) -> None:
    """End a migration; one that has not begun yet cannot be, so until then."""
    while not done.done():
        with contextlib.suppress(HostError), translated('abort'):
            handle.abortJob()
        wait([done], _GLANCE_S)
