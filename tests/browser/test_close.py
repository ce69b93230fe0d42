"""Closing a month in the browser, from the board to the word that it is clean."""

from playwright.sync_api import expect

from syncing.models import CloseSnapshot, PeriodStamp
from tests.browser import close_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with


def test_every_page_is_clean_in_every_state(arrive: Arrive) -> None:
    close_stories.closing()
    close_stories.asked()
    month = f"{close_stories.period():%Y-%m}"
    paths = ["/close/", "/close/snapshots/", "/customers/northwind/statements/"]
    paths += [f"/customers/{slug}/close/{month}/" for slug in ("northwind", "flagged", "asked")]
    snapshot = CloseSnapshot.objects.get(connection__slug="northwind")
    paths.append(f"/close/snapshots/{snapshot.name}/")
    paths.append(f"/customers/northwind/statements/{close_stories.newest_statement().pk}/")

    visitor = arrive("manager")
    assert wrong_with(visitor, *paths) == []

    page = visitor.go("/close/?q=northwind")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert "/close/?q=northwind, printed" in page.locator(".print-only").inner_text()
    expect(page.get_by_label("Customer", exact=True)).to_be_visible()
    expect(page.get_by_label("Pages", exact=True)).to_be_hidden()
    expect(page.locator("thead")).to_be_visible()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator("#close time[data-relative]").first).to_contain_text("UTC")


def test_from_the_board_to_a_clean_month_and_back(arrive: Arrive) -> None:
    close_stories.closing()
    page = arrive("manager").go("/close/")

    expect(page.locator("a.row-link").first).to_have_text("Northwind Robotics")
    page.get_by_label("Customer", exact=True).fill("verde")
    expect(page.locator("a.row-link")).to_have_count(1)
    expect(page.get_by_label("Customer", exact=True)).to_be_focused()
    page.locator("a.row-link").click()
    page.get_by_role("button", name="Call it clean").click()
    expect(page.get_by_text("is clean, as of SN-")).to_be_visible()
    page.get_by_text("Take it back").click()
    page.get_by_label("Why").fill("A bill is missing")
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_text("Taken back. It is not called clean any more.")).to_be_visible()
    page.get_by_role("button", name="Take a snapshot").click()
    expect(page.get_by_text("The same figures today")).to_be_visible()

    assert [one.state for one in PeriodStamp.objects.filter(connection__slug="ready")] == [
        "withdrawn"
    ]
