"""Prometheus metrics of the whole process, in a registry of their own.

What is counted on every call is counted in plain integers and turned into metrics when somebody asks: the
library's own counters cost more than the work they count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from engine.kinds import Source
from engine.refusals import Refusal

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class RouteFigures:
    """Calls of one route: how many by status, and how long they took."""

    __slots__ = ("buckets", "name", "seconds", "statuses")

    def __init__(self, name: str) -> None:
        self.name = name
        self.statuses: dict[int, int] = {}
        self.buckets = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self.seconds = 0.0

    def observe(self, status: int, seconds: float) -> None:
        """Count one answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.buckets[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self.seconds += seconds


class Metrics(Collector):
    """Counters that the shell moves, and gauges that are read when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._routes: dict[str, RouteFigures] = {}
        self._orders: Counter[Source] = Counter()
        self._refusals: Counter[Refusal] = Counter()
        self._faults = 0
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(self)

    def route(self, name: str) -> RouteFigures:
        """The figures of a route, made on first use."""
        return self._routes.setdefault(name, RouteFigures(name))

    def count_order(self, source: Source) -> None:
        """An order was accepted."""
        self._orders[source] += 1

    def count_refusal(self, refusal: Refusal) -> None:
        """A command of a client was refused."""
        self._refusals[refusal] += 1

    def count_fault(self) -> None:
        """A call ended in an unexpected exception."""
        self._faults += 1

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A figure that is read when the metrics are asked for."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """The counted figures as metrics."""
        orders = CounterMetricFamily("kerb_orders", "Orders accepted.", labels=["source"])
        for source, count in self._orders.items():
            orders.add_metric([source.name.lower()], count)
        yield orders
        refusals = CounterMetricFamily("kerb_refusals", "Commands refused.", labels=["code"])
        for refusal, count in self._refusals.items():
            refusals.add_metric([refusal.name], count)
        yield refusals
        yield CounterMetricFamily("kerb_http_faults", "Calls ended by a bug.", value=self._faults)
        yield from self._http()

    def _http(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("kerb_http_requests", "HTTP calls.", labels=["route", "status"])
        times = HistogramMetricFamily("kerb_http_request_seconds", "Time to answer.", labels=["route"])
        for figures in self._routes.values():
            for status, count in figures.statuses.items():
                calls.add_metric([figures.name, str(status)], count)
            below = 0
            buckets: list[tuple[str, float]] = []
            for bound, count in zip((*LATENCY_BUCKETS_S, "+Inf"), figures.buckets, strict=True):
                below += count
                buckets.append((str(bound), below))
            times.add_metric([figures.name], buckets, figures.seconds)
        yield calls
        yield times
