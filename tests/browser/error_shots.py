"""The error desk, for `./run screens`."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.error_stories import group_path
from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("errors-empty", "/errors/")
    yield Shot("errors-empty-resolved", "/errors/?state=resolved")


def shots() -> Iterator[Shot]:
    """Every page and form of a week at the desk."""
    yield Shot("errors", "/errors/")
    yield Shot("errors-filtered", "/errors/?category=needs_integrator")
    yield Shot("errors-none", "/errors/?q=zzz")
    yield Shot("errors-resolved", "/errors/?state=resolved")
    yield Shot("errors-group", group_path())
    yield Shot("errors-group-missing", group_path("mapping.gl_account"))
    yield Shot("errors-group-regressed", group_path("erp.rejected_payload"))
    yield Shot("errors-group-ruled", group_path("erp.unknown"))
    yield Shot("errors-group-snoozed", group_path("erp.vendor_inactive"))
    yield Shot("errors-snooze", group_path(), before=lambda page: _press(page, "s"))
    yield Shot("errors-assign", group_path(), before=lambda page: _press(page, "a"))
    yield Shot("errors-rule", f"{group_path()}rule")


def long_shots() -> Iterator[Shot]:
    yield Shot("errors-long", "/errors/")
    yield Shot("errors-long-group", group_path("ramp.unreadable"))


def _press(page: Page, key: str) -> None:
    page.keyboard.press(key)
    page.locator("#group-form form").wait_for()
