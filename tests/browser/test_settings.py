"""A connection's settings in the browser: switches, credentials, disconnecting, every state."""

from playwright.sync_api import expect

from connections import secrets
from connections.models import Chore, Connection, Credential, Switch
from tests.browser import settings_stories
from tests.browser.conftest import Arrive
from tests.browser.looks import wrong_with

FORMS = ("basics/", "credentials/ramp/", "credentials/erp/", "disconnect/")


class TestEveryPage:
    def test_is_clean_in_every_state(self, arrive: Arrive) -> None:
        slugs = [one.slug for one in settings_stories.all_of_them()]

        paths = [f"/customers/{slug}/{page}/" for slug in slugs for page in
                 ("settings", "onboarding")]  # fmt: skip
        paths += [f"/customers/{slugs[1]}/settings/{form}" for form in FORMS]
        paths += [f"/customers/{slugs[2]}/onboarding/{form}/" for form in ("entities", "accounts")]
        paths += ["/customers/new/?erp=tryton", "/customers/new/?erp=ledger"]

        assert wrong_with(arrive("implementer"), *paths) == []


class TestSwitches:
    def test_a_wish_is_written_and_shown_as_under_way(self, arrive: Arrive) -> None:
        connection = settings_stories.well()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")

        page.locator("#turn-vendor_credits_enabled").click()

        expect(page.get_by_text("Vendor credits: Ramp is being told.")).to_be_visible()
        row = page.get_by_role("row", name="Vendor credits")
        expect(row.get_by_text("Under way", exact=True)).to_be_visible()
        chore = Chore.objects.get(state=Chore.State.WANTED)
        assert (chore.kind, chore.about) == (Chore.Kind.SWITCH, "vendor_credits_enabled")
        assert Switch.objects.get(name="vendor_credits_enabled").wanted is False

    def test_a_button_that_is_too_slow_cannot_be_switched_on(self, arrive: Arrive) -> None:
        connection = settings_stories.well()
        connection.schedule.posts_per_second = None
        connection.schedule.save()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")

        row = page.get_by_role("row", name="Sync button, transactions")

        expect(row.get_by_text("Not yet: How fast")).to_be_visible()
        expect(row.get_by_role("button")).to_have_count(0)

    def test_what_somebody_has_turned_in_ramp_can_be_accepted(self, arrive: Arrive) -> None:
        connection = settings_stories.ill()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")
        row = page.get_by_role("row", name="Vendor credits")
        expect(row.get_by_text("Changed in Ramp")).to_be_visible()

        page.locator("#keep-vendor_credits_enabled").click()

        expect(row.get_by_text("As wanted")).to_be_visible()
        assert not Chore.objects.filter(state=Chore.State.WANTED).exists()


class TestCredentials:
    def test_new_ones_wait_sealed_while_the_old_ones_stay(self, arrive: Arrive) -> None:
        connection = settings_stories.well()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")

        page.locator("#new-credentials-ramp").click()
        page.get_by_label("Client id").fill("a-new-id-77aa")
        page.get_by_label("Client secret").fill("an entirely new secret")
        page.get_by_role("button", name="Check and use").click()

        expect(page.get_by_text("New credentials are being checked.")).to_be_visible()
        expect(page.get_by_text("an entirely new secret")).to_have_count(0)
        chore = Chore.objects.get(kind=Chore.Kind.CREDENTIAL)
        assert b"entirely new" not in bytes(chore.sealed)
        assert secrets.unproven(chore)["client_secret"] == "an entirely new secret"
        assert secrets.credential(connection, Credential.Side.RAMP) == {"password": "hush"}


class TestDisconnect:
    def test_needs_the_customers_name(self, arrive: Arrive) -> None:
        connection = settings_stories.well()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")
        page.get_by_role("link", name="Disconnect…").click()
        expect(page.get_by_text("Ramp unlinks “Tryton by rampbridge”.")).to_be_visible()

        page.get_by_label("The customer's name").fill("Northwind")
        page.get_by_role("button", name="Disconnect in Ramp").click()
        expect(page.get_by_text("Nothing was disconnected")).to_be_visible()
        assert not Chore.objects.filter(kind=Chore.Kind.DISCONNECT).exists()

        page.get_by_label("The customer's name").fill("Northwind Robotics")
        page.get_by_role("button", name="Disconnect in Ramp").click()
        expect(page.get_by_text("Disconnecting in Ramp…")).to_be_visible()
        assert Chore.objects.get(kind=Chore.Kind.DISCONNECT).state == Chore.State.WANTED


class TestBasics:
    def test_what_is_synced_can_be_changed(self, arrive: Arrive) -> None:
        connection = settings_stories.well()
        page = arrive("implementer").go(f"/customers/{connection.slug}/settings/")
        page.get_by_role("link", name="Edit").click()

        page.get_by_label("Cashback").uncheck()
        page.get_by_label("Owner").fill("li.wei")
        page.get_by_role("button", name="Save").click()

        expect(page.get_by_text("switched off")).to_be_visible()
        expect(page.get_by_text("maya.okafor → li.wei")).to_be_visible()
        assert "cashback" not in Connection.objects.get().object_types


def test_support_may_look_and_not_touch(arrive: Arrive) -> None:
    connection = settings_stories.ill()
    page = arrive("support").go(f"/customers/{connection.slug}/settings/")

    expect(page.get_by_text("Changed in Ramp")).to_be_visible()
    expect(page.get_by_role("button", name="Check now")).to_be_visible()
    expect(page.get_by_role("button", name="Turn")).to_have_count(0)
    expect(page.get_by_role("link", name="Disconnect…")).to_have_count(0)
