"""What nobody is sure of, from the list of uncertain items to the document in the ERP."""

from playwright.sync_api import expect

from syncing.models import Settlement, SyncItem
from syncing.settling import looks
from tests.browser import settle_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import faults_in
from tests.syncing.test_settling import in_review


class TestUncertain:
    def test_is_looked_for_and_adopted(self, arrive: Arrive) -> None:
        world, item = in_review(sent=True)
        page = arrive().go("/uncertain/")
        card = page.locator(f"#settle-{item.pk}")

        card.get_by_role("button", name="Look in Ledger").click()
        expect(page.get_by_text("is being searched")).to_be_visible()
        expect(card.get_by_text("Searching Ledger")).to_be_visible()
        looks.answer_due(world.connection.pk, world.erp, erp_name="Ledger")
        # no reload: the page finds out by itself
        expect(card.get_by_text("carries our reference")).to_be_visible()
        card.get_by_role("button", name="It is this one").click()

        expect(page.get_by_text("Ramp is told next")).to_be_visible()
        expect(page.get_by_text("it is known what became")).to_be_visible()
        assert SyncItem.objects.get().state == "POSTED"

    def test_over_another_amount_takes_two_people_and_a_refusal_keeps_what_was_typed(
        self, arrive: Arrive
    ) -> None:
        item = settle_stories.found(settle_stories._customer("harbor", "Harbor Coffee"))
        page = arrive().go(f"/items/{item.pk}/")
        row = page.locator(".candidate", has_text="5.20 USD off")
        page.evaluate("document.querySelectorAll('[required]').forEach(f => f.required = false)")

        row.get_by_role("button", name="It is this one").click()
        expect(page.get_by_role("alert")).to_contain_text("Say why it is this one all the same")
        row.get_by_placeholder("Why all the same?").fill("The bank kept a fee.")
        row.get_by_role("button", name="It is this one").click()
        expect(page.get_by_text("You have asked for it, so somebody else")).to_be_visible()

        second = arrive("implementer").go("/uncertain/")
        second.get_by_role("link", name="Ecolab").first.click()
        second.get_by_role("button", name="Agree", exact=True).click()

        expect(second.get_by_text("Agreed, and done.")).to_be_visible()
        assert Settlement.objects.get().state == "done"
        item.refresh_from_db()
        assert (item.state, item.erp_number) == ("POSTED", "EXP-0071")


def test_every_page_is_clean(arrive: Arrive) -> None:
    settle_stories.world()
    settle_stories.long_world()
    visitor = arrive("support")
    id_ = "00000000-0000-4000-8000-0000000000a1"
    labels = ["Uline", "Toast", "Staples", "Zoom", "Digi-Key"]
    items = [SyncItem.objects.filter(label=label).get() for label in labels]
    paths = [
        "/uncertain/",
        *(f"/items/{item.pk}/" for item in items),
        f"/items/{items[-1].pk}/attempts/",
        f"/why-not/?q={id_}&customer=harbor&type=transaction",
        "/why-not/?q=INV-204",
    ]
    found: list[str] = []
    for path in paths:
        page = visitor.go(path)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found += [f"{path} {fault}" for fault in faults_in(visitor)]
    assert found + visitor.complaints == []
