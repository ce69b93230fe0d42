"""The managers' page in a browser: in both themes and widths, and its tables by keyboard."""

import re

from playwright.sync_api import expect

from syncing.models import SyncItem
from tests.browser.backlog_stories import a_week
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with
from tests.factories import SyncItemFactory

ARRIVED = re.compile("arrived-")
DRAW_ANEW = """() => {
    const part = document.getElementById("backlog");
    const url = part.getAttribute("hx-get").replace(/version=\\d+/, "version=1");
    part.setAttribute("hx-get", url);
    htmx.process(part);
    htmx.trigger(part, "poll");
}"""


class TestTheBacklog:
    def test_looks_right_and_its_tables_stay_open_while_it_is_drawn_anew(
        self, arrive: Arrive
    ) -> None:
        a_week()
        visitor = arrive("manager")
        page = visitor.go("/backlog/")
        for part in ("worst", "team", "in-flight"):
            expect(page.locator(f"#{part}-title")).to_be_visible()

        table = page.get_by_role("table").filter(has_text="Became ready")
        expect(table).to_be_hidden()
        page.locator("#flow-table > summary").focus()
        page.keyboard.press("Enter")
        expect(table).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_attribute("id", ARRIVED)
        link = page.evaluate("document.activeElement.id")

        before = page.locator("#open-link").inner_text()
        SyncItemFactory.create(connection=SyncItem.objects.earliest("pk").connection)
        page.evaluate(DRAW_ANEW)
        expect(page.locator("#open-link")).not_to_have_text(before)
        expect(table).to_be_visible()
        expect(page.locator(":focus")).to_have_attribute("id", link)

        assert wrong_with(visitor, "/backlog/", "/backlog/?wall=1") == []
