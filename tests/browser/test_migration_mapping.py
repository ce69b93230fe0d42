"""Mapping and rehearsal in the browser: how they look, and what people do there."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from migrations_tool.models import ConnectionMigration, OldRecord, RehearsedObject, Signature
from migrations_tool.rehearsal import reporting
from tests.browser import migration_mapping_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.looks import faults_in, wrong_with

pytestmark = pytest.mark.browser

Story = Callable[[], ConnectionMigration]


def pages_of(migration: ConnectionMigration) -> list[str]:
    """Every page about the mapping and the rehearsal, in all its shapes."""
    home = f"/migrations/{migration.pk}"
    pages = [
        f"{home}/mapping/",
        f"{home}/mapping/?state=all",
        f"{home}/mapping/charts/?change=changed",
        f"{home}/mapping/charts/?change=added",
        f"{home}/mapping/file/",
        f"{home}/rehearsal/?show=all",
    ]
    records = OldRecord.objects.filter(migration=migration).order_by("state", "pk")
    pages += [f"{home}/mapping/records/{one.pk}/" for one in records.distinct("state")]
    objects = RehearsedObject.objects.filter(migration=migration).order_by("verdict", "pk")
    pages += [f"{home}/rehearsal/objects/{one.pk}/" for one in objects.distinct("verdict")]
    if reporting.newest_report(migration):
        pages.append(f"{home}/rehearsal/report/")
    return pages


@pytest.mark.parametrize(
    "story", [stories.nobody_looked, stories.half_decided, stories.signed, stories.long_names]
)
def test_mapping_and_rehearsal_look_right(arrive: Arrive, story: Story) -> None:
    migration = story()

    assert wrong_with(arrive("implementer"), *pages_of(migration)) == []


def test_suggestions_are_accepted_and_one_is_mapped_by_hand(arrive: Arrive) -> None:
    migration = stories.half_decided()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/mapping/?state=suggested")

    page.locator("#accept-ticked").click()

    expect(page.get_by_text("accepted")).to_be_visible()
    delta = OldRecord.objects.get(name="Delta Air Lines")
    assert delta.state == "suggested"  # less than sure, so it was not ticked
    page.locator(f"#record-{delta.pk}").click()
    page.locator("#because").fill("same company")
    page.locator("#save-decision").click()
    expect(page.get_by_text("Delta Air Lines leads to Delta Airlines.")).to_be_visible()


def test_what_is_refused_keeps_what_was_typed(arrive: Arrive) -> None:
    migration = stories.half_decided()
    visitor = arrive("implementer")
    row = OldRecord.objects.get(name="Meals and entertainment")
    page = visitor.go(f"/migrations/{migration.pk}/mapping/records/{row.pk}/?q=travel")
    page.get_by_label("6100 Travel").check()
    page.locator("#because").fill("we never eat")

    page.locator("#save-decision").click()

    expect(page.locator("#refusal")).to_contain_text("cannot be told apart")
    expect(page.locator("#because")).to_have_value("we never eat")
    assert list(faults_in(visitor)) == []


def test_a_held_object_is_explained(arrive: Arrive) -> None:
    migration = stories.half_decided()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/rehearsal/?show=held")
    page.locator("[id^='object-']").first.click()
    page.locator("#text").fill("It is booked by hand until January.")

    page.locator("#explain").click()

    expect(page.get_by_text("explained").first).to_be_visible()
    assert RehearsedObject.objects.filter(explained_as__startswith="It is booked").exists()


def test_the_implementer_signs_and_withdraws(arrive: Arrive) -> None:
    migration = stories.signed()
    page = arrive("implementer").go(f"/migrations/{migration.pk}/rehearsal/")

    page.locator("#withdraw-implementer").click()

    expect(page.get_by_text("The signature of ines is withdrawn.")).to_be_visible()
    page.locator("#sign").click()
    expect(page.get_by_text("It stands for this report and this mapping only.")).to_be_visible()
    assert Signature.objects.filter(role="implementer", withdrawn_at=None).count() == 1
