"""Ramp's webhooks come in by a door of their own, past all that is for people.

Sessions, languages of browsers, policies of content and the history of what people change cost a
delivery more than keeping it does. What concerns every request stays: TLS, figures, the log.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware",
    "rampbridge.web_watch.WebWatchMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
)
_IS_DELIVERY = re.compile(r"/webhooks/ramp/[0-9a-f-]{36}").fullmatch

Answer = Callable[[HttpRequest], HttpResponseBase]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class WebhookDoor(WSGIHandler):
    """Answers an address as the whole program would, behind fewer middlewares."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """In place of those that the settings name. None of ours looks at views."""
        self._view_middleware: list[Any] = []
        self._template_response_middleware: list[Any] = []
        self._exception_middleware: list[Any] = []
        answer: Answer = self._get_response  # type: ignore[attr-defined]  # not in its stubs
        chain = convert_exception_to_response(answer)
        for path in reversed(MIDDLEWARE):
            chain = convert_exception_to_response(import_string(path)(chain))
        self._middleware_chain = chain


def with_webhook_door(pages: Application) -> Application:
    """The program: deliveries by their door, all others by the one for people."""
    webhooks = WebhookDoor()

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        is_delivery = _IS_DELIVERY(environ.get("PATH_INFO", ""))
        return (webhooks if is_delivery else pages)(environ, start_response)

    return application
