"""The switch, the cutover check, hypercare and the customer's page in the browser."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from migrations_tool.models import CanaryObject, ConnectionMigration, Evidence
from tests.browser import migration_last_steps_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("story", "pages"),
    [
        (stories.waiting, ["flip", "links"]),
        (stories.elsewhere, ["flip"]),
        (stories.taken_back, ["flip", "end"]),
        (stories.canaries, ["cutover", "cutover/?verdict=lost"]),
        (stories.hypercare, ["hypercare"]),
        (stories.finished, ["hypercare", "hypercare/report"]),
    ],
)
def test_the_last_steps_look_right(
    arrive: Arrive, story: Callable[[], ConnectionMigration], pages: list[str]
) -> None:
    migration = story()
    paths = [f"/migrations/{migration.pk}/{page}".rstrip("/") for page in pages]
    paths = [path if "?" in path else f"{path}/" for path in paths]

    assert wrong_with(arrive("implementer"), *paths) == []


def test_the_customers_pages_look_right(arrive: Arrive) -> None:
    _, pages = stories.shared()

    assert wrong_with(arrive("support"), *pages) == []


def test_a_canary_is_ticked_and_an_objection_needs_words(arrive: Arrive) -> None:
    migration = stories.canaries()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/cutover/")

    page.get_by_role("button", name="It is wrong").click()
    expect(page.get_by_text("Say what is wrong with the document.")).to_be_visible()
    page.get_by_role("button", name="It is right").click()
    expect(page.get_by_text("Ticked.")).to_be_visible()

    ticked = CanaryObject.objects.get(migration=migration, object_type="reimbursement")
    assert ticked.ticked_at is not None
    assert ticked.objection == ""


def test_a_customer_confirms_the_rules_without_an_account(arrive: Arrive) -> None:
    _, (_, rules, _) = stories.shared()
    visitor = arrive("support")
    visitor.page.context.clear_cookies()
    page = visitor.go(rules)

    page.get_by_label("I have read it and stand for it.").check()
    page.get_by_role("button", name="The list is complete").click()

    expect(page.get_by_text(re.compile("Thank you: you confirmed"))).to_be_visible()
    assert Evidence.objects.filter(code="rules.confirmed").count() == 1
