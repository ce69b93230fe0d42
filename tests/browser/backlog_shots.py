"""The managers' page, for `./run screens`."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("backlog-empty", "/backlog/", before=_loaded)


def shots() -> Iterator[Shot]:
    yield Shot("backlog", "/backlog/", before=_loaded)
    far = "/backlog/?period=400d&measure=amount&weight=minutes"
    yield Shot("backlog-400d", far, before=_loaded)
    yield Shot("backlog-customer", "/backlog/?customer=harbor-coffee&period=7d", before=_loaded)
    yield Shot("backlog-tables", "/backlog/", before=_tables)
    yield Shot("backlog-wall", "/backlog/?wall=1")


def point_shots() -> Iterator[Shot]:
    yield Shot("backlog-point", "/backlog/", before=_loaded)


def long_shots() -> Iterator[Shot]:
    yield Shot("backlog-long", "/backlog/", before=_loaded)


def _loaded(page: Page) -> None:
    """The parts that load by themselves are there."""
    for part in ("worst", "team", "in-flight"):
        page.locator(f"#{part}-title").wait_for()


def _tables(page: Page) -> None:
    _loaded(page)
    for summary in page.locator("details.as-table > summary").all():
        summary.click()
