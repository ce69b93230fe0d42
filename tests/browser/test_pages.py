"""Every page: nothing on the console, nothing against the policy, nothing against WCAG 2.2 AA."""

import pytest

from syncing.models import SyncItem
from tests.browser.conftest import Arrive
from tests.browser.stories import long_names, ordinary_day

VARIANTS = [(theme, width) for theme in ("light", "dark") for width in (1440, 375)]
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


@pytest.mark.parametrize(("theme", "width"), VARIANTS)
class TestEveryPage:
    def test_is_clean_on_an_ordinary_day(self, arrive: Arrive, theme: str, width: int) -> None:
        ordinary_day()

        assert _check(arrive, theme, width, _paths()) == []

    def test_is_clean_while_there_is_nothing(self, arrive: Arrive, theme: str, width: int) -> None:
        assert _check(arrive, theme, width, EMPTY) == []

    def test_is_clean_with_the_longest_names(self, arrive: Arrive, theme: str, width: int) -> None:
        long_names()
        items = [f"/items/{pk}/" for pk in SyncItem.objects.values_list("pk", flat=True)]

        paths = ["/", "/customers/", "/customers/long/", "/items/?state=all", *items]
        assert _check(arrive, theme, width, paths) == []

    def test_is_clean_before_anyone_signs_in(self, arrive: Arrive, theme: str, width: int) -> None:
        visitor = arrive("", theme=theme, width=width)
        visitor.go("/accounts/login/")

        assert visitor.faults() + visitor.complaints == []
