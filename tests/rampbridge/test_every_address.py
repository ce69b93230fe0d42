"""No address of the support desk answers with a fault of ours, whatever is in its query or form."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, get_resolver, reverse
from django.urls.converters import UUIDConverter

from connections.models import AlertChannel, AuditLine
from rampbridge.policy import Permission
from syncing.models import (
    Alert,
    AlertDelivery,
    AlertRule,
    ErrorGroup,
    Incident,
    Job,
    SavedView,
    SyncItem,
    SyncRun,
    WebhookEvent,
)
from tests.browser import alert_stories, desk_stories
from tests.factories import SyncItemFactory, UserFactory

pytestmark = pytest.mark.django_db

HUGE = "9" * 40
NONSENSE = (
    "9" * 5000,
    f"0001-01-01T00:00:00+14:00~{HUGE}",
    "9999-12-31T23:59",
    "²%' OR [(*\\{}",
)
"""What no form of ours sends: too large, too long, too late, no number."""
DESK = (
    "errors/", "items/", "uncertain/", "why-not/", "jobs/", "views/", "api-keys/", "search",
    "runs/", "incidents/", "audit/", "webhooks/", "mine/", "alerts/rules/", "alerts/channels/",
    "alerts/deliveries/", "alerts/",
)  # fmt: skip
SUBJECTS: dict[str, Any] = {
    "items/": SyncItem,
    "jobs/": Job,
    "views/": SavedView,
    "runs/": SyncRun,
    "incidents/": Incident,
    "alerts/rules/": AlertRule,
    "alerts/channels/": AlertChannel,
    "alerts/deliveries/": AlertDelivery,
    "alerts/": Alert,
    "webhooks/": WebhookEvent,
}
SETTLE = ("look", "adopt", "post", "wait", "outside", "take-back", "agree", "report", "decide")


@pytest.fixture
def client(client: Client) -> Client:
    """Somebody who may do everything."""
    client.force_login(UserFactory.create(roles=[*("support", "implementer", "admin")]))
    return client


class Asked:
    """Which names views look for in what they are sent."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.names: set[str] = set()
        for method in ("__getitem__", "get", "getlist", "__contains__"):
            patch.setattr(QueryDict, method, self._noting(getattr(QueryDict, method)))

    def _noting(self, original: Any) -> Any:
        def note(query: QueryDict, name: str, *rest: Any) -> Any:
            self.names.add(name)
            return original(query, name, *rest)

        return note


def _patterns() -> Iterator[URLPattern]:
    for pattern in get_resolver("syncing.urls").url_patterns:
        assert isinstance(pattern, URLPattern)
        declares = isinstance(getattr(pattern.callback, "permission", None), Permission)
        if declares and str(pattern.pattern).startswith(DESK):
            yield pattern


def _addresses() -> Iterator[str]:
    for pattern in _patterns():
        start = next(start for start in DESK if str(pattern.pattern).startswith(start))
        known: dict[str, Any] = {"fingerprint": ErrorGroup.objects.values_list("pk", flat=True)[0]}
        for name in pattern.pattern.converters:
            if name == "pk":
                found = (
                    SUBJECTS[start].objects.order_by("pk").first() if start in SUBJECTS else None
                )
                known[name] = found.pk if found else 1
                if isinstance(pattern.pattern.converters[name], UUIDConverter):
                    known[name] = found.pk if found and start == "jobs/" else uuid4()
        names = pattern.pattern.converters
        known |= {"item_pk": 1, "name": "ramp"}
        if start == "jobs/" and "pk" in names and not Job.objects.exists():
            known["pk"] = uuid4()
        acts = SETTLE if "act" in names else ("",)
        for act in acts:
            wanted = {name: value for name, value in {**known, "act": act}.items() if name in names}
            yield reverse(str(pattern.name), kwargs=wanted)


def _status(answer: Any) -> int:
    if isinstance(answer, StreamingHttpResponse):
        b"".join(answer)  # what goes wrong there, goes wrong late
    assert isinstance(answer, HttpResponse | StreamingHttpResponse)
    return answer.status_code


def test_nonsense_is_refused_or_passed_over(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk_stories.a_day()
    alert_stories.long_names()
    SyncItemFactory.create(failed=True)
    asked = Asked(monkeypatch)
    wrong = []
    for address in list(_addresses()):
        for ask in (client.get, client.post):
            asked.names.clear()
            if _status(ask(address)) == 405:
                continue
            for text in NONSENSE:
                sent = dict.fromkeys(asked.names - {"csrfmiddlewaretoken"}, text)
                if (status := _status(ask(address, sent))) >= 500:
                    wrong.append((address, status, text[:40]))

    assert wrong == []


def test_ids_of_uncertain_items_may_be_anything(client: Client) -> None:
    answer = client.post(reverse("settle_together", args=["look"]), {"item": ["9" * 5000, "²"]})

    assert answer.status_code == 302


def test_the_address_that_htmx_names_may_be_none(client: Client) -> None:
    item = SyncItemFactory.create(failed=True)
    sent = {"act": "comment", "comment-text": "Seen.", "in_list": "1"}
    named = {"HX-Request": "true", "HX-Current-URL": "http://[/items/"}

    assert (
        client.post(reverse("handle_item", args=[item.pk]), sent, headers=named).status_code == 200
    )
    assert item.comments.get().text == "Seen."


def test_whoever_takes_the_customers_as_a_file_leaves_a_line(client: Client) -> None:
    client.get(reverse("customers_csv"), {"q": "harbor", "after": "x"})

    line = AuditLine.objects.get(act="customers.csv")
    assert line.data == {"query": "q=harbor"}


def test_an_item_has_the_keys_that_the_help_names(client: Client) -> None:
    item = SyncItemFactory.create(failed=True)
    html = client.get(reverse("item", args=[item.pk])).content.decode()
    keys = [key for part in html.split('data-key="')[1:] for key in part.split('"')[0].split()]

    assert {"a", "c", "h", "r", "s", "t"} <= {*keys}
    assert len(keys) == len({*keys})
