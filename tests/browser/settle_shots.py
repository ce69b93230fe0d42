"""Pictures of what people settle, and of why something is not here."""

from collections.abc import Iterator

from playwright.sync_api import Page

from tests.browser.screens import Shot


def _open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details.settle-act').forEach(d => d.open = true)")


def _bundle(page: Page) -> None:
    page.locator("#bundle").click()
    page.wait_for_selector(".bundle")


def _reveal(page: Page) -> None:
    page.locator("#reveal").click()
    page.wait_for_selector("pre.code-block")


def shots(slug: str) -> Iterator[Shot]:
    """Of the world of one customer."""
    from syncing.models import SyncItem

    yield Shot(f"uncertain-{slug}", "/uncertain/")
    for item in SyncItem.objects.filter(connection__slug=slug).order_by("pk"):
        name = item.label.split(" ", maxsplit=1)[0].lower()[:12]
        yield Shot(f"settle-{slug}-{name}", f"/items/{item.pk}/")
    if slug != "harbor":
        return
    first = SyncItem.objects.filter(label="Toast").get()
    yield Shot("settle-open", f"/items/{first.pk}/", before=_open_all)
    retried = SyncItem.objects.filter(label="Digi-Key").get()
    yield Shot("attempts", f"/items/{retried.pk}/attempts/")
    yield Shot("attempts-one", f"/items/{first.pk}/attempts/")
    yield Shot("bundle", f"/items/{retried.pk}/", before=_bundle)
    yield Shot("revealed", f"/items/{retried.pk}/", before=_reveal)
    yield from _why_not_shots()


def _why_not_shots() -> Iterator[Shot]:
    id_ = "00000000-0000-4000-8000-0000000000"
    yield Shot("why-not", "/why-not/")
    yield Shot("why-not-nonsense", "/why-not/?q=INV-204")
    yield Shot("why-not-stranger", f"/why-not/?q={id_}a9&customer=harbor&type=bill")
    yield Shot("why-not-half", f"/why-not/?q={id_}a9")
    yield Shot("why-not-answer", f"/why-not/?q={id_}a1&customer=harbor&type=transaction")
    yield Shot("why-not-asking", f"/why-not/?q={id_}a2&customer=harbor&type=bill")


def empty_shots() -> Iterator[Shot]:
    yield Shot("uncertain-none", "/uncertain/")
