"""What the pages look like on which people act."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.screens import Shot


def _open_drawer(page: Page) -> None:
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator("#drawer-item").wait_for()


def _open_filters(page: Page) -> None:
    page.locator("#more-filters").click()


def _save_view(page: Page) -> None:
    page.locator("#save-view").click()


def shots() -> Iterator[Shot]:
    from syncing.models import Job

    ticked = "state=waiting-for-customer"
    yield Shot("acting-ticked", f"/items/?{ticked}")
    yield Shot("acting-items", "/items/?state=open")
    yield Shot("acting-filters", "/items/?state=open&customer=harbor-coffee", before=_open_filters)
    yield Shot("acting-save-view", "/items/?state=open", before=_save_view)
    yield Shot("acting-drawer", f"/items/?{ticked}", before=_open_drawer)
    yield Shot("acting-preview", f"/jobs/new?act=retry&scope=ticked&{ticked}")
    yield Shot("acting-preview-all", "/jobs/new?act=retry&state=all")
    yield Shot("acting-preview-snooze", f"/jobs/new?act=snooze&{ticked}")
    yield Shot("acting-preview-none", "/jobs/new?act=retry&q=nobody")
    yield Shot("acting-jobs", "/jobs/")
    for job in Job.objects.order_by("asked_at"):
        yield Shot(f"acting-job-{job.act}-{job.state}", f"/jobs/{job.pk}/")
    yield Shot("acting-views", "/views/")
