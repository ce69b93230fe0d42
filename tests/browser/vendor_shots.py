"""The vendor pages, for `./run screens`."""

from collections.abc import Iterator

from playwright.sync_api import Page

from connections.models import Connection, RampVendor
from tests.browser import vendor_stories
from tests.browser.screens import Shot


def _tick_two(page: Page) -> None:
    boxes = page.locator("input.pick")
    for number in range(boxes.count()):
        if boxes.nth(number).is_checked():
            return  # the session still knows
    for number in range(min(2, boxes.count())):
        boxes.nth(number).check()
        page.get_by_text(f"{number + 1} ticked").wait_for()


def shots(slug: str) -> Iterator[Shot]:
    """Of one customer with vendors."""
    connection = Connection.objects.get(slug=slug)
    home = f"/customers/{slug}/vendors/"
    yield Shot(f"vendors-{slug}-unlinked", home, before=_tick_two)
    for tab in ("all", "duplicates", "changes", "conflicts"):
        yield Shot(f"vendors-{slug}-{tab}", f"{home}?tab={tab}")
    yield Shot(f"vendors-{slug}-preview", f"{home}link?exact=1")
    yield Shot(f"vendors-{slug}-identity", f"{home}2001/")
    yield Shot(f"vendors-{slug}-merged", f"{home}2002/")
    alone = RampVendor.objects.filter(connection=connection, linked_erp_id="").first()
    if alone:
        yield Shot(f"vendors-{slug}-alone", f"{home}{alone.ramp_id}/?q=c")
    batch = vendor_stories.link_batch(connection)
    yield Shot(f"vendors-{slug}-links", f"{home}links/{batch}/")
