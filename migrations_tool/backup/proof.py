"""Prove that an archive is whole: read it back, restore it, and compare it with a second reading.

Only an archive that passed is sealed. What it is compared with is Ramp as it is now, a while after
the archive was read: people go on working, so objects may come, go and be coded anew meanwhile.
The chart must be the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import transaction

from connections.ramp.pages import Page
from connections.ramp.schemas import decode
from migrations_tool.backup import codings, lists, parts, scratch
from migrations_tool.backup.reading import keep_records
from migrations_tool.backup.restored import Restored, read, restored, unreadable
from migrations_tool.backup.scratch import Tally
from migrations_tool.models import Backup, BackupPart
from migrations_tool.wizard import Refused
from migrations_tool.work import Work

MOST_MOVED = 50
"""Objects that may have come, gone or been coded anew while the archive was read, or ..."""
MOST_MOVED_SHARE = 0.05
"""... this share of them. More than both says that the lists cannot be trusted."""


class ChartChanged(Exception):
    """Somebody changed the chart while it was read. The message says what, fit to show."""


class NotProven(Refused):
    """The archive is not what Ramp has. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What was compared."""

    tallies: Mapping[str, Tally]
    digests: Mapping[str, str]
    unreadable: int
    """Records that are kept as they came, and cannot be searched."""
    parts: int

    @property
    def counts(self) -> dict[str, int]:
        """Records of each kind, each counted once; also of kinds that have none."""
        none = dict.fromkeys((*lists.CHART, *lists.OBJECTS), 0)
        return none | {kind: tally.restored for kind, tally in self.tallies.items()}

    def sum(self, part: str) -> int:
        """Of all objects: `same`, `changed`, `gone` or `late`."""
        found = (self.tallies.get(kind, Tally()) for kind in lists.OBJECTS)
        return sum(getattr(tally, part) for tally in found)


def prove(work: Work, backup: Backup) -> Proof:
    """Restore all parts and read Ramp's lists a second time. Objects that came since are added.

    :raises ChartChanged: if the chart is another one now
    :raises NotProven: if the parts, the codings or the lists do not fit together
    """
    with scratch.scratch():
        unread, count = _restore_all(work, backup)
        _read_again(work, backup, lists.chart_lists(backup, work.ramp))
        _check_chart(scratch.tallies())
        _read_again(work, backup, lists.object_lists())
        tallies = scratch.tallies()
        _check_objects(tallies)
        digests = {kind: scratch.digest_of(kind) for kind in (*lists.CHART, *lists.OBJECTS)}
    return Proof(tallies, digests, unread, count)


def chart_digests(work: Work, backup: Backup) -> dict[str, str]:
    """Of the chart as Ramp has it now, to be compared with an archive's. Nothing is kept."""
    with scratch.scratch():
        for one in lists.chart_lists(backup, work.ramp):
            for page in _pages(work, one):
                scratch.restore(one.kind, _restored(one.kind, page))
        return {kind: scratch.digest_of(kind) for kind in lists.CHART}


def verify(work: Work, backup: Backup) -> None:
    """Read all parts of a sealed backup, and compare its checksum.

    :raises NotProven: if it is not what was sealed
    """
    for number, part in enumerate(parts.all_parts(backup), start=1):
        parts.lines_of(part)
        if number % _PARTS_AT_ONCE == 0:
            work.keep()
    if parts.checksum_of(backup) != backup.checksum:
        raise NotProven(
            f"The checksum of version {backup.number} is not the one it was sealed with."
        )


def _restore_all(work: Work, backup: Backup) -> tuple[int, int]:
    """How many records cannot be read, and how many parts there are."""
    unread = count = 0
    of = backup.parts.count()
    for count, part in enumerate(parts.all_parts(backup), start=1):
        unread += _restore(backup, part)
        if count % _PARTS_AT_ONCE == 0:
            work.progress(count, of, "Restoring the archive into a scratch store")
    return unread, count


def _restore(backup: Backup, part: BackupPart, *, is_late: bool = False) -> int:
    """One part, from the database. How many of its records cannot be read."""
    raw = [decode(line) for line in parts.lines_of(part)]
    found = [(read(part.kind, one), one) for one in raw]
    good = [one for one, _ in found if one is not None]
    bad = [unreadable(one) for record, one in found if record is None]
    if part.kind in lists.OBJECTS:
        _check_codings(backup, part, good)
    records = [*(restored(part.kind, one) for one in good), *bad]
    scratch.restore(part.kind, records, is_late=is_late)
    return len(bad)


def _check_codings(backup: Backup, part: BackupPart, objects: Sequence[Any]) -> None:
    """What is searched must be what the archive restores to; of a repeated object, the first."""
    kept = codings.kept(backup, part.kind, [str(one.id) for one in objects])
    first = {str(one.id): one for one in reversed(objects)}
    wrong = [
        given for given, one in first.items() if given not in kept or _differs(kept[given], one)
    ]
    if wrong and not _are_repeated(backup, part, wrong):
        raise NotProven(
            f"{len(wrong)} objects of part {part} restore to other codings than those that are"
            " searched. Make another version."
        )


def _differs(kept: Any, one: Any) -> bool:
    return bool(kept != codings.storable_codings(one))


def _are_repeated(backup: Backup, part: BackupPart, ids: Sequence[str]) -> bool:
    """Whether an earlier part has them too: their codings are those of their first listing."""
    found = set()
    for earlier in parts.all_parts(backup, part.kind):
        if earlier.number >= part.number:
            break
        found |= {str(decode(line).get("id")) for line in parts.lines_of(earlier)} & set(ids)
    return found == set(ids)


def _read_again(work: Work, backup: Backup, wanted: Iterable[lists.List]) -> None:
    for one in wanted:
        done = 0
        for page in _pages(work, one):
            records = _restored(one.kind, page)
            late = scratch.compare(one.kind, records)
            done += len(records)
            work.progress(done, None, f"Comparing {lists.LABELS[one.kind]} with a second reading")
            if late and one.kind in lists.OBJECTS:
                _add(backup, one, page, late)
            elif late:
                scratch.restore(one.kind, [it for it in records if it.key in late], is_late=True)


def _pages(work: Work, one: lists.List) -> lists.Pages:
    pages = one.pages(work.ramp, None)
    while True:
        work.keep()
        page = next(pages, None)
        if page is None:
            return
        yield page


def _restored(kind: str, page: Page[Any]) -> list[Restored]:
    good = (restored(kind, one) for one in page.items)
    return list(chain(good, (unreadable(one.raw) for one in page.malformed)))


def _add(backup: Backup, one: lists.List, page: Page[Any], late: set[str]) -> None:
    """Objects that came while the archive was read become one part more."""
    with transaction.atomic():
        kept = keep_records(backup, one.kind, page, only=late)
    if kept:
        newest = backup.parts.filter(kind=one.kind).order_by("-number")[0]
        _restore(backup, newest, is_late=True)


def _check_chart(tallies: Mapping[str, Tally]) -> None:
    told = [_told(kind, tallies[kind]) for kind in lists.CHART if kind in tallies]
    if changed := [words for words in told if words]:
        raise ChartChanged("; ".join(changed))


def _told(kind: str, tally: Tally) -> str:
    found = {"changed": tally.changed, "gone": tally.gone, "new": tally.late}
    words = ", ".join(f"{count} {what}" for what, count in found.items() if count)
    return f"{lists.LABELS[kind]}: {words}" if words else ""


def _check_objects(tallies: Mapping[str, Tally]) -> None:
    for kind in lists.OBJECTS:
        tally = tallies.get(kind, Tally())
        if tally.moved > max(MOST_MOVED, MOST_MOVED_SHARE * tally.restored):
            raise NotProven(
                f"A second reading of Ramp does not fit. {_told(kind, tally)}, of"
                f" {tally.restored:,}. Make the backup again at a calmer hour."
            )


_PARTS_AT_ONCE = 20
"""Parts that are read back before the run says how far it is."""
