"""Pictures of what is each step's own, of the customer's pages, and of what is written down."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from django.contrib.auth import get_user_model

from migrations_tool.models import ConnectionMigration, OldRecord, RehearsedObject
from migrations_tool.rehearsal import reporting
from tests.browser import (
    migration_archive_stories,
    migration_first_steps_stories,
    migration_last_steps_stories,
    migration_mapping_stories,
    migration_newcomer_stories,
)
from tests.browser.screens import Shot

Story = Callable[[], None]
Shots = Callable[[], Iterator[Shot]]
PEOPLE = ("ines", "sam")
"""Stories make their own."""
NEWCOMER = ("connection", "preload", "settings")
ARCHIVE = {"all": "", "found": "?q=uline", "none": "?q=nobody"}


def chapters() -> Iterator[tuple[Story, Shots]]:
    """Each story of the steps, with the pictures that are taken of it."""
    first, archive = migration_first_steps_stories, migration_archive_stories
    mapping, newcomer = migration_mapping_stories, migration_newcomer_stories
    last = migration_last_steps_stories
    for story in (first.nobody_looked, first.looked_at, first.long_names):
        yield _chapter("mig-first", story, partial(_steps, pages=first.STEPS))
    for story in (archive.nothing_yet, archive.under_way, archive.done, archive.long_names):
        yield _chapter("mig-archive", story, _archive)
    for story in (newcomer.nothing_yet, newcomer.under_way, newcomer.done):
        yield _chapter("mig-newcomer", story, partial(_steps, pages=NEWCOMER))
    for story in (mapping.nobody_looked, mapping.half_decided, mapping.signed, mapping.long_names):
        yield _chapter("mig-mapping", story, _mapping)
    for story, pages in (
        (last.waiting, ("flip", "links")),
        (last.elsewhere, ("flip",)),
        (last.taken_back, ("flip",)),
        (last.canaries, ("cutover",)),
        (last.hypercare, ("hypercare",)),
        (last.finished, ("hypercare", "hypercare/report")),
    ):
        yield _chapter("mig-last", story, partial(_steps, pages=pages))
    yield _customers_pages()


def _chapter(
    subject: str,
    story: Callable[[], ConnectionMigration],
    pages: Callable[[ConnectionMigration], Iterator[tuple[str, str]]],
) -> tuple[Story, Shots]:
    told: list[ConnectionMigration] = []

    def shots() -> Iterator[Shot]:
        for name, path in pages(told[-1]):
            yield Shot(f"{subject}-{story.__name__}-{name}", path)

    def tell() -> None:
        get_user_model().objects.filter(username__in=PEOPLE).delete()
        told.append(story())

    return tell, shots


def _customers_pages() -> tuple[Story, Shots]:
    paths: list[str] = []

    def story() -> None:
        paths.extend(migration_last_steps_stories.shared()[1])

    def shots() -> Iterator[Shot]:
        for name, path in zip(("follow", "rules", "sign"), paths, strict=True):
            yield Shot(f"mig-customer-{name}", path, signed_in=False)
        yield Shot("mig-customer-expired", "/m/nobody-has-this/", signed_in=False)

    return story, shots


def _steps(found: ConnectionMigration, pages: Sequence[str]) -> Iterator[tuple[str, str]]:
    for page in pages:
        yield page.replace("/", "-"), f"/migrations/{found.pk}/{page}/"


def _archive(found: ConnectionMigration) -> Iterator[tuple[str, str]]:
    yield from _steps(found, migration_archive_stories.STEPS)
    for name, query in ARCHIVE.items():
        yield f"codings-{name}", f"/former-codings/{query}"


def _mapping(found: ConnectionMigration) -> Iterator[tuple[str, str]]:
    home = f"/migrations/{found.pk}"
    yield "step", f"{home}/mapping/?state=all"
    yield "charts", f"{home}/mapping/charts/?change=changed"
    yield "file", f"{home}/mapping/file/"
    yield "rehearsal", f"{home}/rehearsal/?show=all"
    records = OldRecord.objects.filter(migration=found).order_by("state", "pk")
    for record in records.distinct("state"):
        yield f"record-{record.state}", f"{home}/mapping/records/{record.pk}/"
    rehearsed = RehearsedObject.objects.filter(migration=found).order_by("verdict", "pk")
    for one in rehearsed.distinct("verdict"):
        yield f"object-{one.verdict}", f"{home}/rehearsal/objects/{one.pk}/"
    if reporting.newest_report(found):
        yield "report", f"{home}/rehearsal/report/"
