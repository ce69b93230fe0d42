"""A mark in the browser in which links for customers are made: nobody answers by one in it.

It says nothing of a person or a place, and is worth something only beside the hash that is kept.
"""

import secrets
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from migrations_tool.sharing.links import hash_of

NAME = "rampbridge_makes_links"
_KEPT = timedelta(days=365)


def known(request: HttpRequest) -> str:
    """The hash of the browser's mark; empty if no link was made in it."""
    mark = request.COOKIES.get(NAME, "")
    return hash_of(mark) if mark else ""


def begin(request: HttpRequest) -> tuple[str, str]:
    """The mark that this browser has or is to get, and its hash."""
    mark = request.COOKIES.get(NAME, "") or secrets.token_urlsafe()
    return mark, hash_of(mark)


def keep(response: HttpResponse, mark: str) -> None:
    """Have the browser carry the mark from now on."""
    response.set_cookie(
        NAME,
        mark,
        max_age=_KEPT,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
