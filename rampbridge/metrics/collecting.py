"""The figures as Prometheus wants them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from rampbridge.lib import measures
from rampbridge.lib.meters import SUM, Counter, Durations, Meter
from rampbridge.metrics import flow, reading
from rampbridge.metrics.gauges import HEAVY, LIGHT, Gauge
from rampbridge.metrics.reading import Values

PREFIX = "rampbridge_"
LIGHT_SECONDS, HEAVY_SECONDS = 4.0, 60.0
"""For so long an answer serves everybody who asks again."""
SHOWN_BOUNDS = {flow.LATENCY.name: (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)}
"""Of bins that are finer than Prometheus needs them."""
FROM_NOTHING: Mapping[str, Sequence[tuple[str, ...]]] = {
    measures.BUTTON_REQUESTS.name: (("in_time",), ("partial",), ("late",)),
    measures.WEBHOOK_EVENTS.name: (("refused", "bad_signature"),),
}
"""Shown as 0 before they happen for the first time: Prometheus sees no increase in what begins."""
METERS: tuple[Meter, ...] = (*flow.ALL, *measures.ALL)

Parts = Mapping[str, float]
Clock = Callable[[], float]


class Figures(Collector):
    """Reads everything that is exposed. Threads share it; only one of them asks the database."""

    def __init__(self, *, release: str, git: str, clock: Clock = time.monotonic) -> None:
        self._build = (release, git)
        self._clock = clock
        self._lock = Lock()
        self._light: list[Metric] = []
        self._heavy: list[Metric] = []
        self._light_until = self._heavy_until = float("-inf")

    def describe(self) -> list[Metric]:
        """Nothing: a registry must not need the database to be made."""
        return []

    def collect(self) -> Iterator[Metric]:
        """:raises DatabaseError: if the database does not answer; the scrape then fails, as it
        should
        """
        with self._lock:
            now = self._clock()
            if now >= self._light_until:
                self._light = [*_gauges(LIGHT), *_meters(), self._build_info()]
                self._light_until = now + LIGHT_SECONDS
            if now >= self._heavy_until:
                self._heavy = list(_gauges(HEAVY))
                self._heavy_until = self._clock() + HEAVY_SECONDS
            yield from (*self._light, *self._heavy)

    def _build_info(self) -> Metric:
        info = GaugeMetricFamily(
            f"{PREFIX}build_info", "What runs here; always 1.", labels=("version", "git")
        )
        info.add_metric(self._build, 1)
        return info


def _gauges(wanted: Sequence[Gauge]) -> Iterator[Metric]:
    found: Values = reading.gauges(wanted)
    for gauge in wanted:
        family = GaugeMetricFamily(PREFIX + gauge.name, gauge.help, labels=gauge.labels)
        for labels, value in sorted(found.get(gauge.name, {}).items()):
            family.add_metric(labels, value)
        yield family


def _meters() -> Iterator[Metric]:
    found = reading.meters()
    for meter in METERS:
        nothing: Mapping[tuple[str, ...], Parts] = {
            labels: {} for labels in FROM_NOTHING.get(meter.name, () if meter.labels else ((),))
        }
        lines = sorted({**nothing, **found.get(meter.name, {})}.items())
        match meter:
            case Counter():
                counter = CounterMetricFamily(PREFIX + meter.name, meter.help, labels=meter.labels)
                for labels, parts in lines:
                    counter.add_metric(labels, parts.get("", 0.0))
                yield counter
            case Durations():
                yield _histogram(meter, lines)


def _histogram(meter: Durations, lines: list[tuple[tuple[str, ...], Parts]]) -> Metric:
    name = PREFIX + meter.name
    family = HistogramMetricFamily(name, meter.help, labels=meter.labels)
    for labels, parts in lines:
        named = dict(zip(meter.labels, labels, strict=True))
        total = sum(value for part, value in parts.items() if part != SUM)
        for bound in SHOWN_BOUNDS.get(meter.name, meter.bounds):
            upto = meter.bounds.index(bound)
            below = sum(v for part, v in parts.items() if part != SUM and int(part) <= upto)
            family.add_sample(f"{name}_bucket", {**named, "le": f"{float(bound):g}"}, below)
        family.add_sample(f"{name}_bucket", {**named, "le": "+Inf"}, total)
        family.add_sample(f"{name}_count", named, total)
        if SUM in parts:  # of items only bins are kept
            family.add_sample(f"{name}_sum", named, parts[SUM])
    return family
