"""From the list of customers to what one of them sees in Ramp, as somebody in support walks it."""

from playwright.sync_api import expect

from connections.models import Connection
from tests.browser import fleet_stories
from tests.browser.conftest import Arrive


class TestCustomers:
    def test_are_found_judged_and_looked_after(self, arrive: Arrive) -> None:
        fleet_stories.every_health()
        visitor = arrive("support")
        page = visitor.go("/customers/")
        faults = visitor.faults()

        page.get_by_label("Health").select_option("Blocked")
        expect(page.locator("a.row-link")).to_have_count(1)
        expect(page.get_by_text("the filter hides 8")).to_be_visible()
        page.get_by_role("button", name="Pin Blocked").click()
        expect(page.get_by_text("Blocked stays at the top of your list.")).to_be_visible()

        page.get_by_role("link", name="hannah cares for Blocked").click()
        page.get_by_label("Words to find it by").fill("vip, month end")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The tags are saved.")).to_be_visible()
        assert Connection.objects.get(slug="blocked").tags == ["month-end", "vip"]

        page.locator("a.row-link").click()
        expect(page.locator(".lede")).to_contain_text("2 blocked on customer (closed period)")
        faults += visitor.faults()
        visitor.prefer("dark")
        faults += visitor.faults()

        page.get_by_role("link", name="Notes").click()
        page.get_by_label("What others should know").fill("Ana mends it at noon.")
        page.get_by_role("button", name="Add note").click()
        expect(page.get_by_text("Ana mends it at noon.")).to_be_visible()
        faults += visitor.faults()

        page.get_by_role("link", name="Timeline").click()
        expect(page.get_by_text("Tagged Blocked: month-end, vip.")).to_be_visible()
        page.locator("#kind-runs").click()
        expect(page.get_by_text("12 new and 2 changed")).to_be_visible()
        expect(page.get_by_text("Tagged Blocked")).to_have_count(0)
        faults += visitor.faults()

        page.go_back()
        expect(page.get_by_text("Tagged Blocked: month-end, vip.")).to_be_visible()
        page.get_by_role("link", name="Overview", exact=True).last.click()
        page.get_by_role("link", name="What the customer sees in Ramp").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("in Ramp")
        faults += visitor.faults()

        assert faults + visitor.complaints == []

    def test_can_be_reached_on_a_phone_with_exact_times(self, arrive: Arrive) -> None:
        fleet_stories.every_health()
        visitor = arrive("support", theme="dark", width=375)
        page = visitor.go("/customers/")

        for path in ("/customers/", "/customers/partly-paused/", "/customers/working/timeline/"):
            visitor.go(path)
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, path
        page.get_by_label("Your account").click()
        page.get_by_role("button", name="Exact times").click()
        expect(page.locator(".stream time").first).to_contain_text("UTC")
        page.reload()
        expect(page.locator(".stream time").first).to_contain_text("UTC")
        page.get_by_role("button", name="More").click()
        expect(page.get_by_role("link", name="Webhooks").last).to_be_visible()
        faults = visitor.faults()
        page.locator("#nav-more").get_by_role("link", name="Audit").click()

        expect(page).to_have_url(f"{visitor.address}/audit/")
        assert faults + visitor.complaints == []
