"""Read what is to be kept, page by page; whoever dies loses the page that was under way."""

from collections.abc import Iterable, Set
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from connections.ramp.errors import InvalidRequest, NotFound
from connections.ramp.pages import Page
from connections.ramp.schemas import decode
from migrations_tool.backup import codings, lists, parts
from migrations_tool.backup.raw_records import record_texts
from migrations_tool.backup.restored import unreadable
from migrations_tool.models import Backup
from migrations_tool.wizard import Refused
from migrations_tool.work import Work


@dataclass
class Place:
    """Where a backup's reading is, as the run keeps it for whoever goes on."""

    backup: str
    part: str = "chart"
    """`chart`, then `objects`, then `proof`."""
    list_name: str = ""
    """The list that is being read; empty: the first of its part."""
    start: str | None = None
    """Where its next page starts; None: at its beginning."""
    is_at_end: bool = False
    """Its last page is kept."""
    done: int = 0
    """Records."""
    round: int = 1
    """Readings of the chart, which is read again if it changed meanwhile."""
    expected: int | None = None
    """Records that the version before had, to show how far it is."""

    def go_to(self, part: str) -> None:
        """Begin another part."""
        self.part, self.list_name, self.start, self.is_at_end = part, "", None, False

    def keep(self, work: Work) -> None:
        """To be kept by the next `progress`."""
        work.place.clear()
        work.place.update(asdict(self))


def read_chart(work: Work, backup: Backup, place: Place) -> None:
    """Keep what is missing of the chart."""
    _read(work, backup, place, lists.chart_lists(backup, work.ramp))


def read_objects(work: Work, backup: Backup, place: Place) -> None:
    """Keep what is missing of all objects."""
    _read(work, backup, place, lists.object_lists())


def _read(work: Work, backup: Backup, place: Place, wanted: Iterable[lists.List]) -> None:
    for one in wanted:
        if place.list_name not in ("", one.name):
            continue  # kept before this run was taken over
        place.list_name = one.name
        _read_list(work, backup, place, one)
        place.list_name, place.start = "", None


def _read_list(work: Work, backup: Backup, place: Place, one: lists.List) -> None:
    if place.is_at_end:
        place.is_at_end = False
        return
    pages = one.pages(work.ramp, place.start)
    while True:
        work.keep()
        page = _next(pages, one, place)
        if page is None:
            return
        _keep_page(work, backup, place, one, page)
        if page.next_cursor is None:
            place.is_at_end = False
            return


def _next(pages: lists.Pages, one: lists.List, place: Place) -> Page[Any] | None:
    try:
        return next(pages, None)
    except (InvalidRequest, NotFound) as error:
        if place.start is None:
            raise
        raise Refused(
            f"Ramp no longer knows where its list of {lists.LABELS[one.kind]} was left off."
            " Make the backup again: it is begun anew."
        ) from error


def _keep_page(work: Work, backup: Backup, place: Place, one: lists.List, page: Page[Any]) -> None:
    """A part, its codings and where the reading is come into the database together."""
    with transaction.atomic():
        place.done += keep_records(backup, one.kind, page, field=one.field)
        place.start, place.is_at_end = page.next_cursor, page.next_cursor is None
        place.keep(work)
        work.progress(place.done, _expected(place), f"Reading {lists.LABELS[one.kind]}")


def keep_records(
    backup: Backup,
    kind: str,
    page: Page[Any],
    *,
    only: Set[str] | None = None,
    field: str = "",
) -> int:
    """Keep a page as a part, and what its objects are coded to. How many records.

    :param only: Ramp's ids of those to keep; None is all of them
    :param field: of options: Ramp's id of their field
    """
    texts = record_texts(page.raw.decode())
    objects = page.items
    if only is not None:
        texts = [text for text in texts if _key(text) in only]
        objects = [it for it in objects if str(it.id) in only]
    if not texts:
        return 0
    parts.write(backup, kind, texts, field=field)
    if kind in lists.OBJECTS:
        codings.keep(backup, kind, objects)
    return len(texts)


def _key(text: str) -> str:
    """As `restored.unreadable` names it: Ramp's id, or the record's digest."""
    return unreadable(decode(text)).key


def _expected(place: Place) -> int | None:
    """As many as the version before had, if there is one; never fewer than are kept."""
    return None if place.expected is None else max(place.expected, place.done)
