"""Every request to us is counted, timed and traced: the first of the middlewares that see one."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from rampbridge.lib import measures, tracing
from rampbridge.lib.outgoing import class_of

PROBES = frozenset({"healthz", "readyz", "public_status"})


class WebWatchMiddleware:
    """Counts what was asked for, by kind: see `kind_of`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        began = time.monotonic()
        about = {"http.request.method": str(request.method)}
        with tracing.span(str(request.method), "server", about, parent=_parent(request)) as span:
            response = self.get_response(request)
            if span is not None:
                span.update_name(f"{request.method} {_route(request)}")
                span.set_attribute("http.route", _route(request))
                span.set_attribute("http.response.status_code", response.status_code)
        kind = kind_of(request)
        measures.WEB_REQUESTS.add(kind, class_of(str(response.status_code)))
        measures.WEB_SECONDS.add(time.monotonic() - began, kind)
        return response


def kind_of(request: HttpRequest) -> str:
    """Who asks: somebody who waits for a page, a page that looks for news, or a program."""
    name = request.resolver_match.view_name if request.resolver_match else ""
    if name == "ramp_webhook":
        return "webhook"
    if name in PROBES:
        return "probe"
    if name.startswith("api-"):
        return "api"
    return "part" if "HX-Request" in request.headers else "page"


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match else "unknown"


def _parent(request: HttpRequest) -> dict[str, str]:
    """The trace that a proxy of ours has begun, if we have one; strangers begin none here."""
    if not settings.ALLAUTH_TRUSTED_PROXY_COUNT:
        return {}
    return {name: value for name in ("traceparent", "tracestate")
            if (value := request.headers.get(name))}  # fmt: skip
