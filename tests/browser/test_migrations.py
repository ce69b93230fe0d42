"""The migration wizard in the browser: how it looks, its keys, and two people at one step."""

import re
from itertools import cycle

import pytest
from playwright.sync_api import Page, Route, expect

from migrations_tool.models import ConnectionMigration, StepRecord, StepRun
from migrations_tool.steps import Step
from tests.browser import migration_stories as stories
from tests.browser.conftest import Arrive
from tests.browser.held import first_of
from tests.browser.looks import BOTH, faults_in, wrong_with

POLL = re.compile(r"/backup/\?version=\w+")
ACT = re.compile("/backup/do/")


def test_the_list_and_what_leads_to_and_from_it_are_clean(arrive: Arrive) -> None:
    stories.a_season()
    pk = {one.connection.slug: one.pk for one in ConnectionMigration.objects.all()}
    visitor = arrive("implementer")
    preload = f"/migrations/{pk['verde-clinics']}/preload"

    with stories.gates(Step.PRELOAD, *stories.EVERY_LIGHT):
        found = wrong_with(
            visitor,
            "/migrations/",
            "/migrations/?show=ended",
            f"{preload}/do/undo/",
            f"{preload}/waive/?gate=drain.zero_twice",
            f"/migrations/{pk['atelier-lumiere']}/rules/ask/",
            f"/migrations/{pk['sakura-foods']}/end/",
            f"/migrations/{pk['lakeside']}/hypercare/",
            "/customers/harbor-coffee/migrate/",
        )

    assert found == []


def test_a_step_is_clean_in_every_status_and_with_names_of_any_length(arrive: Arrive) -> None:
    migration = stories.every_status()
    stories.long_names()
    long = ConnectionMigration.objects.get(connection__slug="long")
    where = f"/migrations/{migration.pk}"
    with stories.gates(Step.BACKUP, *stories.EVERY_LIGHT):
        visitor = arrive("implementer")
        found = wrong_with(
            visitor,
            f"{where}/backup/",
            f"{where}/backup/evidence/?of=all",
            f"/migrations/{long.pk}/backup/",
            f"/migrations/{long.pk}/backup/evidence/",
        )
        page = visitor.go(f"{where}/backup/")
        page.keyboard.press("e")
        expect(page.get_by_role("heading", name="Evidence of 4 Backup")).to_be_visible()
        found += list(faults_in(visitor))

    assert found == []


def test_each_step_is_clean_whatever_its_status(arrive: Arrive) -> None:
    """The statuses and runs go by turns over the steps, and the themes over the pages."""
    migration = stories.every_status()
    visitor = arrive("implementer")
    found: list[str] = []

    for step, look in zip(Step, cycle(BOTH), strict=False):
        visitor.go(f"/migrations/{migration.pk}/{step}/")
        found += [f"{step} {fault}" for fault in faults_in(visitor, [look])]

    assert found + visitor.complaints == []


def test_keys_walk_check_and_show_the_evidence(arrive: Arrive) -> None:
    migration = stories.a_migration("harbor-coffee", "Harbor Coffee Roasters", done=stories.ALL[:4])
    page = arrive("implementer").go(f"/migrations/{migration.pk}/inventory/")

    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=2, name="3 Rules and automations")).to_be_visible()
    page.keyboard.press("p")
    expect(page.get_by_role("heading", level=2, name="2 Inventory")).to_be_visible()
    page.keyboard.press("e")
    expect(page.get_by_text("Nothing was looked at yet")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Nothing was looked at yet")).to_be_hidden()
    page.keyboard.press("c")
    expect(page.locator("#step-notice")).to_contain_text("It goes on without this page.")
    page.keyboard.press("?")
    expect(page.get_by_text("Next and previous step")).to_be_visible()


@pytest.mark.parametrize(
    ("script", "state"), [("js/search.js", "loading"), ("htmx-2*.js", "interactive")]
)
def test_keys_pressed_while_the_page_still_arrives_count_once_it_is_there(
    arrive: Arrive, script: str, state: str
) -> None:
    migration = stories.a_migration("harbor-coffee", "Harbor Coffee Roasters", done=stories.ALL[:4])
    visitor = arrive("implementer")
    page, late = visitor.page, list[Route]()
    page.route(f"**/{script}", lambda route: late.append(route), times=1)
    page.goto(f"{visitor.address}/migrations/{migration.pk}/inventory/", wait_until="commit")
    ready = f"() => document.readyState === '{state}' && document.documentElement.dataset.bsTheme"
    page.wait_for_function(ready, polling=50)

    page.keyboard.press("e")
    assert page.evaluate("document.readyState") == state
    first_of(late, page).continue_()

    expect(page.get_by_text("Nothing was looked at yet")).to_be_visible()


def test_two_browsers_race_on_one_step(arrive: Arrive) -> None:
    """One of them has it run; the other sees by whom, and loses nothing of what was typed."""
    migration = stories.a_migration("harbor-coffee", "Harbor Coffee Roasters", done=stories.ALL[:4])
    where = f"/migrations/{migration.pk}/backup/"
    with stories.gates(Step.BACKUP, *stories.EVERY_LIGHT):
        one, other = arrive("implementer").go(where), arrive("implementer").go(where)
        _hold_polls(other)
        other.get_by_role("textbox", name="Note").fill("Tom has the old chart.")
        one.get_by_role("button", name="Check now").click()
        expect(one.locator("#step-notice")).to_contain_text("Checking both sides.")
        StepRun.objects.update(doing="Asking Ramp")
        expect(one.get_by_text("Asking Ramp")).to_be_visible()
        expect(one.locator("#step-notice")).to_contain_text("Checking both sides.")

        other.get_by_role("button", name="Make the backup").click()

        notice = other.locator("#step-notice")
        expect(notice).to_contain_text("is running this step. Wait until it has ended.")
        expect(other.get_by_role("button", name="Make the backup")).to_be_disabled()
        expect(other.get_by_role("textbox", name="Note")).to_have_value("Tom has the old chart.")
        assert StepRun.objects.get().act == "check"

        one.get_by_role("textbox", name="Note").fill("Dana is away.")
        one.get_by_role("button", name="Keep the note").click()
        expect(one.locator("#step-notice")).to_have_text("Your note is kept.")
        other.get_by_role("button", name="Keep the note").click()

        expect(other.get_by_text("Somebody wrote this meanwhile")).to_be_visible()
        expect(other.get_by_text("Dana is away.")).to_be_visible()
        expect(other.get_by_role("textbox", name="Note")).to_have_value("Tom has the old chart.")
        other.get_by_role("textbox", name="Note").fill("Dana is away; Tom has the old chart.")
        other.get_by_role("button", name="Keep the note").click()
        expect(other.locator("#step-notice")).to_have_text("Your note is kept.")

    note = StepRecord.objects.get(migration=migration, step=Step.BACKUP).note
    assert note == "Dana is away; Tom has the old chart."


def test_a_poll_under_way_does_not_swap_away_what_an_act_aims_at(arrive: Arrive) -> None:
    migration = stories.a_migration("harbor-coffee", "Harbor Coffee Roasters", done=stories.ALL[:4])
    with stories.gates(Step.BACKUP, *stories.EVERY_LIGHT):
        visitor = arrive("implementer")
        page = visitor.go(f"/migrations/{migration.pk}/backup/")
        polls, acts = list[Route](), list[Route]()
        page.route(POLL, lambda route: route.continue_() if polls else polls.append(route))
        poll = first_of(polls, page)
        page.route(ACT, lambda route: acts.append(route))
        with page.expect_request(ACT):
            page.get_by_role("button", name="Check now").click()

        with page.expect_response(POLL):
            poll.continue_(url=POLL.sub("/backup/?version=0", poll.request.url))
        first_of(acts, page).continue_()

        expect(page.locator("#step-notice")).to_contain_text("Checking both sides.")
    assert visitor.complaints == []


def test_a_waiver_needs_the_second_person_who_sees_it_without_loading(arrive: Arrive) -> None:
    migration = stories.a_migration("harbor-coffee", "Harbor Coffee Roasters", done=stories.ALL[:4])
    where = f"/migrations/{migration.pk}/backup/"
    with stories.gates(Step.BACKUP, stories.EVERY_LIGHT[0]):
        first, second = arrive("implementer").go(where), arrive("manager").go(where)
        first.get_by_role("link", name="Ask a second person to waive it").click()
        reason = first.get_by_label("Reason")
        expect(reason).to_be_focused()
        reason.fill("Test objects.")
        first.get_by_role("button", name="Ask for it").click()
        expect(first.get_by_text("somebody else decides", exact=False).first).to_be_visible()

        second.get_by_role("button", name="Grant it").click()

        expect(second.get_by_text("Waived", exact=True)).to_be_visible()
        expect(first.get_by_text("Waived", exact=True)).to_be_visible()


def test_on_a_phone_the_task_list_is_a_line_to_open(arrive: Arrive) -> None:
    migration = stories.every_status()
    page = arrive("implementer", width=375).go(f"/migrations/{migration.pk}/plan/")

    expect(page.get_by_text("Point of no return", exact=True).last).to_be_hidden()
    page.locator(".wizard-tasks > summary").click()
    page.get_by_role("link", name="13 Hypercare").click()

    expect(page.get_by_role("heading", level=2, name="13 Hypercare")).to_be_visible()


def _hold_polls(page: Page) -> None:
    """This browser hears nothing by itself: its page grows old."""
    page.evaluate(
        "document.addEventListener('rampbridge:poll', (event) => event.preventDefault(), true)"
    )
