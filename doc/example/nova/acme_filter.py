# SPDX-License-Identifier: Apache-2.0
"""A filter of one's own beside rtvirt's, for nova-scheduler."""

from typing import Any

from nova.scheduler import filters
from nova.virt import hardware

from rtvirt.nova.proven import is_proven


class ReserveRealtimeHosts(filters.BaseHostFilter):
    """Keep hosts that are fit for real time for those who ask for it."""

    def host_passes(self, host_state: Any, spec_obj: Any) -> bool:
        """Whether the guest is real-time, or the host need not be kept."""
        if hardware.is_realtime_enabled(spec_obj.flavor):
            return True
        return not is_proven(host_state)
