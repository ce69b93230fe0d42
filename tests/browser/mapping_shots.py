"""The mapping pages, for `./run screens`."""

from collections.abc import Iterator

from playwright.sync_api import Page

from connections.models import ErpEntity
from tests.browser.mapping_stories import missing_mappings
from tests.browser.screens import Shot
from tests.factories import LONG_NAME, ConnectionFactory

HOME = "/customers/mapped/mappings/"
_PAGES = {
    "waiting": "",
    "choose": "edit/?kind=gl_account&id=legacy-77&field=",
    "suggestions": "suggestions/",
    "all": "all/",
    "accounts": "all/?kind=profile",
    "revisions": "revisions/",
    "revision": "revisions/3/",
    "saved": "?saved=3",
    "file": "file/",
    "copy": "copy/?source=behind",
}
_FILE = b"kind,ramp_id,erp_code\ngl_account,legacy-77,6200\ngl_account,legacy-78,nowhere\n"


def ordinary() -> None:
    """One customer whose mappings are behind, and one to copy from."""
    missing_mappings()
    missing_mappings("Harbor Coffee Roasters", "behind")
    ConnectionFactory.create(slug="unmapped", name="Blue Mesa Solar")


def long_names() -> None:
    """The same with names as long as they come."""
    missing_mappings(LONG_NAME)
    missing_mappings(LONG_NAME, "behind")
    ErpEntity.objects.update(name=LONG_NAME)


def shots() -> Iterator[Shot]:
    yield from (Shot(f"mappings-{name}", HOME + path) for name, path in _PAGES.items())
    yield Shot("mappings-preview", f"{HOME}file/", before=_upload)
    yield Shot("mappings-none", "/customers/unmapped/mappings/")


def long_shots() -> Iterator[Shot]:
    yield from (Shot(f"mappings-long-{name}", HOME + path) for name, path in _PAGES.items())


def _upload(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": "mappings.csv", "mimeType": "text/csv", "buffer": _FILE}
    )
    page.locator("#read-file").click()
    page.locator("#preview-title").wait_for()
