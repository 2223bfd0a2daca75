# SPDX-License-Identifier: Apache-2.0
"""The PMU, and what KVM tells the guest about itself."""

from __future__ import annotations

from rtvirt.libvirtxml.domain import Domain
from rtvirt.libvirtxml.features import KVM
from rtvirt.model.guest import GuestRequirement
from rtvirt.model.guest import HaltPoll
from rtvirt.model.plan import Plan


class FeaturesConfigurator:
    """Sets the PMU and KVM's hints.

    A real-time guest has no PMU unless it asks for one: switching its
    registers takes time at every entry and exit (libvirt's
    ``kbase/kvm-realtime``). The rest is as in nova's
    ``LibvirtDriver._set_features``, and beyond it, under KVM, who polls when
    a vCPU goes idle, by ``rtvirt:halt_poll``:

    ``guest``: ``poll-control``, and ``hint-dedicated`` where all vCPUs are
    dedicated. Linux polls by itself (``cpuidle_haltpoll``, kernel document
    virt/guest-halt-polling) where it sees KVM_HINTS_REALTIME, which is
    ``hint-dedicated``, and ends the host's polling by MSR_KVM_POLL_CONTROL,
    which is ``poll-control``. The hint also says that no vCPU is ever
    preempted; where that is not so, the guest needs
    ``cpuidle_haltpoll.force=1``.

    ``host``: the host polls as its ``kvm.halt_poll_ns`` says. A real-time
    guest has neither hint then: with ``hint-dedicated`` alone both would
    poll.

    ``off``: neither hint, in so many words. libvirt has no element for the
    host's side: ``kvm.halt_poll_ns`` must be 0 there.
    """

    owns = frozenset(
        {
            'features/pmu',
            'features/kvm/hidden',
            'features/kvm/hint-dedicated',
            'features/kvm/poll-control',
        }
    )

    def configure(self, plan: Plan, domain: Domain) -> None:
        guest = plan.guest
        known = domain.features
        pmu = known.pmu if guest.pmu is None else guest.pmu
        if guest.pmu is None and guest.realtime:
            pmu = False
        kvm = known.kvm
        if guest.hide_hypervisor_id:
            kvm = kvm.but(hidden=True)
        # Software emulation takes the hints, and does nothing about them.
        if domain.virt_type == 'kvm':
            kvm = _to_kvm(guest, kvm)
        domain.features = known.but(pmu=pmu, kvm=kvm)


def _to_kvm(guest: GuestRequirement, known: KVM) -> KVM:
    """Return the hints for who polls when a vCPU goes idle."""
    if guest.halt_poll is HaltPoll.GUEST:
        dedicated = len(guest.dedicated) == guest.vcpus
        return known.but(
            hint_dedicated=True if dedicated else None,
            poll_control=True,
        )
    if guest.halt_poll is HaltPoll.OFF:
        return known.but(hint_dedicated=False, poll_control=False)
    if guest.realtime:
        return known.but(hint_dedicated=None, poll_control=None)
    return known
