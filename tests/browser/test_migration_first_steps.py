"""Plan, access, inventory and rules in the browser: how they look, and what people type."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from migrations_tool.models import ConnectionMigration, Rule
from tests.browser import migration_first_steps_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.looks import faults_in, wrong_with

pytestmark = pytest.mark.browser

Story = Callable[[], ConnectionMigration]


@pytest.mark.parametrize("story", [stories.nobody_looked, stories.looked_at, stories.long_names])
def test_the_first_steps_look_right(arrive: Arrive, story: Story) -> None:
    migration = story()
    paths = [f"/migrations/{migration.pk}/{step}/" for step in stories.STEPS]

    assert wrong_with(arrive("implementer"), *paths) == []


def test_a_plan_with_mistakes_keeps_what_was_typed_and_says_what_is_wrong(arrive: Arrive) -> None:
    migration = stories.nobody_looked()
    visitor = arrive("implementer")
    page = visitor.go(f"/migrations/{migration.pk}/plan/")
    page.get_by_label("Implementer").fill("ghost")
    page.get_by_label("Name", exact=True).fill("Carla Ruiz")

    page.locator("#save-plan").click()

    expect(page.get_by_text("Nobody is called ghost here.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Carla Ruiz")
    assert list(faults_in(visitor)) == []
    migration.refresh_from_db()
    assert migration.contact_name == ""


def test_a_rule_is_written_down(arrive: Arrive) -> None:
    migration = stories.nobody_looked()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/rules/")
    page.get_by_label("Name in Ramp").fill("Meals over 50 USD")
    page.get_by_label("When it applies, and what it sets").fill("6300 Meals")

    page.locator("#keep-new-rule").click()

    expect(page.locator(".rule strong")).to_have_text("Meals over 50 USD")
    assert Rule.objects.get(migration=migration).what == "6300 Meals"
