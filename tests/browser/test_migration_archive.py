"""Backup, drain and the archive of codings in the browser: how they look, and what people do."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from migrations_tool.models import BillInFlight, ConnectionMigration
from tests.browser import migration_archive_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with

pytestmark = pytest.mark.browser

Story = Callable[[], ConnectionMigration]


@pytest.mark.parametrize(
    "story", [stories.nothing_yet, stories.under_way, stories.done, stories.long_names]
)
def test_backup_drain_and_archive_look_right(arrive: Arrive, story: Story) -> None:
    migration = story()
    paths = [f"/migrations/{migration.pk}/{step}/" for step in stories.STEPS]
    archive = ["/former-codings/", "/former-codings/?q=uline", "/former-codings/?q=nobody"]

    assert wrong_with(arrive("implementer"), *paths, *archive) == []


def test_bills_are_decided_together(arrive: Arrive) -> None:
    migration = stories.under_way()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/drain/")
    for number in ("U-102", "S-7"):
        page.locator(".drain-bills tr", has_text=number).get_by_role("checkbox").check()
    page.get_by_label("Hold until after it").check()

    page.locator("#decide-bills").click()

    expect(page.locator(".drain-bills").get_by_text("Hold until after it")).to_have_count(2)
    held = BillInFlight.objects.filter(migration=migration, decision="hold")
    assert set(held.values_list("invoice_number", flat=True)) == {"U-102", "S-7"}


def test_what_an_object_was_coded_to_is_found_by_its_merchant_and_amount(arrive: Arrive) -> None:
    stories.done()
    page = arrive("support").go("/former-codings/")
    page.locator("#archive-q").fill("united rentals 640")

    page.locator("#archive-go").click()

    expect(page.locator(".former-object")).to_have_count(1)
    expect(page.locator(".former-object")).to_contain_text("Equipment rental")
