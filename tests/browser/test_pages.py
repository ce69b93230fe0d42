"""Every page: nothing on the console, nothing against the policy, nothing against WCAG 2.2 AA."""

import pytest

from syncing.models import SyncItem, SyncRequest
from tests.browser.conftest import Arrive
from tests.browser.stories import busy_engine, long_names, ordinary_day

EMPTY = ["/", "/customers/", "/items/", "/search", "/accounts/logout/"]
ONE_OF_EACH = ("READY", "POSTING", "POSTED", "ACKED", "FAILED", "REVIEW", "MISMATCH", "EXTERNAL")


def _paths() -> list[str]:
    items = [SyncItem.objects.filter(state=state).first() for state in ONE_OF_EACH]
    return [
        "/",
        "/customers/",
        "/customers/northwind-robotics/",
        "/customers/verde-clinics/",
        "/items/?state=all",
        "/items/?q=nobody",
        "/search?q=g",
        *(f"/items/{item.pk}/" for item in items if item),
    ]


def _check(arrive: Arrive, theme: str, width: int, paths: list[str]) -> list[str]:
    visitor = arrive("support", theme=theme, width=width)
    found: list[str] = []
    for path in paths:
        page = visitor.go(path)
        found += [f"{path} {fault}" for fault in visitor.faults()]
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            found.append(f"{path} is {overflow} px wider than the screen")
    return found + visitor.complaints


# These two show every colour and every width; the other two are for the pages used all day.
BOTH = [("light", 375), ("dark", 1440)]
OTHERS = [("light", 1440), ("dark", 375)]


class TestEveryPage:
    @pytest.mark.parametrize(("theme", "width"), BOTH)
    def test_is_clean_on_an_ordinary_day(self, arrive: Arrive, theme: str, width: int) -> None:
        ordinary_day()

        assert _check(arrive, theme, width, _paths()) == []

    @pytest.mark.parametrize(("theme", "width"), BOTH)
    def test_is_clean_while_the_engine_does_everything_at_once(
        self, arrive: Arrive, theme: str, width: int
    ) -> None:
        home = f"/customers/{busy_engine().slug}/"
        presses = [f"{home}sync-requests/{press.pk}/" for press in SyncRequest.objects.all()]
        shown = SyncItem.objects.exclude(object_type="transaction") | SyncItem.objects.filter(
            attachments__isnull=False
        )
        items = [f"/items/{pk}/" for pk in sorted(set(shown.values_list("pk", flat=True)))]

        paths = ["/", home, f"{home}pauses/", "/items/?type=bill&state=all", *presses, *items]
        assert _check(arrive, theme, width, paths) == []

    @pytest.mark.parametrize(("theme", "width"), OTHERS)
    def test_is_clean_where_people_are_all_day(
        self, arrive: Arrive, theme: str, width: int
    ) -> None:
        ordinary_day()
        failed = SyncItem.objects.filter(state="FAILED").first()
        assert failed

        paths = ["/", "/customers/northwind-robotics/", "/items/", f"/items/{failed.pk}/"]
        assert _check(arrive, theme, width, paths) == []

    @pytest.mark.parametrize(("theme", "width"), BOTH)
    def test_is_clean_while_there_is_nothing(self, arrive: Arrive, theme: str, width: int) -> None:
        assert _check(arrive, theme, width, EMPTY) == []

    @pytest.mark.parametrize(("theme", "width"), BOTH)
    def test_is_clean_with_the_longest_names(self, arrive: Arrive, theme: str, width: int) -> None:
        long_names()
        items = [f"/items/{pk}/" for pk in SyncItem.objects.values_list("pk", flat=True)]

        paths = ["/", "/customers/", "/customers/long/", "/customers/long/pauses/", *items]
        assert _check(arrive, theme, width, paths) == []

    @pytest.mark.parametrize(("theme", "width"), BOTH)
    def test_is_clean_before_anyone_signs_in(self, arrive: Arrive, theme: str, width: int) -> None:
        visitor = arrive("", theme=theme, width=width)
        visitor.go("/accounts/login/")

        assert visitor.faults() + visitor.complaints == []
