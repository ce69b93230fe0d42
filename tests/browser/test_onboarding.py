"""Connect a new customer in the browser: from credentials to the first synced object."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_django import Settings

from connections import tasks as chart_tasks
from connections.erp.adapters.in_memory import InMemoryErp, forget_named
from connections.mirror import schedule as mirror_schedule
from connections.models import Connection, WebhookSubscription
from connections.ramp import files, transport
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.serving import Serving
from syncing import schedule, tasks, upkeep
from tests.browser.conftest import Arrive, Visitor
from tests.courier import wait_until_delivered
from tests.syncing.world import let_time_pass

NAME = "Harbor Coffee Roasters"


@pytest.fixture
def ramp(settings: Settings, address: str) -> Iterator[Simulator]:
    """A pretend Ramp on a port, whose webhooks reach the site that the browser sees."""
    settings.WEBHOOK_BASE_URL = address
    simulator = Simulator.with_scenario("empty", rate_limit=False)
    with Serving(simulator, port=0, traffic_per_minute=0) as serving:
        settings.RAMP_API_URL = serving.address
        yield simulator
    transport.close_shared()
    files.close_shared()


@pytest.fixture
def erp() -> Iterator[InMemoryErp]:
    forget_named()
    yield InMemoryErp.named({"name": "harbor"})
    forget_named()


def workers(simulator: Simulator) -> None:
    """Do what beat and workers would do, until nothing is due."""
    for _ in range(12):
        wait_until_delivered(simulator)
        let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
        for connection_id in upkeep.connections_due():
            tasks.look_after(connection_id=str(connection_id))
        for connection_id in mirror_schedule.due():
            chart_tasks.refresh_chart(connection_id=str(connection_id))
        for subscription in WebhookSubscription.objects.exclude(challenge="").filter(
            status="pending"
        ):
            tasks.answer_challenge(subscription_id=str(subscription.pk))
        for due in schedule.ring():
            about = {"connection_id": str(due.connection_id)}
            tasks.poll_connection(**about)
            tasks.work_connection(**about)
            tasks.send_acks(**about)


def expect_step(page: Page, title: str, state: str) -> None:
    found = page.locator("li.step").filter(has=page.get_by_role("heading", name=title, exact=True))
    expect(found).to_have_class(re.compile(rf"\bis-{state}\b"))


def fill_in(page: Page, simulator: Simulator, *, secret: str | None = None) -> None:
    business = simulator.business("harbor-coffee")
    page.get_by_label("Client id").fill(business.client_id)
    page.get_by_label("Client secret").fill(secret or business.client_secret)
    page.get_by_label("Name of the books").fill("harbor")


def enter_customer(visitor: Visitor, simulator: Simulator, *, secret: str | None = None) -> Page:
    page = visitor.go("/customers/")
    page.get_by_role("link", name="New customer").click()
    page.get_by_role("link", name="Pretend ERP").click()
    page.get_by_role("textbox", name="Customer", exact=True).fill(NAME)
    page.get_by_label("Time zone").select_option("America/Los_Angeles")
    fill_in(page, simulator, secret=secret)
    page.get_by_role("button", name="Save and check both sides").click()
    expect(page.get_by_role("heading", name=f"Connecting {NAME}")).to_be_visible()
    return page


def press(page: Page, name: str) -> None:
    """And come to the page that answers: before that, nobody but the browser knows of it."""
    with page.expect_navigation():
        page.get_by_role("button", name=name).click()


def test_a_new_customer_comes_as_far_as_its_first_synced_object(
    arrive: Arrive, ramp: Simulator, erp: InMemoryErp
) -> None:
    visitor = arrive("implementer")
    page = enter_customer(visitor, ramp)
    expect_step(page, "Ramp lets us in", "working")
    workers(ramp)
    page.reload()
    expect_step(page, "The ERP lets us in", "done")
    expect(page.get_by_text("will see “rampbridge”")).to_be_visible()

    press(page, "Connect as “rampbridge”")
    workers(ramp)
    page.reload()
    for title in (
        "Connected in Ramp",
        "Entities are companies of the ERP",
        "Chart of accounts in Ramp",
        "Ramp rings us",
    ):
        expect_step(page, title, "done")

    page.get_by_role("link", name="Choose accounts").click()
    expect(page.get_by_label("Card liability")).not_to_have_value("")
    page.get_by_role("button", name="Save").click()
    expect_step(page, "Posting accounts", "done")

    ramp.business("harbor-coffee").create_transaction("18.40", account_code="6300", ready=True)
    press(page, "Go live")
    workers(ramp)
    page.reload()
    expect_step(page, "First object synced", "done")
    expect(page.get_by_text("All done.")).to_be_visible()
    assert visitor.faults() == []
    page.locator("#first-item").click()
    expect(page.get_by_text("Done").first).to_be_visible()
    assert len(erp.books.entries) == 1
    assert visitor.complaints == []


def test_what_is_missing_is_named_and_what_was_entered_stays(
    arrive: Arrive, ramp: Simulator
) -> None:
    page = arrive("implementer").go("/customers/new/?erp=tryton")
    page.get_by_role("textbox", name="Customer", exact=True).fill(NAME)
    page.get_by_label("Client id").fill("an-id")
    page.get_by_label("Client secret").fill("a-secret")
    page.get_by_label("Address").fill("http://10.0.0.7:8000")
    page.get_by_label("User", exact=True).fill("rampbridge")
    page.get_by_label("Password").fill("hush")
    page.get_by_role("button", name="Save and check both sides").click()

    expect(page.get_by_text("Enter the database.")).to_be_visible()
    expect(page.get_by_text("The address must begin with https://.")).to_be_visible()
    expect(page.get_by_role("textbox", name="Customer", exact=True)).to_have_value(NAME)
    expect(page.get_by_label("User", exact=True)).to_have_value("rampbridge")
    expect(page.get_by_label("Client secret")).to_have_value("")
    assert not Connection.objects.exists()


def test_a_wrong_secret_says_so_and_a_right_one_goes_on(
    arrive: Arrive, ramp: Simulator, erp: InMemoryErp
) -> None:
    visitor = arrive("implementer")
    page = enter_customer(visitor, ramp, secret="not-this-one")
    workers(ramp)
    page.reload()
    expect_step(page, "Ramp lets us in", "blocked")
    expect(page.get_by_text("Ramp does not accept this client id and secret.")).to_be_visible()
    assert visitor.faults() == []

    page.locator("#credentials-ramp").click()
    business = ramp.business("harbor-coffee")
    page.get_by_label("Client id").fill(business.client_id)
    page.get_by_label("Client secret").fill(business.client_secret)
    press(page, "Check and use")
    workers(ramp)
    page.reload()

    expect_step(page, "Ramp lets us in", "done")
    expect_step(page, "Connected in Ramp", "to_do")


def test_a_direct_connection_says_what_to_do(
    arrive: Arrive, ramp: Simulator, erp: InMemoryErp
) -> None:
    ramp.business("harbor-coffee").occupy_seat("QuickBooks Online", "DIRECT")
    page = enter_customer(arrive("implementer"), ramp)
    workers(ramp)
    page.reload()

    expect_step(page, "Ramp lets us in", "blocked")
    expect(page.get_by_text("Start a migration instead of a fresh connection")).to_be_visible()
    expect_step(page, "Connected in Ramp", "later")


def test_the_page_follows_by_itself(arrive: Arrive, ramp: Simulator, erp: InMemoryErp) -> None:
    page = enter_customer(arrive("implementer"), ramp)

    workers(ramp)

    expect(page.locator("li.step[aria-current]")).to_contain_text("Connected in Ramp")


def test_support_sees_the_steps_and_no_buttons(
    arrive: Arrive, ramp: Simulator, erp: InMemoryErp
) -> None:
    enter_customer(arrive("implementer"), ramp)
    workers(ramp)

    page = arrive("support").go("/customers/harbor-coffee-roasters/onboarding/")

    expect_step(page, "Connected in Ramp", "to_do")
    expect(page.get_by_role("button", name="Connect as “rampbridge”")).to_have_count(0)
