"""The mapping pages in a browser: mapped with one click, by keyboard, by file; clean everywhere."""

import re

from playwright._impl._api_structures import FilePayload  # the public module leaves it out
from playwright.sync_api import expect

from connections.mapping_book.changes import Change
from connections.models import Mapping, MappingKind
from syncing import mapping_services
from syncing.models import SyncItem
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with
from tests.browser.mapping_stories import missing_mappings
from tests.factories import LONG_NAME, ConnectionFactory

HOME = "/customers/mapped/mappings/"
EDIT = f"{HOME}edit/?kind=gl_account&id=legacy-77&field="
PATHS = [HOME, EDIT, f"{HOME}suggestions/", f"{HOME}all/", f"{HOME}all/?kind=profile",
         f"{HOME}revisions/", f"{HOME}revisions/3/", f"{HOME}file/", f"{HOME}copy/"]  # fmt: skip


class TestThePages:
    def test_are_clean_while_much_waits(self, arrive: Arrive) -> None:
        customer = missing_mappings()
        missing_mappings("Harbor Coffee", "harbor")
        mapping_services.save_and_release(
            customer,
            [Change(MappingKind.GL_ACCOUNT, "x", "a6100", ramp_name="X")],
            actor="maya",
            reason="Asked for.",
        )

        copy = f"{HOME}copy/?source=harbor"
        assert wrong_with(arrive(), *PATHS, copy, f"{HOME}?saved=3") == []

    def test_are_clean_with_the_longest_names_and_with_none(self, arrive: Arrive) -> None:
        missing_mappings(LONG_NAME)
        ConnectionFactory.create(slug="empty")

        empty = [path.replace("mapped", "empty") for path in (HOME, f"{HOME}all/")]
        assert wrong_with(arrive(), HOME, EDIT, f"{HOME}all/", *empty) == []


class TestOneClick:
    def test_maps_releases_all_31_and_counts_them_through(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(HOME)

        page.get_by_role("button", name="Map and release 31 items of Software").click()

        expect(page.get_by_text("31 items released by revision 4")).to_be_visible()
        expect(page.get_by_text("31 under way")).to_be_visible()
        assert SyncItem.objects.filter(state="READY").count() == 31
        assert not page.get_by_role("link", name="Software", exact=True).is_visible()

    def test_bulk_accepts_what_is_ticked(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(HOME)

        page.get_by_role("link", name="Look through 2 strong suggestions").click()
        page.get_by_label("Map Github to GitHub, Inc.").uncheck()
        page.get_by_role("button", name="Accept what is ticked").click()

        expect(page.get_by_text("31 items released")).to_be_visible()
        assert Mapping.objects.filter(erp_id="v1").count() == 0


class TestChoosing:
    def test_by_keyboard_alone(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(EDIT)
        search = page.get_by_role("searchbox", name="Search by code or name")
        expect(search).to_be_focused()

        page.keyboard.insert_text("profess")  # at once, or slow typing is searched for half-way
        only = page.get_by_role("radio")
        expect(only).to_have_count(1)
        only.focus()
        page.keyboard.press("Space")
        page.keyboard.press("Enter")

        expect(page.get_by_text("31 items released by revision 4")).to_be_visible()
        assert Mapping.objects.get(ramp_external_id="legacy-77").erp_id == "a6600"

    def test_says_what_one_entity_alone_would_release(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(EDIT)
        expect(page.get_by_text("31 items")).to_be_visible()

        page.get_by_label("Holds for").select_option(label="Northwind Labs")

        expect(page.get_by_text("No item waits for it.")).to_be_visible()

    def test_a_refusal_is_shown_and_keeps_the_reason(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(EDIT)
        page.get_by_label("Reason").fill("The controller says so")
        Mapping.objects.all().delete()
        page.evaluate("document.querySelector('#choices input:checked').value = 'a6999'")

        page.get_by_role("button", name="Map and release").click()

        expect(page.get_by_role("alert")).to_contain_text("6999 Old projects is closed in Tryton.")
        expect(page.get_by_label("Reason")).to_have_value("The controller says so")


class TestFiles:
    def test_are_looked_at_and_then_saved(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(f"{HOME}file/")
        rows = "kind;ramp_id;erp_code\ngl_account;legacy-77;6200\ngl_account;x;nowhere\n"
        page.get_by_label("CSV file").set_input_files(
            FilePayload(name="from-excel.csv", mimeType="text/csv", buffer=rows.encode())
        )

        page.get_by_role("button", name="Look at it").click()
        expect(page.get_by_text("has no record with the code nowhere")).to_be_visible()
        page.get_by_role("button", name="Save 1 line").click()

        expect(page.get_by_text("31 items released by revision 4")).to_be_visible()


class TestTakingBack:
    def test_a_revision_that_was_changed_later_takes_back_the_rest(self, arrive: Arrive) -> None:
        missing_mappings()
        page = arrive().go(f"{HOME}revisions/")
        page.get_by_role("link", name="Revision 2").click()

        page.get_by_label("Reason").fill("Wrong file")
        page.get_by_role("button", name="Take back this revision").click()
        expect(page.get_by_role("alert")).to_contain_text("changed again after revision 2")
        page.get_by_role("button", name="Take back the rest").click()

        expect(page.get_by_text("Saved as revision 4")).to_be_visible()
        expect(page).to_have_url(re.compile("saved=4"))
