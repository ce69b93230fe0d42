"""Alerts in the browser."""

from playwright.sync_api import expect

from connections.models import AuditLine
from syncing.models import Alert, AlertRule
from tests.browser import alert_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with


def test_every_page_is_clean(arrive: Arrive) -> None:
    alert_stories.a_bad_day()
    rule = AlertRule.objects.get(shipped_as="backlog_items")
    alert = Alert.objects.filter(resolved_at=None).earliest("pk")

    paths = (
        "/alerts/", f"/alerts/{alert.pk}/", "/alerts/rules/", "/alerts/rules/new",
        f"/alerts/rules/{rule.pk}/", "/alerts/channels/", "/alerts/channels/new",
        "/alerts/deliveries/",
    )  # fmt: skip
    assert wrong_with(arrive("manager"), *paths) == []


def test_a_rule_says_what_it_would_have_done_while_it_is_filled_in(arrive: Arrive) -> None:
    alert_stories.a_bad_day()
    page = arrive("manager").go("/alerts/rules/")

    page.get_by_role("link", name="A customer has a thousand items waiting").click()
    expect(page.get_by_text("It would have fired 2 times.")).to_be_visible()
    page.get_by_label("Opens at (items)").fill("1500")
    expect(page.get_by_text("It would")).to_contain_text("not")
    page.get_by_label("Opens at (items)").fill("1400")
    page.get_by_label("Must last for (minutes)").fill("0")
    expect(page.get_by_text("It would have fired 2 times.")).to_be_visible()
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved “A customer has a thousand items waiting”.")).to_be_visible()
    assert AlertRule.objects.get(shipped_as="backlog_items").thresholds["level"] == 1400
    assert AuditLine.objects.filter(act="alerts.rule").exists()


def test_somebody_looks_after_an_alert_and_the_bell_counts_it_no_longer(arrive: Arrive) -> None:
    alert_stories.a_bad_day()
    page = arrive("support").go("/alerts/")
    expect(page.locator("#bell .bell-count")).to_have_text("3")

    page.get_by_role("button", name="I look after it: No worker").click()

    expect(page.get_by_text("You look after it.")).to_be_visible()
    expect(page.locator("#bell .bell-count")).to_have_text("2")
