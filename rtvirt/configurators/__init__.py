# SPDX-License-Identifier: Apache-2.0
"""Plans rendered into domains: one plug-in per concern, no decisions.

Where a thread runs and where memory lies is a matter of the plan alone:
what it does not say is taken out of the domain. What the guest sees (its
PMU, clock, KVM hints, balloon) is set where the plan asks for it, and else
left as the document has it.
"""
