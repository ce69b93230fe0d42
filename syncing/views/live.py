"""Live parts of pages: a part polls its own URL with the version it shows, and hears 204 until that
changes. Versions are made of data, never of rendered text, or every passing second would be news.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged, page_or_partial


def version_of(*facts: object) -> str:
    """A short token that changes when any of the facts does."""
    return hashlib.blake2s(repr(facts).encode(), digest_size=8).hexdigest()


def is_unchanged(request: HtmxHttpRequest, page: str, part: str, *, version: str) -> bool:
    """Whether this is a poll for a part that shows this version already."""
    is_poll = page_or_partial(request, page, part) == part
    return is_poll and request.GET.get("version") == version


def live(
    request: HtmxHttpRequest,
    page: str,
    part: str,
    *,
    version: str,
    context: dict[str, Any],
    also: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page, or for a poll the part that changed, or nothing.

    :param also: what polls of it say besides, by parameter; nothing is left out of the address
    """
    if is_unchanged(request, page, part, version=version):
        return HttpResponseUnchanged()
    template = page_or_partial(request, page, part)
    query = request.GET.copy()
    query["version"] = version
    for name, value in (also or {}).items():
        query.pop(name, None)
        if value:
            query[name] = value
    return render(request, template, {**context, "live_url": f"{request.path}?{query.urlencode()}"})
