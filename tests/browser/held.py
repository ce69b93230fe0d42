"""Requests that a test holds back, until it lets them go."""

from collections.abc import Sequence

from playwright.sync_api import Page, Route

_STEP, _LONGEST = 50, 30_000
"""Milliseconds."""


def first_of(held: Sequence[Route], page: Page) -> Route:
    """The first of what a route keeps in this list. The browser may not have asked for it yet, and
    who looks once, or begins to listen now, may be too early or too late."""
    for _ in range(_LONGEST // _STEP):
        if held:
            return held[0]
        page.wait_for_timeout(_STEP)
    raise AssertionError("The browser has not asked for what is to be held back.")
