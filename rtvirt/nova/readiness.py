# SPDX-License-Identifier: Apache-2.0
"""Whether this host is fit for real-time guests, as nova-compute sees it."""

from __future__ import annotations

import dataclasses
import threading
import time
from typing import Any

from oslo_log import log as logging

from rtvirt import plugins
from rtvirt.checks.run import Verdict
from rtvirt.checks.run import run_checks
from rtvirt.checks.run import summarize
from rtvirt.checks.trait import PREFIX
from rtvirt.checks.trait import find_traits
from rtvirt.checks.words import say_finding
from rtvirt.checks.words import say_summary
from rtvirt.exception import RTVirtError
from rtvirt.model.cpuset import CPUSet
from rtvirt.model.facts.host import HostFacts
from rtvirt.model.facts.nova import NovaFacts
from rtvirt.model.finding import Finding
from rtvirt.model.finding import Severity
from rtvirt.nova import privileged
from rtvirt.nova.deadline import call_within
from rtvirt.nova.deadline import start
from rtvirt.nova.fault import HostRefused
from rtvirt.nova.fault import say
from rtvirt.nova.fault import say_first

LOG = logging.getLogger(__name__)

_NOTHING: frozenset[str] = frozenset()
# Three updates of nova-compute: then what was known is no proof any more.
_STALE = 3


class Readiness:
    """Checks the host, when nova-compute starts and ever again.

    :param conf: nova's configuration.
    :param name: of the host, in logs.
    """

    def __init__(self, conf: Any, name: str) -> None:
        self._conf = conf
        self._name = name
        self._traits = _NOTHING
        self._checked: float | None = None
        self._busy = threading.Lock()

    def preflight(self) -> None:
        """Check the host, log what was found, and act by ``preflight``.

        :raises HostRefused: if the host is not fit and the option is
            ``enforce``.
        """
        mode = self._conf.rtvirt.preflight
        if mode == 'off':
            return
        try:
            facts, findings = self._check()
        except RTVirtError as error:
            LOG.warning('The host could not be checked: %s', say(error))
            if mode == 'enforce':
                raise HostRefused(reason=say(error)) from error
            return
        self._remember(facts, findings)
        summary = summarize(findings)
        worth = [f for f in findings if f.severity is not Severity.INFO]
        lines = [say_summary(self._name, summary), *map(say_finding, worth)]
        log_it = LOG.info if summary.verdict is Verdict.READY else LOG.warning
        log_it('Preflight of %s', '\n  '.join(lines))
        if mode == 'enforce' and summary.verdict is Verdict.NOT_READY:
            raise HostRefused(reason=say_first(findings))

    def traits(self) -> frozenset[str]:
        """Return what is proved of the host; nobody waits for it.

        Where the last check is long ago the host is checked again
        meanwhile, for the next time.
        """
        interval = self._conf.rtvirt.trait_interval
        checked = self._checked
        if checked is None:
            start('host check', self._refresh)
            return _NOTHING
        age = time.monotonic() - checked
        if age >= interval:
            start('host check', self._refresh)
        if age >= _STALE * max(interval, self._longest()):
            return _NOTHING
        return self._traits

    def report(self, provider_tree: Any, nodename: str) -> None:
        """Put the traits of the host on its resource provider.

        Those of rtvirt that do not hold any more are taken off.
        """
        now = self.traits()
        there = provider_tree.data(nodename).traits
        before = {trait for trait in there if trait.startswith(PREFIX)}
        if gone := before - now:
            provider_tree.remove_traits(nodename, *gone)
            LOG.warning(
                'The host is not any more what it was: %s taken off its '
                'resource provider',
                ', '.join(sorted(gone)),
            )
        if new := now - before:
            provider_tree.add_traits(nodename, *new)
            LOG.info('Traits of the host: %s', ', '.join(sorted(now)))

    def _longest(self) -> float:
        """Return how far two updates may lie apart, in seconds."""
        pause = self._conf.update_resources_interval
        # 0 is the default of nova's periodic tasks, below 0 is never.
        return float(max(pause, 60) + self._conf.rtvirt.timeout)

    def _refresh(self) -> None:
        if not self._busy.acquire(blocking=False):
            return
        try:
            self._remember(*self._check())
        except RTVirtError as error:
            LOG.warning('The host could not be checked: %s', say(error))
        except Exception:
            LOG.exception('The host could not be checked')
        finally:
            self._busy.release()

    def _remember(
        self, facts: HostFacts, findings: tuple[Finding, ...]
    ) -> None:
        self._traits = find_traits(facts, findings)
        self._checked = time.monotonic()

    def _check(self) -> tuple[HostFacts, tuple[Finding, ...]]:
        facts = call_within(
            self._conf.rtvirt.timeout,
            'reading the host',
            privileged.read_host,
        )
        facts = with_configuration(facts, self._conf)
        return facts, run_checks(facts, plugins.host_checks())


def with_configuration(facts: HostFacts, conf: Any) -> HostFacts:
    """Return the facts with what nova-compute itself is configured to do.

    Its command line names its files; those read may be of another service.
    """
    unset = NovaFacts()
    return dataclasses.replace(
        facts,
        nova=dataclasses.replace(
            facts.nova,
            dedicated=_to_cpus(conf.compute.cpu_dedicated_set)
            or unset.dedicated,
            shared=_to_cpus(conf.compute.cpu_shared_set) or unset.shared,
            pin_set=_to_cpus(conf.vcpu_pin_set) or unset.pin_set,
        ),
    )


def _to_cpus(text: str | None) -> CPUSet | None:
    return CPUSet.parse(text) if text else None
