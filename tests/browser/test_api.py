"""Keys to the API in the browser: made, copied once, revoked; and the reference."""

from playwright.sync_api import expect

from connections import api_tokens
from tests.browser.conftest import Arrive
from tests.browser.looks import faults_in, wrong_with


def test_a_key_is_made_copied_and_revoked(arrive: Arrive) -> None:
    visitor = arrive("implementer")
    found = wrong_with(visitor, "/api-keys/")
    page = visitor.go("/")
    page.get_by_label("Your account").click()
    page.get_by_role("link", name="API keys").click()

    page.get_by_label("Name").fill("Nightly report")
    page.get_by_label("Retry: retry items, one or many").check()
    page.get_by_role("button", name="Make the key").click()

    key = page.locator("#key").inner_text()
    caller = api_tokens.admit(key)
    assert caller.token.scopes == ["read", "retry"]
    expect(page.get_by_role("button", name="Copy")).to_have_attribute("data-copy", key)
    found += faults_in(visitor)

    page.get_by_role("button", name="Revoke Nightly report").click()

    expect(page.get_by_text("It opens nothing any more")).to_be_visible()
    expect(page.locator("#key")).to_have_count(0)
    assert found + visitor.complaints == []


def test_the_reference_is_clean_and_its_shapes_are_a_click_away(arrive: Arrive) -> None:
    visitor = arrive("support")
    page = visitor.go("/api/")

    page.locator("summary", has_text="Answer").first.click()
    page.get_by_role("link", name="list of Item", exact=True).first.click()

    expect(page.get_by_role("heading", name="Item", exact=True)).to_be_in_viewport()
    # All entries come from one template: two of each subject look like all of them, and a page of
    # twenty screens takes axe half a minute.
    page.evaluate(
        "document.querySelectorAll('.api-call:nth-of-type(n+3)').forEach((one) => one.remove())"
    )
    assert list(faults_in(visitor)) + visitor.complaints == []
