"""Traces of requests, tasks and calls, and who is not told of them."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import structlog
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from connections.ramp.transport import http_client
from rampbridge import logs, task_watch
from rampbridge.lib import meters, tracing
from rampbridge.lib.meters import Figure
from rampbridge.web_watch import WebWatchMiddleware


class Leave:
    """A budget without an end."""

    def take(self, _lane: object) -> float:
        return 0.0

    def freeze(self, _seconds: float) -> None: ...


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.start(service="test", release="1", processor=SimpleSpanProcessor(exporter))
    yield exporter
    tracing.stop()


def call_ramp(*answers: httpx.Response | Exception) -> list[httpx.Request]:
    """One call for each answer; what was sent."""
    sent: list[httpx.Request] = []
    waiting = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        said = waiting.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    client = http_client("https://ramp.example", Leave(), transport=httpx.MockTransport(answer))
    for said in answers:
        path = "/developer/v1/bills/0d6e0f7a-6d3c-4d0e-9a53-4f4a0c9f7c11"
        if isinstance(said, Exception):
            with pytest.raises(type(said)):
                client.get(path)
        else:
            client.get(path)
    return sent


def test_a_request_a_call_and_a_task_are_one_trace(
    spans: InMemorySpanExporter, rf: RequestFactory
) -> None:
    headers: dict[str, Any] = {}
    seen: dict[str, str] = {}

    def view(_request: HttpRequest) -> HttpResponse:
        call_ramp(httpx.Response(200))
        task_watch._send_along(headers=headers)
        seen["trace"] = tracing.trace_id()
        return HttpResponse()

    WebWatchMiddleware(view)(rf.get("/items/"))
    with tracing.span("task", "consumer", parent=headers[task_watch.HEADER]):
        assert tracing.trace_id() == seen["trace"]

    names = {span.name for span in spans.get_finished_spans()}
    assert names == {"Ramp GET /bills/{id}", "GET unknown", "task"}
    assert len({span.context.trace_id for span in spans.get_finished_spans() if span.context}) == 1


def test_ramp_is_told_of_our_traces_only_if_that_is_wanted(spans: InMemorySpanExporter) -> None:
    (kept_quiet,) = call_ramp(httpx.Response(200))
    tracing._State.tells_others = True
    (told,) = call_ramp(httpx.Response(200))

    assert "traceparent" not in kept_quiet.headers
    assert "traceparent" in told.headers


def test_lines_of_the_log_say_which_trace_they_belong_to(spans: InMemorySpanExporter) -> None:
    with tracing.span("task", "consumer"):
        line = logs.add_trace_id(structlog.get_logger(), "info", {"event": "x"})
        assert line["trace_id"] == tracing.trace_id() != ""

    assert "trace_id" not in logs.add_trace_id(structlog.get_logger(), "info", {"event": "x"})


def test_nothing_is_traced_unless_somebody_wants_it() -> None:
    headers: dict[str, Any] = {}
    with tracing.span("task", "consumer") as span:
        task_watch._send_along(headers=headers)

    assert span is None
    assert headers == {}


def test_calls_are_counted_by_endpoint_and_answer_whatever_becomes_of_them() -> None:
    meters.take()

    call_ramp(httpx.Response(200), httpx.Response(429), httpx.ReadTimeout("late"))

    counted = {figure: value for figure, value in meters.take().items() if not figure.part}
    assert counted == {
        Figure("ramp_requests", ("GET /bills/{id}", said)): 1 for said in ("200", "429", "timeout")
    }


def test_a_task_says_whose_it_is() -> None:
    class Request:
        kwargs = {"connection_id": "abc"}

    class Task:
        request = Request()

    with structlog.contextvars.bound_contextvars():
        task_watch._say_whose(task=Task())  # type: ignore[arg-type]
        context = json.dumps(structlog.contextvars.get_contextvars())
        structlog.contextvars.unbind_contextvars("connection_id")

    assert '"connection_id": "abc"' in context
