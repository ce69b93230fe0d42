"""The page of one report to Ramp."""

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories import AckBatchFactory, ConnectionFactory, SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def maya(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["support"]))
    return client


def test_says_what_was_told_and_which_items_were_in_it(maya: Client) -> None:
    customer = ConnectionFactory.create(name="Harbor Coffee")
    batch = AckBatchFactory.create(connection=customer, size=2, tries=2, closed_at=now())
    for name in ("Uline", "Staples"):
        SyncItemFactory.create(connection=customer, acked=True, ack_batch=batch, label=name)
    SyncItemFactory.create(connection=customer, acked=True, label="Elsewhere")

    html = maya.get(reverse("report", args=[batch.pk])).content.decode()

    assert "Card transactions reported as done" in html
    assert "2 items in one call" in html
    assert "Sent" in html
    assert "2 times" in html
    assert batch.sync_id in html
    assert "Uline" in html
    assert "Staples" in html
    assert "Elsewhere" not in html


def test_a_report_of_failures_lists_those_that_were_told_as_failed(maya: Client) -> None:
    batch = AckBatchFactory.create(
        outcome="failure", state="rejected", problem="7062: not ready. ann@harbor.example"
    )
    SyncItemFactory.create(
        connection=batch.connection, failed=True, failure_batch=batch, label="Uline"
    )

    html = maya.get(reverse("report", args=[batch.pk])).content.decode()

    assert "reported as failed" in html
    assert "7062: not ready." in html
    assert "ann@" not in html
    assert "Uline" in html


def test_is_told_page_by_page_and_leads_to_nothing_twice(
    maya: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncing.queries.report_page.PAGE_SIZE", 2)
    batch = AckBatchFactory.create(size=3)
    for number in range(3):
        SyncItemFactory.create(
            connection=batch.connection, acked=True, ack_batch=batch, label=f"no. {number}"
        )

    first = maya.get(reverse("report", args=[batch.pk])).content.decode()
    following = first.split('id="next-page"')[1].split('href="')[1].split('"')[0]
    second = maya.get(following).content.decode()

    assert ("no. 0" in first, "no. 1" in first, "no. 2" in first) == (True, True, False)
    assert ("no. 0" in second, "no. 1" in second, "no. 2" in second) == (False, False, True)


def test_hears_nothing_until_ramp_has_answered(maya: Client) -> None:
    batch = AckBatchFactory.create(state="open", closed_at=None)
    html = maya.get(reverse("report", args=[batch.pk])).content.decode()
    poll = html.split('id="report"')[1].split('hx-get="')[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-Target": "report"}
    assert maya.get(poll, headers=headers).status_code == 204

    batch.state = "accepted"
    batch.save(update_fields=["state"])

    assert maya.get(poll, headers=headers).status_code == 200


def test_its_item_and_the_list_of_reports_lead_to_it(maya: Client) -> None:
    batch = AckBatchFactory.create()
    item = SyncItemFactory.create(connection=batch.connection, acked=True, ack_batch=batch)
    link = f'href="{reverse("report", args=[batch.pk])}"'

    assert link in maya.get(reverse("item", args=[item.pk])).content.decode()
    assert link in maya.get(f"{reverse('runs')}?show=reports").content.decode()
    assert maya.get(reverse("report", args=[uuid4()])).status_code == 404
