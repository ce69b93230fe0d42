"""A new person at the support desk finds the answer to twenty questions, each in three clicks."""

from playwright.sync_api import expect

from tests.browser.conftest import Arrive
from tests.browser.support_cases import CASES, CHOOSE, CLICK, SEARCH, Case, Trail, World

CLICKS_AT_MOST = 3


def _answer(trail: Trail, case: Case) -> None:
    trail.begin()
    take = {CLICK: trail.click, CHOOSE: trail.choose, SEARCH: trail.search}
    for step, what in case.steps:
        take[step](what)
    main = trail.visitor.page.locator("main")
    for words in case.answer:
        expect(main.get_by_text(words).filter(visible=True).first).to_be_visible()
    assert trail.clicks <= CLICKS_AT_MOST


def test_support_cases(arrive: Arrive) -> None:
    World().fill()
    trail = Trail(arrive())
    assert len(CASES) == 20

    unanswered = []
    for case in CASES:
        try:
            _answer(trail, case)
        except Exception as error:  # noqa: BLE001  all of them are told at once
            unanswered.append(f"{case.question}\n  at {trail.visitor.page.url}: {str(error)[:400]}")

    assert not unanswered, "\n".join(unanswered)
    assert trail.visitor.complaints == []
