"""Every page: nothing on the console, nothing against the policy, nothing against WCAG 2.2 AA."""

from syncing.models import SyncItem, SyncRequest
from tests.browser.conftest import Arrive
from tests.browser.looks import THE_OTHERS, wrong_with
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


class TestEveryPage:
    def test_is_clean_on_an_ordinary_day(self, arrive: Arrive) -> None:
        ordinary_day()

        assert wrong_with(arrive(), *_paths()) == []

    def test_is_clean_while_the_engine_does_everything_at_once(self, arrive: Arrive) -> None:
        home = f"/customers/{busy_engine().slug}/"
        presses = [f"{home}sync-requests/{press.pk}/" for press in SyncRequest.objects.all()]
        shown = SyncItem.objects.exclude(object_type="transaction") | SyncItem.objects.filter(
            attachments__isnull=False
        )
        items = [f"/items/{pk}/" for pk in sorted(set(shown.values_list("pk", flat=True)))]

        paths = ["/", home, f"{home}pauses/", "/items/?type=bill&state=all", *presses, *items]
        assert wrong_with(arrive(), *paths) == []

    def test_is_clean_the_other_way_round_where_people_are_all_day(self, arrive: Arrive) -> None:
        ordinary_day()
        failed = SyncItem.objects.filter(state="FAILED").first()
        assert failed

        paths = ["/", "/customers/northwind-robotics/", "/items/", f"/items/{failed.pk}/"]
        assert wrong_with(arrive(), *paths, looks=THE_OTHERS) == []

    def test_is_clean_while_there_is_nothing(self, arrive: Arrive) -> None:
        assert wrong_with(arrive(), *EMPTY) == []

    def test_is_clean_with_the_longest_names(self, arrive: Arrive) -> None:
        long_names()
        items = [f"/items/{pk}/" for pk in SyncItem.objects.values_list("pk", flat=True)]

        paths = ["/", "/customers/", "/customers/long/", "/customers/long/pauses/", *items]
        assert wrong_with(arrive(), *paths) == []

    def test_is_clean_before_anyone_signs_in(self, arrive: Arrive) -> None:
        assert wrong_with(arrive(""), "/accounts/login/") == []
