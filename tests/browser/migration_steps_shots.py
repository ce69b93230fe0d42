"""Pictures of what is each step's own, of the customer's pages, and of what is written down."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial, wraps

from playwright.sync_api import Page

from migrations_tool.models import ConnectionMigration, OldRecord, RehearsedObject
from migrations_tool.rehearsal import reporting
from tests.browser import (
    migration_archive_stories,
    migration_first_steps_stories,
    migration_last_steps_stories,
    migration_mapping_stories,
    migration_newcomer_stories,
    migration_walk,
)
from tests.browser.screens import Shot

Story = Callable[[], object]
Shots = Callable[[], Iterator[Shot]]
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
    yield mapping.half_decided, _file_preview
    yield _customers_pages()
    for way in (migration_walk.walk, migration_walk.fresh):
        yield _nothing_before(way), partial(_on_the_way, way)


def _chapter(
    subject: str,
    story: Callable[[], ConnectionMigration],
    pages: Callable[[ConnectionMigration], Iterator[tuple[str, str]]],
) -> tuple[Story, Shots]:
    told: list[ConnectionMigration] = []

    def shots() -> Iterator[Shot]:
        for name, path in pages(told[-1]):
            yield Shot(f"{subject}-{story.__name__}-{name}", path)

    @wraps(story)
    def tell() -> None:
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


def _nothing_before(way: Callable[[], Iterator[migration_walk.Stop]]) -> Story:
    """A walk is told as it is drawn: time goes on between its pictures."""

    @wraps(way)
    def tell() -> None:
        pass

    return tell


def _on_the_way(way: Callable[[], Iterator[migration_walk.Stop]]) -> Iterator[Shot]:
    for stop in way():
        yield Shot(stop.name, stop.path, signed_in=not stop.is_the_customers)


def _file_preview() -> Iterator[Shot]:
    """What a file of decisions would do, before any of it is saved."""
    migration = ConnectionMigration.objects.get()
    yield Shot("mig-mapping-preview", f"/migrations/{migration.pk}/mapping/file/", _look_at_file)


def _look_at_file(page: Page) -> None:
    rows = b"kind,old_id,erp_id\naccount,59,6600\naccount,62,nowhere\nrow,1,2\n"
    page.locator("#file").set_input_files(
        {"name": "decisions.csv", "mimeType": "text/csv", "buffer": rows}
    )
    page.locator("#read-file").click()
    page.locator("#results-title").wait_for()


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
