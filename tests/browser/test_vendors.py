"""The vendor pages in a browser: find, link, keep apart, and let a second person accept."""

import re

import pytest
from playwright.sync_api import Route, expect

from connections.models import RampVendor, SeparateVendors, Vendor, VendorChange, VendorLink
from tests.browser import vendor_stories
from tests.browser.conftest import Arrive
from tests.browser.held import first_of
from tests.browser.looks import wrong_with

HOME = "/customers/harbor/vendors/"


class TestVendors:
    def test_ticks_survive_tabs_and_are_linked_at_once(self, arrive: Arrive) -> None:
        vendor_stories.world()
        visitor = arrive()
        page = visitor.go(HOME)
        for name in ("Cafe Imports", "Ecolab"):
            page.get_by_label(f"Tick {name}").check()
        expect(page.get_by_text("2 ticked")).to_be_visible()

        page.get_by_role("link", name="Duplicates").click()
        expect(page.get_by_role("heading", name="Royal Cup")).to_be_visible()
        page.get_by_role("link", name=re.compile("^Unlinked")).click()
        expect(page.get_by_label("Tick Ecolab")).to_be_checked()
        page.get_by_role("link", name="Look at 2 and link").click()
        expect(page.get_by_text("same name but for spelling").first).to_be_visible()
        page.get_by_role("button", name="Link 2").click()

        expect(page).to_have_url(re.compile("/vendors/links/"))
        expect(page.get_by_text("0 linked")).to_be_visible()
        assert VendorLink.objects.filter(state="wanted", actor__startswith="person").count() == 2
        link = VendorLink.objects.get(ramp_vendor__name="Ecolab")
        link.state = "done"
        link.save()
        expect(page.get_by_text("1 linked")).to_be_visible()
        assert visitor.complaints == []

    def test_one_is_linked_in_its_row(self, arrive: Arrive) -> None:
        vendor_stories.world()
        page = arrive().go(HOME)
        row = page.locator("tr", has_text="Uline").first

        row.get_by_role("button", name="Link").click()

        expect(page.locator("tr", has_text="Uline").get_by_text("To be linked")).to_be_visible()
        assert VendorLink.objects.get(ramp_vendor__name="Uline").erp_id == "1003"

    def test_finds_while_one_types(self, arrive: Arrive) -> None:
        vendor_stories.world()
        page = arrive().go(f"{HOME}?tab=all")

        page.get_by_label("Name, code or id").press_sequentially("v-1004")

        expect(page.locator("[data-row]")).to_have_count(1)
        expect(page).to_have_url(re.compile("q=v-1004"))
        page.get_by_role("link", name="Toast, Inc.").click()
        expect(page.get_by_role("heading", name="Toast, Inc.")).to_be_visible()

    def test_finds_what_was_typed_while_an_answer_was_on_its_way(self, arrive: Arrive) -> None:
        vendor_stories.world()
        page, late = arrive().go(f"{HOME}?tab=all"), list[Route]()
        page.route(re.compile("q=v-1"), lambda route: late.append(route), times=1)
        field = page.get_by_label("Name, code or id")
        field.press_sequentially("v-1")
        answer = first_of(late, page)
        field.press_sequentially("004")

        answer.continue_()

        expect(page).to_have_url(re.compile("q=v-1004"))
        expect(page.locator("[data-row]")).to_have_count(1)
        expect(field).to_have_value("v-1004")
        expect(field).to_be_focused()

    def test_look_alikes_are_kept_separate_and_taken_back(self, arrive: Arrive) -> None:
        vendor_stories.world()
        page = arrive().go(f"{HOME}?tab=duplicates")

        page.get_by_role("button", name="Keep separate Royal Cup").click()
        expect(page.get_by_text("will not be asked about again")).to_be_visible()
        assert SeparateVendors.objects.count() == 1
        page.get_by_role("button", name="Take back").click()

        expect(page.get_by_role("heading", name="Royal Cup")).to_be_visible()
        assert not SeparateVendors.objects.exists()

    def test_two_people_accept_a_bank_account(self, arrive: Arrive) -> None:
        vendor_stories.world()
        change = VendorChange.objects.get(vendor_erp_id="2001")
        first = arrive().go(f"{HOME}?tab=changes")
        card = first.locator(f"#change-{change.pk}")
        first.evaluate("document.querySelectorAll('[required]').forEach(f => f.required = false)")

        card.get_by_role("button", name="I have checked it").click()
        expect(card.get_by_text("Say how you know.")).to_be_visible()
        card.get_by_placeholder("How you know").fill("Called them at their old number.")
        card.get_by_role("button", name="I have checked it").click()
        expect(card.get_by_text("Somebody else must accept it.")).to_be_visible()
        expect(card.get_by_role("button", name="Accept")).to_have_count(0)

        second = arrive().go(f"{HOME}2001/").locator(f"#change-{change.pk}")
        second.get_by_role("button", name="Accept").click()
        expect(second.get_by_text("Accepted", exact=True)).to_be_visible()
        assert Vendor.objects.get(erp_id="2001").accepted_bank_digest == "b"

    def test_a_vendor_is_chosen_by_hand(self, arrive: Arrive) -> None:
        vendor_stories.world()
        nobody = RampVendor.objects.get(name="Nobody Knows")
        page = arrive().go(f"{HOME}{nobody.ramp_id}/")

        page.get_by_label("Another vendor, by name, code or id").fill("fedex")
        page.get_by_role("button", name="Look").click()
        page.get_by_role("button", name="Link to FedEx", exact=True).click()

        expect(page.get_by_text("chosen by hand")).to_be_visible()
        assert VendorLink.objects.get(ramp_vendor=nobody).erp_id == "2003"


@pytest.mark.parametrize("slug", ["harbor", "long"])
def test_pages_are_clean(arrive: Arrive, slug: str) -> None:
    world = {"harbor": vendor_stories.world, "long": vendor_stories.long_world}
    connection = world[slug]()
    alone = RampVendor.objects.filter(connection=connection, linked_erp_id="").latest("pk")
    home = f"/customers/{slug}/vendors/"
    tabs = ("unlinked", "all", "duplicates", "changes", "conflicts")
    paths = [f"{home}?tab={tab}" for tab in tabs]
    paths += [f"{home}link?exact=1", f"{home}2001/", f"{home}2002/", f"{home}{alone.ramp_id}/?q=f"]
    paths.append(f"{home}links/{vendor_stories.link_batch(connection)}/")

    assert wrong_with(arrive(), *paths) == []
