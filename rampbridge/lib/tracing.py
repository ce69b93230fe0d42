"""Traces of requests, tasks and calls to others, for any collector that speaks OTLP.

Off unless `start` is called, and then nothing of OpenTelemetry is even imported. Our trace ids are
not sent to Ramp or to ERPs unless the deployment wants that: they are none of their business.
"""

import os
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import Span, Tracer

Kind = Literal["server", "client", "consumer"]


class TracingMissing(Exception):
    """Traces are wanted and the libraries are not there. The message says what to install."""


class _State:
    tracer: "Tracer | None" = None
    tells_others = False


def start(
    *,
    service: str,
    release: str,
    tells_others: bool = False,
    processor: "SpanProcessor | None" = None,
) -> None:
    """Trace from now on. Where to, and how much of it, the usual OTEL_... names say.

    :param tells_others: whether Ramp and ERPs get our trace ids (W3C traceparent)
    :param processor: in place of the one that sends spans to the collector
    :raises TracingMissing: if the extra `tracing` is not installed
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise TracingMissing(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and the libraries for it are not installed. "
            'Install them with: pip install "rampbridge[tracing]"'
        ) from error
    named = {"service.name": service, "service.version": release}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(processor or BatchSpanProcessor(OTLPSpanExporter()))
    _State.tracer = provider.get_tracer("rampbridge", release)
    _State.tells_others = tells_others


def stop() -> None:
    """Trace no more. For tests."""
    _State.tracer, _State.tells_others = None, False


def is_on() -> bool:
    return _State.tracer is not None


@contextmanager
def span(
    name: str,
    kind: Kind,
    attributes: Mapping[str, str | int] | None = None,
    *,
    parent: Mapping[str, str] | None = None,
) -> Iterator["Span | None"]:
    """A stretch of work, below the one around it. None where nobody traces.

    :param parent: what carries the trace of whoever asked for the work, as headers
    """
    if _State.tracer is None:
        yield None
        return
    from opentelemetry.propagate import extract
    from opentelemetry.trace import SpanKind

    with _State.tracer.start_as_current_span(
        name,
        context=extract(parent) if parent else None,
        kind=SpanKind[kind.upper()],
        attributes=attributes,
    ) as current:
        yield current


def carry(headers: MutableMapping[str, str]) -> None:
    """Write where the present trace is into headers of our own, such as a task's."""
    if _State.tracer is not None:
        from opentelemetry.propagate import inject

        inject(headers)


def tell(headers: MutableMapping[str, str]) -> None:
    """The same for headers that leave the house, if that is wanted."""
    if _State.tells_others:
        carry(headers)


def trace_id() -> str:
    """The present trace as logs and collectors name it, or nothing."""
    if _State.tracer is None:
        return ""
    from opentelemetry.trace import format_trace_id, get_current_span

    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


def is_wanted() -> bool:
    """Whether the environment names a collector, as OpenTelemetry's own names have it."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(os.environ.get(name) for name in names)
