"""Steps 6, 8 and 9 in a browser: how they look in each state, and the choice of a switch."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from connections.models import Switch
from migrations_tool.models import ConnectionMigration
from tests.browser import migration_newcomer_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with

pytestmark = pytest.mark.browser

STEPS = ("connection", "preload", "settings")


@pytest.mark.parametrize("story", [stories.nothing_yet, stories.under_way, stories.done])
def test_look_right(arrive: Arrive, story: Callable[[], ConnectionMigration]) -> None:
    migration = story()
    paths = [f"/migrations/{migration.pk}/{step}/" for step in STEPS]

    assert wrong_with(arrive("implementer"), *paths) == []


def test_a_switch_is_chosen_on_the_page(arrive: Arrive) -> None:
    migration = stories.under_way()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/settings/")

    page.get_by_role("button", name="Choose off for Vendor credits").click()

    expect(page.locator("#step-notice")).to_contain_text("Vendor credits is to be off.")
    assert Switch.objects.get(name="vendor_credits_enabled").wanted is False
