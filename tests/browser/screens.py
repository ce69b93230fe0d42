"""Draw every page in every variant: `./run screens` writes PNGs to var/screens/.

A throw-away database is filled with an empty, an ordinary and a long-named world, and every page is
taken in light and dark, 1440 and 375 pixels wide. Words choose among the pictures, by a part of
their name or by a pattern: `./run screens step- 'item-*.light.wide.png'`. `--story migration` tells
only the stories with that in their name, which is most of the time.
"""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from playwright._impl._api_structures import SetCookieParam  # the public module leaves it out
from playwright.sync_api import Browser, Page, sync_playwright

from rampbridge.embedded import postgres
from tests.browsers import CHROMIUM_ARGUMENTS, CHROMIUM_MISSING, find_chromium
from tests.environment import TEST_ENVIRONMENT
from tests.plugins import migrated

TARGET = Path(__file__).resolve().parents[2] / "var" / "screens"
SIZES = {"wide": (1440, 900), "narrow": (375, 812)}
THEMES = ("light", "dark")


@dataclass(frozen=True)
class Shot:
    """One page of one world."""

    name: str
    path: str
    before: Callable[[Page], None] = lambda page: None
    signed_in: bool = True


def _open_help(page: Page) -> None:
    page.keyboard.press("?")


def _type_a_search(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("a")
    page.keyboard.type("m")
    page.locator(".suggestion").first.wait_for()
    page.keyboard.press("ArrowDown")


def _open_payload(page: Page) -> None:
    page.locator("details.disclosure summary").first.click()


def empty_shots() -> Iterator[Shot]:
    yield Shot("sign-in", "/accounts/login/", signed_in=False)
    yield Shot("sign-out", "/accounts/logout/")
    yield Shot("overview-empty", "/")
    yield Shot("customers-empty", "/customers/")
    yield Shot("items-empty", "/items/")
    yield Shot("search-blank", "/search")
    yield Shot("error-404", "/nowhere/")


def full_shots() -> Iterator[Shot]:
    from syncing.models import SyncItem

    yield Shot("overview", "/")
    yield Shot("customers", "/customers/")
    yield Shot("customers-filtered", "/customers/?q=zzz")
    for slug in ("northwind-robotics", "verde-clinics", "sakura-foods", "blue-mesa-solar"):
        yield Shot(f"customer-{slug}", f"/customers/{slug}/")
    yield Shot("items", "/items/")
    yield Shot("items-all", "/items/?state=all")
    yield Shot("items-customer", "/items/?state=waiting-for-customer&customer=northwind-robotics")
    yield Shot("pauses-none", "/customers/harbor-coffee/pauses/?type=bill")
    yield Shot("items-none", "/items/?q=nobody&state=done")
    yield Shot("search", "/search?q=g")
    yield Shot("search-amount", "/search?q=a+64&type=transaction")
    yield Shot("search-none", "/search?q=RAMP-1+412,50+EUR")
    yield Shot("search-offers", "/", before=_type_a_search)
    yield Shot("keyboard", "/items/", before=_open_help)
    wanted: dict[str, dict[str, Any]] = {
        "done": {"state": "ACKED"},
        "queued": {"state": "READY", "error_category": ""},
        "retrying": {"state": "READY", "error_category": "transient"},
        "failed": {"state": "FAILED", "error_category": "user_actionable"},
        "person": {"state": "FAILED", "error_category": "needs_integrator"},
        "uncertain": {"state": "POSTING", "lease_until__lt": _now()},
        "mismatch": {"state": "MISMATCH"},
        "external": {"state": "EXTERNAL"},
    }
    for name, where in wanted.items():
        item = SyncItem.objects.filter(**where).order_by("pk").first()
        if item:
            yield Shot(f"item-{name}", f"/items/{item.pk}/")
    done = SyncItem.objects.filter(state="ACKED").order_by("pk").first()
    if done:
        yield Shot("item-payload", f"/items/{done.pk}/", before=_open_payload)


def engine_shots() -> Iterator[Shot]:
    from syncing.models import SyncItem, SyncRequest

    yield Shot("busy-overview", "/")
    yield Shot("busy-customers", "/customers/")
    yield Shot("busy-customer", "/customers/northwind-robotics/")
    yield Shot("pauses", "/customers/northwind-robotics/pauses/")
    for press in SyncRequest.objects.order_by("state"):
        path = f"/customers/northwind-robotics/sync-requests/{press.pk}/"
        yield Shot(f"press-{press.state}", path)
    found = "customer=northwind-robotics&state=all&type=bill_payment"
    yield Shot("items-type", f"/items/?{found}")
    for item in SyncItem.objects.exclude(object_type="transaction").order_by("pk"):
        state = "waiting" if item.blocked_by else item.state.lower()
        yield Shot(f"type-{item.object_type}-{state}", f"/items/{item.pk}/")
    bought = SyncItem.objects.filter(attachments__isnull=False, object_type="transaction").first()
    waiting = SyncItem.objects.filter(blocked_by__startswith="vendor:").first()
    for name, one in (("files", bought), ("waiting-for-vendor", waiting)):
        if one:
            yield Shot(f"item-{name}", f"/items/{one.pk}/")


def long_shots() -> Iterator[Shot]:
    from syncing.models import SyncItem

    yield Shot("long-overview", "/")
    yield Shot("long-customers", "/customers/")
    yield Shot("long-customer", "/customers/long/")
    yield Shot("long-items", "/items/?state=all")
    yield Shot("long-pauses", "/customers/long/pauses/")
    for item in SyncItem.objects.order_by("pk")[:2]:
        yield Shot(f"long-item-{item.state.lower()}", f"/items/{item.pk}/")


def _now() -> object:
    from django.utils import timezone

    return timezone.now()


class Studio:
    """A browser that takes pages in all variants."""

    def __init__(self, browser: Browser, address: str, only: Sequence[str]) -> None:
        self.browser = browser
        self.address = address
        self.only = only
        self.cookies: list[SetCookieParam] = []
        self.taken = 0

    def take(self, shots: Iterator[Shot]) -> None:
        for shot in shots:
            for theme in THEMES:
                for size in SIZES:
                    target = TARGET / f"{shot.name}.{theme}.{size}.png"
                    if self._is_wanted(target.name):
                        self._take(shot, theme, size, target)

    def _is_wanted(self, name: str) -> bool:
        if not self.only:
            return True
        return any(fnmatch(name, one) if "*" in one else one in name for one in self.only)

    def _take(self, shot: Shot, theme: str, size: str, target: Path) -> None:
        width, height = SIZES[size]
        context = self.browser.new_context(
            color_scheme="dark" if theme == "dark" else "light",
            viewport={"width": width, "height": height},
        )
        if shot.signed_in:
            context.add_cookies(self.cookies)
        page = context.new_page()
        page.goto(self.address + shot.path)
        page.evaluate("document.fonts.ready")
        shot.before(page)
        # As high as the page, or bars that stick to the edge would stand in its middle.
        high = max(height, int(page.evaluate("document.documentElement.scrollHeight")))
        page.set_viewport_size({"width": width, "height": high})
        page.screenshot(path=target, full_page=True)
        self.taken += 1
        context.close()


def main(arguments: Sequence[str]) -> int:
    """Take everything, or what the arguments choose."""
    parser = ArgumentParser(prog="screens")
    parser.add_argument("only", nargs="*", help="part of a picture's name, or a pattern with *")
    parser.add_argument("--story", default="", help="part of the name of a story")
    asked = parser.parse_args(arguments)
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write(CHROMIUM_MISSING + "\n")
        return 1
    TARGET.mkdir(parents=True, exist_ok=True)
    os.environ.update(
        TEST_ENVIRONMENT, DJANGO_SETTINGS_MODULE="rampbridge.settings", LOG_LEVEL="ERROR"
    )
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright's sync API runs a loop of its own
    with ExitStack() as stack:
        room = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="rb-")))
        cluster = postgres.Cluster(
            data=room / "data", sockets=room, log=room / "postgres.log", durable=False
        )
        server = stack.enter_context(postgres.running(cluster))
        migrated.restore_into(server.url("postgres"), "rampbridge")
        os.environ["DATABASE_URL"] = server.url("rampbridge")
        _draw(stack, chromium, asked.only, asked.story)
    return 0


def _draw(stack: ExitStack, chromium: str, only: Sequence[str], part: str) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from tests.browser.serving import plain_static_files, serving

    call_command("migrate", verbosity=0)
    stack.enter_context(plain_static_files())
    address = stack.enter_context(serving())
    playwright = stack.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_ARGUMENTS)
    stack.callback(browser.close)
    studio = Studio(browser, address, only)
    _tell_stories(studio, part)
    sys.stdout.write(f"{studio.taken} pictures in {TARGET}\n")


def _tell_stories(studio: Studio, part: str) -> None:
    from django.contrib.auth import get_user_model

    from tests.browser import (
        acting_shots,
        acting_stories,
        alert_shots,
        alert_stories,
        api_shots,
        backlog_shots,
        backlog_stories,
        chart_shots,
        chart_stories,
        close_shots,
        close_stories,
        desk_shots,
        desk_stories,
        error_shots,
        error_stories,
        fleet_shots,
        health_shots,
        health_stories,
        mapping_shots,
        migration_shots,
        migration_steps_shots,
        migration_stories,
        settings_shots,
        settings_stories,
        settle_shots,
        settle_stories,
        stories,
        vendor_shots,
        vendor_stories,
    )
    from tests.browser.serving import session_cookie
    from tests.factories import UserFactory

    user = UserFactory.create(username="maya.okafor", roles=["support", "implementer"])
    studio.cookies = [session_cookie(user, studio.address)]
    if not part:
        studio.take(empty_shots())
        studio.take(alert_shots.empty_shots())
        studio.take(api_shots.empty_shots())
        studio.take(backlog_shots.empty_shots())
        studio.take(close_shots.empty_shots())
        studio.take(error_shots.empty_shots())
        studio.take(desk_shots.empty_shots())
        studio.take(health_shots.empty_shots())
        studio.take(migration_shots.empty_shots())
    for story, shots in (
        (stories.ordinary_day, full_shots),
        (stories.busy_engine, engine_shots),
        (stories.long_names, long_shots),
        (settings_stories.all_of_them, settings_shots.shots),
        (chart_stories.drifting, lambda: chart_shots.shots("harbor-coffee")),
        (chart_stories.long_names, lambda: chart_shots.shots("long")),
        (chart_stories.stopped, chart_shots.still_shots),
        (vendor_stories.world, lambda: vendor_shots.shots("harbor")),
        (vendor_stories.long_world, lambda: vendor_shots.shots("long")),
        (mapping_shots.ordinary, mapping_shots.shots),
        (mapping_shots.long_names, mapping_shots.long_shots),
        (api_shots.keys, api_shots.shots),
        (alert_stories.a_bad_day, alert_shots.shots),
        (alert_stories.long_names, alert_shots.long_shots),
        (close_stories.closing, close_shots.shots),
        (close_stories.long_names, close_shots.long_shots),
        (backlog_stories.a_week, backlog_shots.shots),
        (backlog_stories.one_point, backlog_shots.point_shots),
        (backlog_stories.long_names, backlog_shots.long_shots),
        (settle_stories.world, lambda: settle_shots.shots("harbor")),
        (settle_stories.long_world, lambda: settle_shots.shots("long")),
        (error_stories.a_week, error_shots.shots),
        (error_stories.long_week, error_shots.long_shots),
        (desk_stories.a_day, desk_shots.shots),
        (desk_stories.long_names, desk_shots.long_shots),
        (desk_stories.refused_report, desk_shots.report_shots),
        (health_stories.in_trouble, health_shots.shots),
        (acting_stories.acting, acting_shots.shots),
        (migration_stories.a_season, migration_shots.season_shots),
        (migration_stories.every_status, migration_shots.status_shots),
        (migration_stories.every_run, migration_shots.run_shots),
        (migration_stories.long_names, migration_shots.long_shots),
        *migration_steps_shots.chapters(),
        *fleet_shots.ALL,
    ):
        if part in f"{story.__module__}.{story.__qualname__}":
            story()
            studio.take(shots())
            stories.forget()
            get_user_model().objects.exclude(pk=user.pk).delete()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
