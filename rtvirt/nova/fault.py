# SPDX-License-Identifier: Apache-2.0
"""What goes wrong, in words that ``openstack server show`` shows."""

from __future__ import annotations

from collections.abc import Sequence

from nova import exception

from rtvirt.exception import RTVirtError
from rtvirt.model.finding import Finding


# nova shows its users the text of its own exceptions, and of no others
# (nova.compute.utils.exception_to_dict). One of this kind ends the build:
# it is neither tried on other hosts nor wrapped in a text that hides it.
class GuestRefused(exception.BuildAbortException):  # type: ignore[misc]
    """A guest that asks for real time does not run."""

    msg_fmt = 'The real-time guest was not started: %(reason)s'


class GuestStopped(exception.BuildAbortException):  # type: ignore[misc]
    """A guest was started and is not what was planned."""

    msg_fmt = 'The real-time guest was stopped: %(reason)s'


class HostRefused(exception.NovaException):  # type: ignore[misc]
    """The host is not fit, and nova-compute is to start on fit ones only."""

    msg_fmt = 'This host is not fit for real-time guests: %(reason)s'


def say(error: RTVirtError) -> str:
    """Return an error and what to do about it, in one line."""
    return f'{error} ({error.hint})' if error.hint else str(error)


def say_first(findings: Sequence[Finding]) -> str:
    """Return the first finding, and how many more there are.

    nova keeps 255 characters.
    """
    first = findings[0]
    text = f'{first.subject}: {first.actual} instead of {first.expected}'
    if more := len(findings) - 1:
        text += f'; and {more} more'
    return f'{text}. The log of nova-compute has the details.'
