"""Prometheus metrics of the whole process, in a registry of their own.

What is counted on every call is counted in plain integers and turned into metrics when somebody asks: the
library's own counters cost more than the work they count.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.registry import Collector

from engine.kinds import Source
from engine.refusals import Refusal
from server.process_figures import ProcessFigures

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LATENCY_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Durations:
    """How long something took, by buckets."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(LATENCY_BUCKETS_S) + 1)
        self.seconds = 0.0

    def took(self, seconds: float) -> None:
        """Count one."""
        self.buckets[bisect_left(LATENCY_BUCKETS_S, seconds)] += 1
        self.seconds += seconds

    def add_to(self, histogram: HistogramMetricFamily, labels: Sequence[str]) -> None:
        """Give the buckets, each with those below it, to a metric."""
        below = 0
        buckets: list[tuple[str, float]] = []
        for bound, count in zip((*LATENCY_BUCKETS_S, "+Inf"), self.buckets, strict=True):
            below += count
            buckets.append((str(bound), below))
        histogram.add_metric(labels, buckets, self.seconds)


class RouteFigures(Durations):
    """Calls of one route: how many by status, and how long they took."""

    __slots__ = ("name", "statuses")

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.statuses: dict[int, int] = {}

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
        self._counters: dict[str, tuple[str, Callable[[], float]]] = {}
        self._labelled: dict[str, tuple[str, str, Callable[[], Mapping[str, float]]]] = {}
        self._histograms: dict[str, tuple[str, Durations]] = {}
        self._process = ProcessFigures()
        self.registry.register(self._process)
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

    def gauge_by(
        self, name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """A figure for each value of a label."""
        self._labelled[name] = (help_text, label, read)

    def counter(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A count that somebody else keeps; it is read when the metrics are asked for. `_total` is added to the name."""
        self._counters[name] = (help_text, read)

    def durations(self, name: str, help_text: str, figures: Durations) -> None:
        """Durations that somebody else keeps, as a histogram."""
        self._histograms[name] = (help_text, figures)

    async def render(self) -> bytes:
        """The exposition text."""
        await self._process.count_files()
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
        for name, (help_text, read) in self._counters.items():
            yield CounterMetricFamily(name, help_text, value=read())
        for name, (help_text, label, read_all) in self._labelled.items():
            gauges = GaugeMetricFamily(name, help_text, labels=[label])
            for value, figure in read_all().items():
                gauges.add_metric([value], figure)
            yield gauges
        for name, (help_text, figures) in self._histograms.items():
            histogram = HistogramMetricFamily(name, help_text, labels=())
            figures.add_to(histogram, ())
            yield histogram
        yield from self._http()

    def _http(self) -> Iterator[Metric]:
        calls = CounterMetricFamily("kerb_http_requests", "HTTP calls.", labels=["route", "status"])
        times = HistogramMetricFamily("kerb_http_request_seconds", "Time to answer.", labels=["route"])
        for figures in self._routes.values():
            for status, count in figures.statuses.items():
                calls.add_metric([figures.name, str(status)], count)
            figures.add_to(times, [figures.name])
        yield calls
        yield times
