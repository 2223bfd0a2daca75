# SPDX-License-Identifier: Apache-2.0
"""The state of watched domains for Prometheus; needs prometheus_client."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client import start_http_server
from prometheus_client import write_to_textfile
from prometheus_client.core import CounterMetricFamily
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rtvirt.exception import HostError
from rtvirt.model.finding import Severity
from rtvirt.watch.watcher import Status


class Metrics(Collector):
    """The status as metrics.

    It is replaced as a whole, so that whoever reads it meanwhile sees one
    look at the host and not parts of two.
    """

    def __init__(self) -> None:
        self._status = Status(drifts={})
        self.registry = CollectorRegistry()
        self.registry.register(self)

    def set(self, status: Status) -> None:
        """Let this be the status from now on."""
        self._status = status

    def write(self, path: str) -> None:
        """Write the metrics into a file, which is whole at any time.

        :raises OSError: if it cannot be written.
        """
        write_to_textfile(path, self.registry)

    @contextlib.contextmanager
    def listen(self, address: str, port: int) -> Iterator[int]:
        """Serve the metrics over HTTP; yields the port.

        :raises HostError: if nobody may listen there.
        """
        try:
            server, thread = start_http_server(
                port, addr=address, registry=self.registry
            )
        except OSError as error:
            raise HostError(
                f'cannot listen on {address}:{port}: '
                f'{error.strerror or error}',
                hint='choose another port; 0 is any that is free',
            ) from error
        try:
            yield server.server_port
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of the last look at the host."""
        status = self._status
        yield from _of_the_watch(status)
        yield _findings(status)
        undecided = GaugeMetricFamily(
            'rtvirt_domain_undecided',
            'Verifiers that could not decide.',
            labels=['domain', 'uuid'],
        )
        drifts = CounterMetricFamily(
            'rtvirt_domain_drifts',
            'Findings that came up while it was watched.',
            labels=['domain', 'uuid'],
        )
        for one in status.seen:
            undecided.add_metric(
                [one.name, one.uuid],
                sum(finding.is_undecided for finding in one.findings),
            )
            drifts.add_metric(
                [one.name, one.uuid], status.drifts.get(one.name, 0)
            )
        yield undecided
        yield drifts
        yield _switches(status)


def _of_the_watch(status: Status) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        'rtvirt_libvirt_up',
        'Whether libvirt answered at the last look.',
        value=status.is_up,
    )
    yield GaugeMetricFamily(
        'rtvirt_watch_last_success_timestamp_seconds',
        'When the domains were verified last.',
        value=status.at,
    )
    yield GaugeMetricFamily(
        'rtvirt_watch_duration_seconds',
        'How long the last look took.',
        value=status.duration_s,
    )
    yield GaugeMetricFamily(
        'rtvirt_watch_domains',
        'Real-time domains that run.',
        value=len(status.seen),
    )
    yield CounterMetricFamily(
        'rtvirt_watch_looks',
        'Looks at the host, failed ones included.',
        value=status.looks,
    )
    yield CounterMetricFamily(
        'rtvirt_watch_failures',
        'Looks in which libvirt did not answer.',
        value=status.failures,
    )


def _findings(status: Status) -> Metric:
    """Count by severity; a domain without findings has zeros."""
    family = GaugeMetricFamily(
        'rtvirt_domain_findings',
        'What is not as the domain wants it.',
        labels=['domain', 'uuid', 'severity'],
    )
    for one in status.seen:
        decided = [f for f in one.findings if not f.is_undecided]
        for severity in Severity:
            count = sum(f.severity is severity for f in decided)
            family.add_metric([one.name, one.uuid, severity.value], count)
    return family


def _switches(status: Status) -> Metric:
    family = CounterMetricFamily(
        'rtvirt_vcpu_involuntary_switches',
        'How often a vCPU was made to leave its pCPU.',
        labels=['domain', 'uuid', 'vcpu'],
    )
    for one in status.seen:
        for vcpu, switches in one.switches.items():
            family.add_metric([one.name, one.uuid, str(vcpu)], switches)
    return family
