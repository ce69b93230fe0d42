"""What people do on the pages: keys, filters, live numbers, themes, signing in."""

import re
from datetime import timedelta

from playwright.sync_api import Route, expect

from syncing import handling, pauses
from syncing.fleet.keeping import keep_up
from syncing.models import SyncItem
from tests.browser.conftest import Arrive
from tests.browser.held import first_of
from tests.browser.stories import make_item, ordinary_day
from tests.factories import (
    PASSWORD,
    AttachmentFactory,
    ConnectionFactory,
    ScheduleFactory,
    SyncRequestFactory,
    UserFactory,
    now,
)


class TestSignIn:
    def test_leads_to_the_page_that_was_asked_for_and_out_again(self, arrive: Arrive) -> None:
        UserFactory.create(username="maya", roles=["support"])
        page = arrive("").go("/customers/")

        page.get_by_label("Email or user name").fill("maya")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Customers", exact=True)).to_be_visible()

        page.get_by_label("Your account").click()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()

    def test_a_wrong_password_says_so(self, arrive: Arrive) -> None:
        page = arrive("").go("/accounts/login/")

        page.get_by_label("Email or user name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()

        expect(page.get_by_text("not correct")).to_be_visible()


class TestKeyboard:
    def test_walks_rows_and_opens_one(self, arrive: Arrive) -> None:
        ordinary_day()
        page = arrive().go("/items/")
        names = page.locator("[data-row] a.row-link")

        page.keyboard.press("j")
        expect(names.nth(0)).to_be_focused()
        page.keyboard.press("j")
        expect(names.nth(1)).to_be_focused()
        page.keyboard.press("k")
        expect(names.nth(0)).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog", name="One item")).to_be_visible()
        page.keyboard.press("Enter")

        expect(page).to_have_url(re.compile(r"/items/\d+/$"))

    def test_walks_and_opens_while_the_page_still_arrives(self, arrive: Arrive) -> None:
        ScheduleFactory.create(connection__slug="harbor")
        keep_up(now=now())
        visitor = arrive()
        page, late = visitor.page, list[Route]()
        page.route("**/htmx-2*.js", lambda route: late.append(route), times=1)
        page.goto(f"{visitor.address}/customers/", wait_until="commit")
        page.wait_for_function("() => document.readyState === 'interactive'", polling=50)

        page.keyboard.press("j")
        page.keyboard.press("Enter")
        first_of(late, page).continue_()

        expect(page).to_have_url(re.compile("/customers/harbor/$"))

    def test_goes_between_pages(self, arrive: Arrive) -> None:
        page = arrive().go("/")

        page.keyboard.press("g")
        page.keyboard.press("c")
        expect(page.get_by_role("heading", name="Customers", exact=True)).to_be_visible()
        page.keyboard.press("g")
        page.keyboard.press("e")
        expect(page).to_have_url(re.compile("/errors/$"))

    def test_slash_searches_and_escape_leaves(self, arrive: Arrive) -> None:
        page = arrive().go("/")

        page.keyboard.press("/")
        page.keyboard.type("jj")
        expect(page.locator("#search")).to_have_value("jj")
        page.keyboard.press("Escape")

        expect(page.locator("#search")).not_to_be_focused()

    def test_help_opens_and_closes(self, arrive: Arrive) -> None:
        page = arrive().go("/")
        dialog = page.get_by_role("dialog", name="Keyboard")

        page.keyboard.press("?")
        expect(dialog).to_be_visible()
        page.keyboard.press("Escape")

        expect(dialog).to_be_hidden()

    def test_single_keys_can_be_turned_off(self, arrive: Arrive) -> None:
        page = arrive().go("/")
        page.keyboard.press("?")
        page.get_by_label("Single keys act as shortcuts").uncheck()
        page.keyboard.press("Escape")

        page.keyboard.press("/")

        expect(page.locator("#search")).not_to_be_focused()


class TestFilters:
    def test_stand_in_the_url_and_survive_the_way_back(self, arrive: Arrive) -> None:
        ordinary_day()
        page = arrive().go("/items/")

        page.get_by_role("link", name="Waiting for customer").last.click()
        expect(page).to_have_url(re.compile("state=waiting-for-customer"))
        page.get_by_label("Customer", exact=True).select_option("northwind-robotics")
        expect(page).to_have_url(re.compile("customer=northwind-robotics"))
        expect(page.locator("[data-row]")).to_have_count(3)

        page.locator("[data-row] a.row-link").first.click()
        expect(page).to_have_url(re.compile(r"/items/\d+/$"))
        page.go_back()

        expect(page.locator("[data-row]")).to_have_count(3)
        expect(page.get_by_label("Customer", exact=True)).to_have_value("northwind-robotics")

    def test_work_without_a_script(self, arrive: Arrive) -> None:
        ordinary_day()
        visitor = arrive()

        page = visitor.go("/items/?state=waiting-for-customer&customer=northwind-robotics")

        expect(page.locator("[data-row]")).to_have_count(3)


class TestLive:
    def test_numbers_change_without_a_reload(self, arrive: Arrive) -> None:
        connection = ScheduleFactory.create().connection
        make_item(connection, "queued")
        page = arrive().go("/")
        page.evaluate("window.stillTheSamePage = true")
        needs_person = page.locator("#queue-needs-a-person .num")
        expect(needs_person).to_have_text("0")

        make_item(connection, "broken")

        expect(needs_person).to_have_text("1")
        assert page.evaluate("window.stillTheSamePage")

    def test_an_unchanged_part_is_left_alone(self, arrive: Arrive) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        page = arrive().go(f"/items/{item.pk}/")  # the overview has a new column every hour

        with page.expect_response(lambda answer: "version=" in answer.url) as poll:
            page.wait_for_timeout(100)

        assert poll.value.status == 204
        assert poll.value.request.headers["x-live-poll"] == "1"

    def test_focus_stays_where_it_was_when_a_part_is_swapped(self, arrive: Arrive) -> None:
        connection = ScheduleFactory.create(connection__slug="harbor").connection
        keep_up(now=now())
        page = arrive().go("/customers/")
        page.keyboard.press("j")

        with page.expect_response(lambda answer: answer.status == 200 and "version=" in answer.url):
            make_item(connection, "broken")
            keep_up(now=now())

        expect(page.locator("#customer-harbor")).to_be_focused()

    def test_a_part_is_not_swapped_between_press_and_release(self, arrive: Arrive) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        page = arrive().go(f"/items/{item.pk}/")
        page.get_by_role("button", name="Retry now").hover()
        page.mouse.down()

        handling.tag([item.pk], tag="vip", actor="tomas")
        with page.expect_response(lambda answer: answer.status == 200 and "version=" in answer.url):
            page.evaluate("htmx.trigger('#item', 'poll')")
        page.mouse.up()

        expect(page.get_by_text("Queued again.")).to_be_visible()

    def test_a_retry_shows_on_the_timeline(self, arrive: Arrive) -> None:
        item = make_item(ConnectionFactory.create(), "failed")
        page = arrive().go(f"/items/{item.pk}/")

        page.get_by_role("button", name="Retry now").click()

        expect(page.get_by_text("Queued again.")).to_be_visible()
        assert SyncItem.objects.get(pk=item.pk).state == "READY"


class TestPausing:
    def test_pauses_and_resumes_by_keyboard_alone(self, arrive: Arrive) -> None:
        connection = ScheduleFactory.create(connection__slug="harbor").connection
        page = arrive("manager").go("/customers/harbor/")

        page.get_by_role("link", name="Pause").focus()
        page.keyboard.press("Enter")
        page.get_by_label("What", exact=True).focus()
        page.keyboard.type("Bills")
        page.keyboard.press("Tab")
        page.keyboard.type("Audit until Monday.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Paused: bills.")).to_be_visible()
        assert pauses.standing(connection)[0].object_type == "bill"

        page.get_by_label("Why it goes on").focus()
        page.keyboard.type("The audit is over.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Resumed: bills.")).to_be_visible()
        assert pauses.standing(connection) == []

    def test_a_form_without_a_reason_says_what_is_missing(self, arrive: Arrive) -> None:
        ScheduleFactory.create(connection__slug="harbor")
        visitor = arrive()
        page = visitor.go("/customers/harbor/pauses/?type=bill")
        page.evaluate("document.querySelectorAll('[required]').forEach(f => f.required = false)")

        page.get_by_role("button", name="Pause", exact=True).click()

        expect(page.get_by_text("Say in a few words why.")).to_be_visible()
        expect(page.get_by_label("What", exact=True)).to_have_value("bill")
        assert visitor.faults() == []


def seconds_of(clock: str) -> int:
    """Of a clock as it is shown, as 2:59."""
    minutes, seconds = re.fullmatch(r"(\d):(\d\d)", clock).groups()  # type: ignore[union-attr]
    return 60 * int(minutes) + int(seconds)


class TestSyncButton:
    def test_counts_down_by_the_second(self, arrive: Arrive) -> None:
        connection = ScheduleFactory.create(connection__slug="harbor").connection
        press = SyncRequestFactory.create(connection=connection, requested=3)
        page = arrive().go(f"/customers/harbor/sync-requests/{press.pk}/")
        clock = page.locator("[data-relative=countdown]").first
        first = clock.text_content() or ""
        assert 120 < seconds_of(first) <= 180

        expect(clock).not_to_have_text(first)

        assert 0 < seconds_of(clock.text_content() or "") < seconds_of(first)

    def test_answers_appear_while_one_looks(self, arrive: Arrive) -> None:
        connection = ScheduleFactory.create(connection__slug="harbor").connection
        press = SyncRequestFactory.create(connection=connection, requested=3)
        page = arrive().go(f"/customers/harbor/sync-requests/{press.pk}/")

        press.succeeded, press.state = 3, press.State.ANSWERED
        press.last_ack_at = press.received_at + timedelta(seconds=61)
        press.save()

        expect(page.get_by_text("Every row was answered in time.")).to_be_visible()
        expect(page.locator("[data-relative=countdown]")).to_have_count(0)


class TestFiles:
    def test_one_is_tried_again_on_its_own(self, arrive: Arrive) -> None:
        item = make_item(ConnectionFactory.create(), "done")
        file = AttachmentFactory.create(item=item, failed=True)
        page = arrive().go(f"/items/{item.pk}/")

        page.get_by_role("button", name="Try again to attach Receipt").click()

        expect(page.get_by_text("The file is tried again. Its document")).to_be_visible()
        file.refresh_from_db()
        assert file.state == "due"


class TestTheme:
    def test_follows_the_system_until_somebody_chooses(self, arrive: Arrive) -> None:
        page = arrive(theme="dark").go("/")
        html = page.locator("html")
        expect(html).to_have_attribute("data-bs-theme", "dark")

        page.get_by_label("Switch between light and dark").click()
        expect(html).to_have_attribute("data-bs-theme", "light")
        page.reload()

        expect(html).to_have_attribute("data-bs-theme", "light")


def test_an_id_is_copied_whole(arrive: Arrive) -> None:
    item = make_item(ConnectionFactory.create(), "done")
    visitor = arrive()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.go(f"/items/{item.pk}/")

    page.get_by_role("button", name=f"Copy Ramp id {item.ramp_id}").click()

    expect(page.locator("#announcer")).to_contain_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(item.ramp_id)


def test_what_a_merchant_is_called_never_becomes_markup(arrive: Arrive) -> None:
    evil = '<img src=x onerror="window.hurt=1"><b hx-get="/">'
    names = dict.fromkeys(("label", "memo", "person", "error_title", "error_text"), evil)
    item = make_item(ConnectionFactory.create(name=evil), "failed", names)
    visitor = arrive()

    for path in ("/", "/customers/", "/items/", f"/items/{item.pk}/", "/search?q=<img"):
        page = visitor.go(path)
        assert page.locator("main img").count() == 0, path
        assert not page.evaluate("window.hurt"), path
    assert visitor.complaints == []
