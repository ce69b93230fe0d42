"""What views need to serve a page and the part of it that htmx swaps from one URL."""

from django.http import HttpRequest, HttpResponse
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """A request that went through django-htmx's middleware."""

    htmx: HtmxDetails


class HttpResponseUnchanged(HttpResponse):
    """The poll found nothing new: htmx leaves the page as it is."""

    status_code = 204


def page_or_partial(request: HtmxHttpRequest, page: str, part: str) -> str:
    """The template to render: the part for an htmx swap, the page for everything else.

    A history restore asks for the whole page although htmx sends it.
    """
    if request.htmx and not request.htmx.boosted and not request.htmx.history_restore_request:
        return part
    return page
