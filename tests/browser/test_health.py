"""The page about our own parts, and the one that anybody may see, in the browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from rampbridge.own_health import public
from rampbridge.own_health.broker import BrokerFacts
from tests.browser import health_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with


@pytest.fixture(autouse=True)
def broker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    answers = BrokerFacts(answers=True, waiting={"export": 2})
    monkeypatch.setattr("rampbridge.own_health.views.broker_facts", lambda: answers)
    monkeypatch.setattr(public, "broker_facts", lambda: answers)
    public.current.forget()
    yield
    public.current.forget()


def test_says_what_is_in_trouble_and_what_to_do(arrive: Arrive) -> None:
    health_stories.in_trouble()
    page = arrive("support").go("/")

    page.get_by_role("link", name="Health", exact=True).click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    workers = page.locator("#part-workers")
    expect(workers).to_contain_text("In trouble")
    expect(workers).to_contain_text("Restart the workers")


def test_is_clean(arrive: Arrive) -> None:
    visitor = arrive("support")
    assert wrong_with(visitor, "/health/") == []

    health_stories.in_trouble()
    assert wrong_with(visitor, "/health/") == []


def test_anybody_sees_which_parts_work(arrive: Arrive) -> None:
    health_stories.processes(seconds=1)

    assert wrong_with(arrive("support"), "/status") == []
