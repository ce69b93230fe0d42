"""The search field, used with the keyboard alone."""

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory


class TestField:
    def test_offers_walks_opens_and_lets_go(self, arrive: Arrive) -> None:
        harbor = ConnectionFactory.create(name="Harbor Coffee")
        ScheduleFactory.create(connection=harbor)
        for label in ("Amazon", "Amazon Web Services"):
            SyncItemFactory.create(label=label, connection=harbor, failed=True)
        visitor = arrive()
        page = visitor.go("/items/")
        field, offers = page.get_by_role("combobox", name="Search"), page.get_by_role("listbox")

        page.keyboard.press("/")
        expect(field).to_be_focused()
        page.keyboard.insert_text("amaz")  # at once, or slow typing is looked up half-way
        expect(offers.get_by_role("option")).to_have_count(3)
        assert not visitor.faults()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(offers.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")

        page.keyboard.press("Escape")
        expect(offers).to_be_hidden()
        expect(field).to_be_focused()
        expect(field).to_have_value("amaz")

        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Results for “amaz”")).to_be_visible()
        assert not visitor.faults()

        page.get_by_role("link", name="Bill", exact=True).click()
        expect(page.get_by_text("Nothing found here")).to_be_visible()
        page.get_by_role("link", name="Search everywhere").click()
        expect(page.get_by_role("link", name="Amazon", exact=True)).to_be_visible()
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Amazon")).to_be_visible()
        assert not visitor.complaints
