"""Whether `faults.js` still sees what cannot be read, now that it weighs each likeness once."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import WCAG, Arrive, Visitor

ALL = (
    "async (rules) => (await axe.run(document, {...rules, resultTypes: ['violations']})).violations"
)


def draw(visitor: Visitor, body: str) -> None:
    visitor.go("/accounts/login/")
    visitor.page.evaluate("(body) => { document.querySelector('main').innerHTML = body }", body)


def paint(visitor: Visitor, selector: str, **how: str) -> None:
    """From a script: the page's policy refuses styles in its text."""
    visitor.page.evaluate(
        "([of, how]) => document.querySelectorAll(of).forEach((one) =>"
        " Object.entries(how).forEach(([name, value]) => one.style.setProperty(name, value)))",
        [selector, {name.replace("_", "-"): value for name, value in how.items()}],
    )


@pytest.fixture
def page(arrive: Arrive) -> Visitor:
    """Five lines of which each was found to be readable."""
    visitor = arrive("")
    lines = "".join(f"<p id='line-{n}'>Nobody knows what became of it.</p>" for n in range(5))
    draw(visitor, f"<h1>Lines</h1>{lines}<div id='veil'></div>")
    expect(visitor.page.locator("#line-4")).to_be_visible()
    assert visitor.faults() == []
    assert visitor.faults() == []
    return visitor


@pytest.mark.parametrize(
    "how",
    [
        {"color": "#bbb"},
        {"background": "#666"},
        {"opacity": "0.3"},
        {"color": "#8a8a8a", "font_size": "15px"},
    ],
)
def test_one_line_among_its_like(page: Visitor, how: dict[str, str]) -> None:
    paint(page, "#line-3", **how)

    found = page.faults()

    assert [fault.split(":")[0] for fault in found] == ["color-contrast"]
    assert "#line-3" in found[0]


def test_what_lies_behind_text_without_being_around_it(page: Visitor) -> None:
    paint(page, "main", position="relative", z_index="0")
    paint(page, "#veil", position="absolute", inset="0", background="#555", z_index="-1")
    assert len(page.faults()) >= 5

    paint(page, "#veil", pointer_events="none")
    assert len(page.faults()) >= 5


def test_large_text_is_no_excuse_for_small(page: Visitor) -> None:
    paint(page, "#line-1", color="#8a8a8a", font_size="32px")
    assert page.faults() == []  # large enough for its colour

    paint(page, "#line-2", color="#8a8a8a")
    assert "#line-2" in "".join(page.faults())


def test_finds_what_all_rules_at_once_find(page: Visitor) -> None:
    paint(page, "#line-1, #line-4", color="#aaa")
    page.page.evaluate("document.querySelector('#line-2').innerHTML = '<button></button>'")
    large = "".join(f"<button id='large-{n}'>Look</button>" for n in range(2))
    page.page.evaluate("(all) => { document.querySelector('#line-0').innerHTML = all }", large)
    paint(page, "#large-0, #large-1", width="60px", height="30px", padding="0")
    paint(page, "#large-1", margin_left="-50px")

    found = page.faults()

    told = {
        (fault["id"], str(node["target"]))
        for fault in page.page.evaluate(ALL, WCAG)
        for node in fault["nodes"]
    }
    assert {
        (fault.split(": ")[0], fault.split(": ")[1].split("] ")[0] + "]") for fault in found
    } == told
    assert {rule for rule, _ in told} == {"color-contrast", "button-name", "target-size"}
    assert ("target-size", "['#large-0']") in told
