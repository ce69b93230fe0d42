"""The chart of a customer in a browser: main paths, keyboards, both themes, every width."""

from playwright.sync_api import expect

from connections.models import CustomField, DriftDecision, Mirror, MirrorRun
from tests import spend
from tests.browser import chart_stories
from tests.browser.chart_stories import confirmed, used
from tests.browser.conftest import Arrive
from tests.browser.looks import THE_OTHERS, wrong_with
from tests.factories import LedgerAccountFactory

HOME = "/customers/harbor-coffee/chart/"
LONG = "/customers/long/chart/"


def pages_of(home: str, slug: str) -> list[str]:
    """Every page about a customer's chart."""
    run = MirrorRun.objects.filter(connection__slug=slug).order_by("started_at")[1]
    field = CustomField.objects.get(connection__slug=slug)
    return [
        home,
        f"{home}?kind=account&what=closed&q=o",
        f"{home}decide/?kind=account&id=6999",
        f"{home}decide/?kind=option&id=fld&field=department",
        f"{home}records/",
        f"{home}records/?q=6200",
        f"{home}records/?q=nobody",
        f"{home}fields/{field.pk}/",
        f"{home}batches/",
        f"{home}batches/?show=batches",
        f"{home}batches/?show=refused",
        f"{home}batches/{run.pk}/",
        home.removesuffix("chart/"),
    ]


class TestEveryPage:
    def test_is_clean_while_both_sides_differ(self, arrive: Arrive) -> None:
        chart_stories.drifting()

        assert wrong_with(arrive(), *pages_of(HOME, "harbor-coffee")) == []

    def test_is_clean_with_the_longest_names(self, arrive: Arrive) -> None:
        chart_stories.long_names()

        assert wrong_with(arrive(), *pages_of(LONG, "long"), looks=THE_OTHERS) == []

    def test_is_clean_while_it_stands_still_or_nothing_is_there(self, arrive: Arrive) -> None:
        chart_stories.stopped()
        chart_stories.customer("empty", name="Empty Ltd")
        stopped, empty = "/customers/verde-clinics/chart/", "/customers/empty/chart/"

        paths = [stopped, empty, f"{empty}records/", f"{empty}batches/"]
        assert wrong_with(arrive(), *paths, looks=THE_OTHERS) == []


class TestDeciding:
    def test_what_is_in_use_is_deactivated_by_keyboard_and_with_a_reason(
        self, arrive: Arrive
    ) -> None:
        connection = chart_stories.customer()
        LedgerAccountFactory.create(
            connection=connection, erp_id="6999", code="6999", is_active=False, **confirmed()
        )
        used(connection, spend.account("6999"), times=37)
        page = arrive().go(HOME)
        expect(page.get_by_text("37 unsynced items use it")).to_be_visible()

        page.get_by_role("link", name="Decide about 6999 Software").focus()
        page.keyboard.press("Enter")
        page.get_by_label("Deactivate in Ramp").focus()
        page.keyboard.press("Space")
        page.get_by_role("button", name="Keep this decision").press("Enter")
        expect(page.get_by_text("Give a reason to deactivate it all the same")).to_be_visible()
        expect(page.get_by_label("Deactivate in Ramp")).to_be_checked()

        page.get_by_label("Reason").fill("All of them are coded anew today.")
        page.keyboard.press("Enter")

        expect(page.get_by_text("is deactivated in Ramp by the next upload.")).to_be_visible()
        assert DriftDecision.objects.get().unsynced_items == 37

        page.get_by_role("link", name="Change the decision about 6999 Software").click()
        page.get_by_role("button", name="Take it back").click()
        expect(page.get_by_text("Waits for your decision")).to_be_visible()


class TestLive:
    def test_a_difference_appears_while_one_looks(self, arrive: Arrive) -> None:
        connection = chart_stories.customer()
        page = arrive().go(HOME)
        expect(page.get_by_text("Both sides are alike")).to_be_visible()

        LedgerAccountFactory.create(connection=connection, name="Training", ramp_id=None)

        expect(page.get_by_text("6200 Training").first).to_be_visible()

    def test_nothing_is_swapped_under_somebodys_hands(self, arrive: Arrive) -> None:
        connection = chart_stories.customer()
        LedgerAccountFactory.create(connection=connection, name="Training", ramp_id=None)
        page = arrive().go(HOME)
        field = page.get_by_label("Name, code or id")
        field.press_sequentially("tra")

        LedgerAccountFactory.create(connection=connection, name="Travel", ramp_id=None)
        page.wait_for_timeout(3_000)
        expect(field).to_have_value("tra")
        expect(page.get_by_text("6200 Travel")).to_have_count(0)
        field.evaluate("field => field.blur()")

        expect(page.get_by_text("6200 Travel").first).to_be_visible()

    def test_upload_now_says_what_happens_next(self, arrive: Arrive) -> None:
        connection = chart_stories.customer()
        page = arrive().go(HOME)

        page.get_by_role("button", name="Upload now").click()

        expect(page.get_by_text("then what differs goes to Ramp.")).to_be_visible()
        assert Mirror.objects.get(connection=connection).asked_by


def test_support_finds_an_account_on_both_sides_in_one_step(arrive: Arrive) -> None:
    chart_stories.drifting()
    page = arrive().go(HOME)

    page.get_by_label("Find an account, option, vendor or tax code on both sides").fill("6200")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Software and subscriptions")).to_be_visible()
    expect(page.get_by_text("called otherwise")).to_be_visible()
    page.get_by_role("link", name="Vendors 1").click()
    expect(page.get_by_text("No record matches")).to_be_visible()


def test_a_trace_id_is_copied_whole(arrive: Arrive) -> None:
    chart_stories.drifting()
    visitor = arrive()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.go(f"{HOME}batches/?show=batches")

    button = page.get_by_role("button", name="Copy trace id").first
    button.click()

    expect(page.locator("#announcer")).to_contain_text("Copied")
    assert len(page.evaluate("navigator.clipboard.readText()")) == 32


def test_a_field_is_named_otherwise(arrive: Arrive) -> None:
    chart_stories.drifting()
    page = arrive().go(f"{HOME}records/?kind=field")

    page.get_by_role("link", name="Department", exact=True).click()
    page.get_by_label("Name in Ramp").fill("Cost centre")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Department is shown so after the next upload.")).to_be_visible()
    assert CustomField.objects.get().display_name == "Cost centre"
