# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the cloud."""

from __future__ import annotations

from rtvirt.exception import RTVirtError


class CloudError(RTVirtError):
    """The cloud could not be started, or did not do what it has to.

    A step that went wrong may be without a hint: its command and all that
    it said stand in the message.
    """

    code = 'cloud'
