"""What is answered when no view does: a page for people, a problem for programs."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from rampbridge.lib.problems import problem

_API = "/api/v1/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_API):
        return problem(400, f"This cannot be understood. {exception}".strip())
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_API):
        return problem(403, str(exception) or "You may not do this.")
    return defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith(_API):
        return problem(404, "There is nothing at this address. /api/ shows what there is.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith(_API):
        return problem(500, "Something is wrong on our side. We see it in our logs.")
    return defaults.server_error(request)
