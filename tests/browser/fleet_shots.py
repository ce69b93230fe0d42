"""Customers, one customer in each health and its tabs, for `./run screens`."""

from collections.abc import Iterator

from tests.browser import fleet_stories
from tests.browser.screens import Shot

HEALTHS = (
    "working", "slow", "partly-paused", "erp-silent", "ramp-silent", "blocked", "setting-up",
    "stage-paused", "not-connected",
)  # fmt: skip
TABS = ("timeline", "notes", "in-ramp", "runs", "bundle", "handling")


def _more(page: object) -> None:
    button = page.get_by_role("button", name="More")  # type: ignore[attr-defined]
    if button.is_visible():
        button.click()


def fleet() -> Iterator[Shot]:
    """Of the customers that `fleet_stories.two_hundred` makes."""
    yield Shot("fleet", "/customers/")
    yield Shot("fleet-by-amount", "/customers/?sort=amount&owner=hannah")
    yield Shot("fleet-more", "/customers/", before=_more)


def customers() -> Iterator[Shot]:
    """Of those that `fleet_stories.every_health` makes."""
    yield Shot("healths", "/customers/")
    for slug in HEALTHS:
        yield Shot(f"health-{slug}", f"/customers/{slug}/")
    for tab in TABS:
        yield Shot(f"customer-{tab}", f"/customers/working/{tab}/")
        yield Shot(f"customer-{tab}-empty", f"/customers/not-connected/{tab}/")


ALL = ((fleet_stories.two_hundred, fleet), (fleet_stories.every_health, customers))
