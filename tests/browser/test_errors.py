"""The error desk in a browser: from the list to a cause by keyboard, and what came of each act."""

import re

from playwright.sync_api import Page, expect

from syncing.models import ErrorGroup
from tests.browser.conftest import Arrive
from tests.browser.error_stories import a_week, group_path, long_week
from tests.browser.looks import BOTH, THE_OTHERS, wrong_with
from tests.factories import SyncItemFactory

CODE = "mapping.gl_account"


WHERE_THE_FOCUS_IS_NOT_SEEN = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return "nothing has the focus";
    const name = one.id || one.name || one.textContent.trim().slice(0, 40);
    const box = one.getBoundingClientRect();
    const middle = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
    const top = document.elementFromPoint(box.left + box.width / 2, middle);
    if (!top) return `${name} is out of sight`;
    if (!one.contains(top) && !top.contains(one)) return `${name} is covered by ${top.className}`;
    const drawn = (style) => style.outlineStyle !== "none" || style.boxShadow !== "none";
    const shown = drawn(getComputedStyle(one)) || drawn(getComputedStyle(one, "::after"));
    return one.matches(":focus-visible") && shown ? "" : `${name} shows no ring`;
}"""


PRESS_AS_SOON_AS_IT_IS_THERE = """(key) => {
    window.stillTheSamePage = true;
    const press = () => document.querySelector(`button[data-key="${key}"]`)?.click();
    new MutationObserver(press).observe(document.body, { childList: true, subtree: true });
}"""


class Keys:
    """The keyboard of somebody who sees nothing but where the focus is."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.lost: list[str] = []

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            expect(self.page.locator(":focus")).to_have_count(1)
            if fault := self.page.evaluate(WHERE_THE_FOCUS_IS_NOT_SEEN):
                self.lost.append(f"After {key}, {fault}.")

    def tab_to(self, selector: str) -> None:
        for _ in range(80):
            self.press("Tab")
            if self.page.evaluate("(one) => document.activeElement.matches(one)", selector):
                return
        self.lost.append(f"Tab never comes to {selector}.")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)


class TestTheDesk:
    def test_is_walked_through_by_keyboard_alone(self, arrive: Arrive) -> None:
        a_week()
        page = arrive("implementer").go("/errors/")
        titles = page.locator("[data-row] a.row-link")

        page.keyboard.press("j")
        expect(titles.first).to_be_focused()
        page.keyboard.press("j")
        page.keyboard.press("j")
        expect(titles.nth(2)).to_have_text("Tryton has no GL account called …")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(group_path(CODE)))
        expect(page.locator("#group-live")).to_be_visible()

        page.keyboard.press("a")
        expect(page.get_by_label("Whoever cares for it")).to_be_focused()
        page.keyboard.type("nobody.known")
        page.keyboard.press("Enter")
        expect(page.get_by_text("There is nobody with the user name nobody.known.")).to_be_visible()
        page.get_by_label("Whoever cares for it").fill("ana.lopes")
        page.keyboard.press("Enter")
        expect(page.locator("#group-notice")).to_be_focused()
        expect(page.get_by_text("cared for by ana.lopes")).to_be_visible()
        expect(page.locator("#announcer")).to_have_text("Assigned to ana.lopes.")

        page.keyboard.press("s")
        expect(page.get_by_label("Put off for some time")).to_be_focused()
        page.keyboard.press("ArrowDown")
        page.get_by_label("Why it can wait").focus()
        page.keyboard.type("They map it today.")
        page.keyboard.press("Enter")
        expect(page.locator("#group-notice")).to_have_text(
            "Put off until 10 more items fail with it."
        )
        expect(page.get_by_text("After 0 of 10 more items.")).to_be_visible()
        page.keyboard.press("s")
        expect(page.locator("#group-notice")).to_have_text("It is no longer put off.")

        page.get_by_role("link", name="Change the category").click()
        page.get_by_label(re.compile("Needs integrator")).check()
        page.get_by_label("Why", exact=True).fill("The chart was ours to upload.")
        page.keyboard.press("Enter")
        expect(page.get_by_text("From now on it is needs integrator.")).to_be_visible()
        expect(page.locator("#customer-text")).to_contain_text("and quote RB-")

        page.get_by_label("Comment", exact=True).fill("Uploaded it.")
        page.get_by_role("button", name="Add comment").click()
        expect(page.locator(".diary-comment").first).to_have_text("Uploaded it.")

        page.keyboard.press("r")
        expect(page).to_have_url(re.compile(r"/jobs/new\?act=retry&cause=[0-9a-f]{32}"))
        page.go_back()
        expect(page.locator("#group-live").get_by_text("Ruled by")).to_be_visible()

    def test_is_worked_with_keys_alone_at_200_percent_and_the_focus_is_always_seen(
        self, arrive: Arrive
    ) -> None:
        a_week()
        visitor = arrive()
        page = visitor.page
        page.set_viewport_size({"width": 720, "height": 450})  # 1440 by 900 at 200 %
        visitor.go("/errors/")

        keys = Keys(page)
        keys.press("j", "j", "j")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(group_path(CODE)))
        expect(page.locator("#group-live")).to_be_visible()

        keys.press("a")
        expect(page.get_by_label("Whoever cares for it")).to_be_focused()
        keys.type("ana.lopes")
        page.keyboard.press("Enter")
        expect(page.get_by_text("cared for by ana.lopes")).to_be_visible()
        expect(page.locator("#group-notice")).to_be_focused()

        keys.tab_to("textarea[name=text]")
        keys.type("They map it today.")
        keys.press("Tab")
        page.keyboard.press("Enter")
        expect(page.locator(".diary-comment").first).to_have_text("They map it today.")
        expect(page.locator("#group-notice")).to_be_focused()

        keys.press("s")
        expect(page.get_by_label("Put off for some time")).to_be_focused()
        keys.press("ArrowDown")
        keys.tab_to("[name=reason]")
        keys.type("Nothing to do before that.")
        page.keyboard.press("Enter")
        expect(page.locator("#group-notice")).to_have_text(
            "Put off until 10 more items fail with it."
        )
        expect(page.locator("#group-notice")).to_be_focused()

        page.keyboard.press("g")
        page.keyboard.press("e")
        expect(page).to_have_url(re.compile("/errors/$"))
        expect(page.locator("[data-row] a.row-link").first).to_be_visible()
        keys.press("j")
        expect(page.locator("[data-row] a.row-link").first).to_be_focused()
        assert keys.lost + visitor.complaints == []

    def test_takes_a_key_in_the_very_moment_in_which_its_button_is_drawn(
        self, arrive: Arrive
    ) -> None:
        a_week()
        page = arrive().go(group_path(CODE))
        page.evaluate(PRESS_AS_SOON_AS_IT_IS_THERE, "s")
        page.get_by_role("link", name="Snooze").click()
        page.get_by_label("Put off for some time").press("ArrowDown")
        page.get_by_label("Why it can wait").fill("They map it today.")
        page.keyboard.press("Enter")

        expect(page.locator("#group-notice")).to_have_text("It is no longer put off.")
        assert page.evaluate("window.stillTheSamePage")

    def test_shows_what_comes_and_goes_without_a_reload(self, arrive: Arrive) -> None:
        (customer, *_) = a_week()
        visitor = arrive()
        page = visitor.go(group_path(CODE))
        page.evaluate("window.stillTheSamePage = true")
        page.get_by_label("Comment", exact=True).fill("Half a sentence")

        SyncItemFactory.create(
            connection=customer,
            failed=True,
            error_code=CODE,
            error_title="Tryton has no GL account called Third.",
        )

        expect(page.locator(".kpi-value").first).to_have_text("38")
        expect(page.get_by_label("Comment", exact=True)).to_have_value("Half a sentence")
        assert page.evaluate("window.stillTheSamePage")

    def test_filters_stand_in_the_address_and_survive_the_way_back(self, arrive: Arrive) -> None:
        a_week()
        visitor = arrive()
        page = visitor.go("/errors/")

        page.get_by_label("Category").select_option("needs_integrator")
        expect(page).to_have_url(re.compile("category=needs_integrator"))
        expect(page.locator("[data-row]")).to_have_count(1)
        expect(page.locator("#hidden-count")).to_contain_text("4 open errors are hidden")
        page.locator("[data-row] a.row-link").click()
        expect(page.locator("#group-live")).to_be_visible()
        page.go_back()

        expect(page.locator("[data-row]")).to_have_count(1)
        page.get_by_role("link", name="Resolved").click()
        expect(page).to_have_url(re.compile("state=resolved"))
        assert visitor.complaints == []


class TestThePages:
    def test_are_clean_in_both_themes_and_widths(self, arrive: Arrive) -> None:
        a_week()
        visitor = arrive("implementer")
        page = visitor.page

        forms = [f"{group_path(CODE)}{form}" for form in ("assign", "snooze", "rule")]
        found = wrong_with(visitor, "/errors/", group_path(), looks=(*BOTH, *THE_OTHERS))
        found += wrong_with(visitor, *forms)
        page.set_viewport_size({"width": 720, "height": 450})  # 1440 wide at 200 %
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")

        assert found == []
        assert overflow <= 0

    def test_are_clean_with_the_longest_names_and_with_nothing(self, arrive: Arrive) -> None:
        visitor = arrive()
        found = wrong_with(visitor, "/errors/")
        long_week()
        found += wrong_with(visitor, "/errors/", group_path("ramp.unreadable"))

        assert found == []
        assert ErrorGroup.objects.count() == 1
