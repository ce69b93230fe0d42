"""Acting on items by hand and by keyboard: ticks that last, the drawer, a job from end to end."""

from datetime import timedelta

from playwright.sync_api import Route, expect

from syncing import handling
from syncing.bulk import running
from syncing.models import Handling, Job, SyncItem
from tests.browser.conftest import THEMES, Arrive
from tests.browser.held import first_of
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, now


def test_tick_forty_rows_let_the_list_poll_page_twice_still_forty_selected(
    arrive: Arrive,
) -> None:
    connection = ScheduleFactory.create().connection
    for n in range(120):
        SyncItemFactory.create(
            connection=connection,
            label=f"Merchant {n}",
            failed=True,
            amount_minor=100,
            ready_at=now() - timedelta(hours=200 - n),
        )
    visitor = arrive()
    page = visitor.go("/items/?state=waiting-for-customer")
    boxes = page.locator("[data-pick]")

    boxes.nth(0).check()
    boxes.nth(39).click(modifiers=["Shift"])
    expect(page.locator("#bulk-bar")).to_contain_text("40 selected of 120 matching")
    expect(page.locator("#bulk-bar")).to_contain_text("40.00")

    # What polls bring leaves rows, ticks and focus in place
    changed = SyncItem.objects.order_by("ready_at").first()
    assert changed
    handling.tag([changed.pk], tag="vip", actor="tomas")
    SyncItemFactory.create(connection=connection, failed=True, ready_at=now() - timedelta(days=30))
    expect(page.locator(f"#row-{changed.pk}")).to_contain_text("vip")
    expect(page.locator("#items-news")).to_contain_text("1 new")
    assert page.locator("[data-pick]:checked").count() == 40
    expect(boxes.nth(39)).to_be_focused()

    page.locator("#page-next").click()
    expect(page.locator("#page-first")).to_be_visible()
    page.locator("#page-next").click()
    expect(page.locator("#bulk-bar")).to_contain_text("40 selected")
    page.locator("#page-first").click()

    expect(page.locator("#bulk-bar")).to_contain_text("40 selected of 121 matching")
    assert page.locator("[data-pick]:checked").count() == 40
    assert visitor.complaints == []


def test_ticks_that_the_server_did_not_take_are_taken_back(arrive: Arrive) -> None:
    connection = ScheduleFactory.create().connection
    for n in range(2):
        SyncItemFactory.create(connection=connection, label=f"Merchant {n}", failed=True)
    visitor = arrive()
    page = visitor.go("/items/?state=waiting-for-customer")
    box = page.locator("[data-pick]").first
    page.route("**/items/tick*", lambda route: route.fulfill(status=500, body="Broken."))

    box.click()

    expect(page.locator("#announcer")).to_contain_text("did not take the ticks")
    expect(box).not_to_be_checked()
    page.unroute("**/items/tick*")
    box.check()
    expect(page.locator("#bulk-bar")).to_contain_text("1 selected of 2 matching")
    expect(box).to_be_checked()


def test_a_tick_before_the_page_is_there_counts(arrive: Arrive) -> None:
    SyncItemFactory.create(connection=ScheduleFactory.create().connection, failed=True)
    visitor = arrive()
    page, late = visitor.page, list[Route]()
    page.route("**/htmx-2*.js", lambda route: late.append(route), times=1)
    page.goto(f"{visitor.address}/items/", wait_until="commit")

    page.wait_for_function("() => document.readyState === 'interactive'", polling=50)
    page.locator("[data-pick]").check()
    assert page.evaluate("document.readyState") == "interactive"
    first_of(late, page).continue_()

    expect(page.locator("#bulk-bar")).to_contain_text("1 selected of 1 matching")
    assert visitor.complaints == []


def test_acts_on_one_row_and_on_many_by_keyboard_alone(arrive: Arrive) -> None:
    connection = ScheduleFactory.create(connection__slug="harbor").connection
    first, second, third = (
        make_item(connection, "failed", ready_at=now() - timedelta(hours=9 - n)) for n in range(3)
    )
    visitor = arrive()
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = visitor.go("/items/")
    link = page.locator(f"#item-{first.pk}")

    # One row: copy, look beside the list, tag it there, and back to the row
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#announcer")).to_contain_text(f"Copied {first.reference}")
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="One item")
    expect(drawer).to_be_visible()
    assert visitor.faults() == []
    visitor.prefer("dark")
    assert visitor.faults() == []
    page.keyboard.press("t")
    page.keyboard.type("month-end")
    page.keyboard.press("Enter")
    expect(drawer.get_by_role("status")).to_contain_text("month-end")
    expect(page.locator(f"#row-{first.pk}")).to_contain_text("month-end")
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(link).to_be_focused()

    # Retry without the drawer; the row says it, and keeps the focus
    page.keyboard.press("r")
    expect(page.locator(f"#row-{first.pk}")).to_contain_text("Queued")
    expect(link).to_be_focused()
    first.refresh_from_db()
    assert first.state == "READY"

    # Two rows: tick a range, assign them as a job
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(page.locator("#bulk-bar")).to_contain_text("2 selected of 3 matching")
    assert visitor.faults() == []
    page.keyboard.press("a")
    expect(page.get_by_role("heading", name="Assign 2 items")).to_be_visible()
    assert visitor.faults() == []
    page.locator("#confirm").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Assign to")).to_be_visible()
    running.run_next()
    expect(page.locator("#job")).to_contain_text("Every item has its result")
    assert visitor.faults() == []
    owned = Handling.objects.exclude(owner="").values_list("item_id", flat=True)
    assert set(owned) == {second.pk, third.pk}
    assert Job.objects.get().done == 2
    assert visitor.complaints == []


def test_the_help_is_complete_and_true(arrive: Arrive) -> None:
    ConnectionFactory.create()
    page = arrive().go("/items/")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    ways = page.locator("#keyboard-ways dt")
    told = [ways.nth(n).inner_text().split()[-1] for n in range(ways.count())]
    offered = page.evaluate("[...document.querySelectorAll('[data-go]')].map(a => a.dataset.go)")
    assert told == list(dict.fromkeys(offered))  # the menu of phones offers some of them, too
    assert {"c", "o", "e"} <= set(told)
    keys = page.locator("#keyboard-help kbd").all_inner_texts()
    assert {"j", "k", "x", "r", "a", "s", "t", "h", "c", "/", "?", "Enter", "Esc"} <= set(keys)


def test_views_and_jobs_are_clean_and_fit(arrive: Arrive) -> None:
    connection = ScheduleFactory.create(connection__slug="harbor").connection
    item = make_item(connection, "failed")
    visitor = arrive(width=375)
    page = visitor.go("/items/")
    page.locator("#save-view").click()
    page.get_by_label("Name of this list").fill("Everything that is open")
    page.get_by_label("Pin it to the navigation").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Everything that is open").first).to_be_visible()

    for path in ("/views/", "/jobs/", f"/jobs/new?act=snooze&ids={item.pk}", "/items/?tag=vip",
                 f"/items/{item.pk}/summary/"):  # fmt: skip
        page = visitor.go(path)
        for theme in THEMES:
            visitor.prefer(theme)
            assert visitor.faults() == [], (path, theme)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, path
    assert visitor.complaints == []
