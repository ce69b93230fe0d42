"""Runs, webhooks, audit lines and incidents in the browser."""

from playwright.sync_api import expect

from connections.models import AuditLine
from syncing.models import Incident, SyncRun, WebhookEvent
from tests.browser import desk_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with


def test_every_page_is_clean_in_every_state(arrive: Arrive) -> None:
    desk_stories.a_day()
    runs = {bool(one.problem): one for one in SyncRun.objects.order_by("pk")}
    paths = ["/runs/", "/runs/?show=presses", "/webhooks/", "/audit/", "/audit/?history=connection"]
    paths += [f"/runs/{one.pk}/" for one in runs.values()]
    paths += [f"/incidents/{one.pk}/" for one in Incident.objects.all()]
    events = {one.event_type: one for one in WebhookEvent.objects.all()}
    paths += [f"/webhooks/{one.pk}/" for one in events.values()]

    assert wrong_with(arrive("support"), *paths) == []


def test_from_an_event_to_its_run_and_a_replay_that_leaves_a_line(arrive: Arrive) -> None:
    desk_stories.a_day()
    page = arrive("support").go("/webhooks/?customer=harbor-coffee")

    page.get_by_role("link", name="transactions.ready_to_sync").click()
    expect(page.get_by_text("ada@example.com")).to_have_count(0)
    page.get_by_role("link", name="pulled, 3 new").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Webhook of")
    expect(page.get_by_text("Ramp rang: 1 event.")).to_be_visible()
    page.get_by_role("link", name="transactions.ready_to_sync").click()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("Replayed. Ramp is read within seconds.")).to_be_visible()
    expect(page.get_by_text("Waits for a pull")).to_be_visible()
    page.get_by_role("button", name="Show in full").click()
    expect(page.get_by_text("ada@example.com")).to_be_visible()

    page.goto(page.url.partition("/webhooks/")[0] + "/audit/?area=webhooks")
    expect(page.get_by_role("row")).to_have_count(3)
    acts = AuditLine.objects.filter(act__startswith="webhooks.").order_by("id")
    assert [one.act for one in acts] == ["webhooks.replay", "webhooks.reveal"]


def test_an_incident_stands_on_every_page_until_somebody_ends_it(arrive: Arrive) -> None:
    desk_stories.a_day()
    page = arrive("manager").go("/audit/")

    page.get_by_role("link", name="Look at it").click()
    page.get_by_label("Why it goes on").fill("Tryton's hoster says it is back")
    page.get_by_role("button", name="Resume all 6 customers").click()

    expect(page.get_by_text("Ended: 6 customers go on now.")).to_be_visible()
    expect(page.get_by_role("link", name="Look at it")).to_have_count(0)
