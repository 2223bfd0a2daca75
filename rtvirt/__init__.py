# SPDX-License-Identifier: Apache-2.0
"""Real-time virtual machines on Linux, planned and proved.

Everything a program needs has its name here. A name's module is loaded when
the name is first used (PEP 562), so that a program pays for what it uses.
"""

import importlib

# Type checkers take it for true by its name: nobody need import typing.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from rtvirt.conf.settings import Settings as Settings
    from rtvirt.conf.settings import read_settings as read_settings
    from rtvirt.domain import Disk as Disk
    from rtvirt.domain import Network as Network
    from rtvirt.domain import apply_plan as apply_plan
    from rtvirt.domain import domain_xml as domain_xml
    from rtvirt.exception import ConfigError as ConfigError
    from rtvirt.exception import ConflictingExtraSpecs as ConflictingExtraSpecs
    from rtvirt.exception import CPUSetError as CPUSetError
    from rtvirt.exception import DomainXMLError as DomainXMLError
    from rtvirt.exception import ExtraSpecError as ExtraSpecError
    from rtvirt.exception import FitError as FitError
    from rtvirt.exception import HostError as HostError
    from rtvirt.exception import InputError as InputError
    from rtvirt.exception import InvalidExtraSpec as InvalidExtraSpec
    from rtvirt.exception import LatencyFormatError as LatencyFormatError
    from rtvirt.exception import MeasureError as MeasureError
    from rtvirt.exception import ModelError as ModelError
    from rtvirt.exception import PluginError as PluginError
    from rtvirt.exception import RTVirtError as RTVirtError
    from rtvirt.exception import UnsupportedExtraSpec as UnsupportedExtraSpec
    from rtvirt.extraspecs.parser import parse_guest as parse_guest
    from rtvirt.fitting.engine import fit as fit
    from rtvirt.fitting.explain import explain as explain
    from rtvirt.host.facts.read import read_facts as read_facts
    from rtvirt.latency.evidence import Evidence as Evidence
    from rtvirt.latency.histogram import Histogram as Histogram
    from rtvirt.latency.result import LatencyResult as LatencyResult
    from rtvirt.latency.result import ThreadLatency as ThreadLatency
    from rtvirt.latency.verdict import Budget as Budget
    from rtvirt.latency.verdict import Verdict as Verdict
    from rtvirt.latency_reader import parse_latency as parse_latency
    from rtvirt.libvirtxml.domain import Domain as Domain
    from rtvirt.libvirtxml.domain import parse_domain as parse_domain
    from rtvirt.libvirtxml.metadata import plan_of as plan_of
    from rtvirt.lifecycle.create import DefinedDomain as DefinedDomain
    from rtvirt.lifecycle.create import create_domain as create_domain
    from rtvirt.lifecycle.create import define_domain as define_domain
    from rtvirt.lifecycle.end import destroy_domain as destroy_domain
    from rtvirt.lifecycle.listing import ListedDomain as ListedDomain
    from rtvirt.lifecycle.listing import ShownDomain as ShownDomain
    from rtvirt.lifecycle.listing import list_domains as list_domains
    from rtvirt.lifecycle.listing import show_domain as show_domain
    from rtvirt.lifecycle.migrate import MigratedDomain as MigratedDomain
    from rtvirt.lifecycle.migrate import migrate_domain as migrate_domain
    from rtvirt.lifecycle.prove import StartedDomain as StartedDomain
    from rtvirt.lifecycle.start import start_domain as start_domain
    from rtvirt.linter import lint as lint
    from rtvirt.model.cpuset import CPUSet as CPUSet
    from rtvirt.model.explanation import Explanation as Explanation
    from rtvirt.model.facts.host import HostFacts as HostFacts
    from rtvirt.model.finding import Finding as Finding
    from rtvirt.model.finding import Severity as Severity
    from rtvirt.model.flavor import Flavor as Flavor
    from rtvirt.model.flavor import ImageProperties as ImageProperties
    from rtvirt.model.guest import GuestCell as GuestCell
    from rtvirt.model.guest import GuestRequirement as GuestRequirement
    from rtvirt.model.host import HostTopology as HostTopology
    from rtvirt.model.host_cell import HostCell as HostCell
    from rtvirt.model.limits import Limits as Limits
    from rtvirt.model.observed import ObservedDomain as ObservedDomain
    from rtvirt.model.pages import PagePool as PagePool
    from rtvirt.model.pages import PageSize as PageSize
    from rtvirt.model.plan import Plan as Plan
    from rtvirt.model.plan import PlannedCell as PlannedCell
    from rtvirt.model.reason import FitReason as FitReason
    from rtvirt.verifier import verify as verify

_HOMES = {
    'Settings': 'rtvirt.conf.settings',
    'read_settings': 'rtvirt.conf.settings',
    'apply_plan': 'rtvirt.domain',
    'Disk': 'rtvirt.domain',
    'domain_xml': 'rtvirt.domain',
    'Network': 'rtvirt.domain',
    'ConfigError': 'rtvirt.exception',
    'ConflictingExtraSpecs': 'rtvirt.exception',
    'CPUSetError': 'rtvirt.exception',
    'DomainXMLError': 'rtvirt.exception',
    'ExtraSpecError': 'rtvirt.exception',
    'FitError': 'rtvirt.exception',
    'HostError': 'rtvirt.exception',
    'InputError': 'rtvirt.exception',
    'InvalidExtraSpec': 'rtvirt.exception',
    'LatencyFormatError': 'rtvirt.exception',
    'MeasureError': 'rtvirt.exception',
    'ModelError': 'rtvirt.exception',
    'PluginError': 'rtvirt.exception',
    'RTVirtError': 'rtvirt.exception',
    'UnsupportedExtraSpec': 'rtvirt.exception',
    'parse_guest': 'rtvirt.extraspecs.parser',
    'fit': 'rtvirt.fitting.engine',
    'explain': 'rtvirt.fitting.explain',
    'read_facts': 'rtvirt.host.facts.read',
    'Evidence': 'rtvirt.latency.evidence',
    'Histogram': 'rtvirt.latency.histogram',
    'LatencyResult': 'rtvirt.latency.result',
    'ThreadLatency': 'rtvirt.latency.result',
    'Budget': 'rtvirt.latency.verdict',
    'Verdict': 'rtvirt.latency.verdict',
    'parse_latency': 'rtvirt.latency_reader',
    'Domain': 'rtvirt.libvirtxml.domain',
    'parse_domain': 'rtvirt.libvirtxml.domain',
    'plan_of': 'rtvirt.libvirtxml.metadata',
    'DefinedDomain': 'rtvirt.lifecycle.create',
    'create_domain': 'rtvirt.lifecycle.create',
    'define_domain': 'rtvirt.lifecycle.create',
    'destroy_domain': 'rtvirt.lifecycle.end',
    'ListedDomain': 'rtvirt.lifecycle.listing',
    'ShownDomain': 'rtvirt.lifecycle.listing',
    'list_domains': 'rtvirt.lifecycle.listing',
    'show_domain': 'rtvirt.lifecycle.listing',
    'MigratedDomain': 'rtvirt.lifecycle.migrate',
    'migrate_domain': 'rtvirt.lifecycle.migrate',
    'StartedDomain': 'rtvirt.lifecycle.prove',
    'start_domain': 'rtvirt.lifecycle.start',
    'lint': 'rtvirt.linter',
    'CPUSet': 'rtvirt.model.cpuset',
    'Explanation': 'rtvirt.model.explanation',
    'HostFacts': 'rtvirt.model.facts.host',
    'Finding': 'rtvirt.model.finding',
    'Severity': 'rtvirt.model.finding',
    'Flavor': 'rtvirt.model.flavor',
    'ImageProperties': 'rtvirt.model.flavor',
    'GuestCell': 'rtvirt.model.guest',
    'GuestRequirement': 'rtvirt.model.guest',
    'HostCell': 'rtvirt.model.host_cell',
    'HostTopology': 'rtvirt.model.host',
    'Limits': 'rtvirt.model.limits',
    'ObservedDomain': 'rtvirt.model.observed',
    'PagePool': 'rtvirt.model.pages',
    'PageSize': 'rtvirt.model.pages',
    'Plan': 'rtvirt.model.plan',
    'PlannedCell': 'rtvirt.model.plan',
    'FitReason': 'rtvirt.model.reason',
    'verify': 'rtvirt.verifier',
}
"""The module of each public name, as type checkers read it above."""

if not TYPE_CHECKING:  # else every name, slips too, would type-check
    __all__ = list(_HOMES)

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f'module {__name__!r} has no name {name!r}')
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value

    def __dir__():
        return __all__
