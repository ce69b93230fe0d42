"""The close board, months, snapshots and card statements, for `./run screens`."""

from collections.abc import Iterator

from syncing.models import CloseSnapshot
from tests.browser import close_stories
from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("close-empty", "/close/")
    yield Shot("snapshots-empty", "/close/snapshots/")


def shots() -> Iterator[Shot]:
    """Of what `close_stories.closing` makes."""
    month = f"{close_stories.period():%Y-%m}"
    yield Shot("close-board", "/close/")
    yield Shot("close-board-none", "/close/?q=nobody")
    for slug in ("northwind", "flagged", "clean", "ready"):
        yield Shot(f"close-month-{slug}", f"/customers/{slug}/close/{month}/")
    yield Shot("close-month-nothing", "/customers/clean/close/2025-01/")
    yield Shot("close-snapshots", "/close/snapshots/")
    for one in CloseSnapshot.objects.order_by("pk")[:3]:
        yield Shot(
            f"close-snapshot-{one.connection_id and one.pk}", f"/close/snapshots/{one.name}/"
        )
    yield Shot("statements", "/customers/northwind/statements/")
    yield Shot("statements-none", "/customers/clean/statements/")
    yield Shot("statement", f"/customers/northwind/statements/{_statement()}/")


def long_shots() -> Iterator[Shot]:
    """Of what `close_stories.long_names` makes."""
    month = f"{close_stories.period():%Y-%m}"
    yield Shot("close-board-long", "/close/")
    yield Shot("close-month-long", f"/customers/long/close/{month}/")
    yield Shot("statement-long", f"/customers/long/statements/{_statement()}/")


def _statement() -> int:
    return close_stories.newest_statement().pk
