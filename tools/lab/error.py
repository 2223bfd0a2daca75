# SPDX-License-Identifier: Apache-2.0
"""What goes wrong in the lab."""

from __future__ import annotations

from rtvirt.exception import RTVirtError


class LabError(RTVirtError):
    """The lab could not be built, booted or driven.

    A step that went wrong may be without a hint: its command and all that
    it said stand in the message.
    """

    code = 'lab'
