"""The one JSON API at /api/v1/: its routers, and what goes wrong as application/problem+json."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from connections import api_tokens
from rampbridge import api_document
from rampbridge.lib.problems import FieldProblem, problem
from syncing.api import (
    access,
    acts,
    alerts,
    close,
    customers,
    errors,
    filters,
    items,
    jobs,
    runs,
    search,
    why_not,
)

DESCRIPTION = """\
What the pages show and do, for other programs. A call carries a key: `Authorization: Bearer rbk_…`.
Amounts are whole numbers of the smallest unit, with the currency and the digits behind the point.
Times are RFC 3339, in UTC. Lists are read page by page: give `next` as `after`.
"""


class Api(NinjaAPI):
    """NinjaAPI with a document that says which scope each operation needs and what may go wrong."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        api_document.complete(document, self)
        return document


api = Api(
    title="rampbridge",
    version="1.0.0",
    description=DESCRIPTION,
    openapi_url=None,
    docs_url=None,
    auth=access.Refused(),
)
api.add_decorator(access.name_the_key)
for prefix, router in (
    ("/items", items.router),
    ("/items", acts.router),
    ("/errors", errors.router),
    ("/alerts", alerts.router),
    ("/jobs", jobs.router),
    ("/customers", customers.router),
    ("/close", close.router),
    ("/runs", runs.router),
    ("/search", search.router),
    ("/why-not", why_not.router),
):
    api.add_router(prefix, router)


@api.get("/openapi.json", auth=[access.SignedIn(), access.READ], include_in_schema=False)
def openapi(request: HttpRequest) -> Any:
    """This document: for keys, and for people who are signed in."""
    return api.get_openapi_schema()


def urls() -> tuple[list[URLPattern | URLResolver], str, str]:
    """As `include` takes them. Keys stand in for a session; only ninja knows about them."""
    patterns, app_name, namespace = api.urls
    for pattern in patterns:
        if isinstance(pattern, URLPattern):
            pattern.callback = _without_session(pattern.callback)
    return patterns, app_name, namespace


def _without_session(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = response["Allow"]
            return problem(405, f"Only {allowed} works here.", headers={"Allow": allowed})
        return response

    answer.csrf_exempt = True  # type: ignore[attr-defined]  # no cookie opens anything that writes
    return login_not_required(answer)


@api.exception_handler(ValidationError)
def _not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [FieldProblem(_field(one["loc"]), str(one["msg"])) for one in error.errors]
    return problem(422, "Some of it cannot be understood. Nothing was done.", errors=problems)


def _field(location: tuple[str | int, ...]) -> str:
    """`("body", "asked", "until")` as callers know it: a body is named after our argument."""
    source, *path = location
    return ".".join(map(str, path[1:] if source == "body" and len(path) > 1 else path))


@api.exception_handler(filters.Invalid)
def _invalid(request: HttpRequest, error: filters.Invalid) -> HttpResponse:
    detail = "Some of it cannot be understood. Nothing was done."
    return problem(422, detail, errors=error.problems)


@api.exception_handler(filters.NothingThere)
def _nothing_there(request: HttpRequest, error: filters.NothingThere) -> HttpResponse:
    return problem(404, str(error))


@api.exception_handler(Http404)
def _not_found(request: HttpRequest, error: Http404) -> HttpResponse:
    return problem(404, "There is nothing here.")


@api.exception_handler(AuthenticationError)
@api.exception_handler(api_tokens.NotAccepted)
def _not_accepted(request: HttpRequest, error: Exception) -> HttpResponse:
    detail = "Send a key: Authorization: Bearer rbk_… Keys are made on /api-keys/."
    if isinstance(error, api_tokens.NotAccepted):
        detail = str(error)
    return problem(401, detail, headers={"WWW-Authenticate": 'Bearer realm="rampbridge"'})


@api.exception_handler(api_tokens.NotAllowed)
def _not_allowed(request: HttpRequest, error: api_tokens.NotAllowed) -> HttpResponse:
    return problem(403, str(error))


@api.exception_handler(api_tokens.TooFast)
def _too_fast(request: HttpRequest, error: api_tokens.TooFast) -> HttpResponse:
    wait = str(max(1, math.ceil(error.wait)))
    return problem(429, str(error), headers={"Retry-After": wait})


def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    status = next(status for kind, status in acts.REFUSALS.items() if isinstance(error, kind))
    return problem(status, str(error))


for _kind in acts.REFUSALS:
    api.add_exception_handler(_kind, _refused)


@api.exception_handler(HttpError)
def _http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What ninja itself refuses, such as a body that is no JSON."""
    return problem(error.status_code, error.message)
