"""Was anything synced by the old integration that would be booked by us once more?"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from pydantic import BaseModel

from connections.erp.port import ErpAdapter
from connections.erp.search import FoundDocument, Likeness, SearchableErp
from migrations_tool import backup as backups
from migrations_tool.models import ConnectionMigration, Evidence, FormerCoding
from migrations_tool.proofs import newest
from migrations_tool.work import Work
from syncing.kinds import Standing
from syncing.models import SyncItem
from syncing.settling import looks
from syncing.states import ItemState

LOOKED_AT_MOST = 200
"""Items for which the ERP is searched, the newest first."""
DISMISSED = "cutover.not_a_duplicate"
_MAY_BOOK = (
    ItemState.READY, ItemState.POSTING, ItemState.POSTED, ItemState.ACKING, ItemState.ACKED,
    ItemState.FAILED, ItemState.REVIEW,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suspect:
    """One of our items, and what seems to be the same thing, booked before."""

    item_id: int
    reference: str
    label: str
    amount: str
    why: str
    document: str = ""
    """The ERP's number of what was found there; empty if Ramp's archive says it."""
    erp_id: str = ""
    url: str = ""

    @property
    def key(self) -> str:
        return f"{self.item_id}:{self.erp_id}"


def check(work: Work) -> list[Suspect]:
    """Hold what we have booked, or would, against the archive and the ERP's own documents.

    :raises ErpError: if the ERP cannot be searched
    """
    migration = work.migration
    suspects = [*_synced_before(migration), *_credits_of_before(migration)]
    searched = _items(migration)
    suspects += _said_by_ramp(migration, searched)
    erp = work.erp
    if isinstance(erp, SearchableErp):
        for item in searched:
            work.keep()
            suspects += _in_the_erp(work.erp, item)
    dismissed = keys_dismissed(migration)
    once = {one.key: one for one in suspects}
    open_ones = [one for one in once.values() if one.key not in dismissed]
    work.evidence(
        "cutover.duplicates",
        _told(len(searched), len(open_ones), can_search=isinstance(erp, SearchableErp)),
        is_good=not open_ones,
        counts={"searched": len(searched), "suspects": len(open_ones)},
        result={"suspects": [asdict(one) | {"key": one.key} for one in open_ones]},
    )
    return open_ones


def keys_dismissed(migration: ConnectionMigration) -> set[str]:
    """What somebody has looked at and found to be two things."""
    found = Evidence.objects.filter(migration=migration, code=DISMISSED)
    return {str(inputs.get("key", "")) for inputs in found.values_list("inputs", flat=True)}


def open_items(migration: ConnectionMigration) -> set[int]:
    """Items of which somebody has still to say whether they were booked before."""
    found = newest(migration, "cutover.duplicates")
    return {int(one["item_id"]) for one in found.result["suspects"]} if found else set()


def _told(searched: int, open_ones: int, *, can_search: bool) -> str:
    where = f"the ERP was searched for {searched:,}" if can_search else "the ERP cannot be searched"
    if not open_ones:
        return f"No duplicates: none of ours was synced before, and {where}."
    seem = "1 seems" if open_ones == 1 else f"{open_ones:,} seem"
    return f"{seem} to have been booked before, by another. Look at each below."


def _items(migration: ConnectionMigration) -> list[SyncItem]:
    found = SyncItem.objects.filter(
        connection_id=migration.connection_id, state__in=_MAY_BOOK
    ).select_related("payload", "connection")
    return list(found.order_by("-ready_at", "-pk")[:LOOKED_AT_MOST])


def _synced_before(migration: ConnectionMigration) -> Iterator[Suspect]:
    archive = backups.latest(migration)
    if archive is None:
        return
    synced = FormerCoding.objects.filter(backup=archive, standing=Standing.SYNCED)
    items = SyncItem.objects.filter(connection_id=migration.connection_id, state__in=_MAY_BOOK)
    for object_type in SyncItem.ObjectType.values:
        ids = synced.filter(object_type=object_type).values("ramp_id")
        for item in items.filter(object_type=object_type, ramp_id__in=ids)[:LOOKED_AT_MOST]:
            why = "The old integration had synced it before the backup."
            yield Suspect(item.pk, item.reference, item.label, str(item.money), why)


def _credits_of_before(migration: ConnectionMigration) -> Iterator[Suspect]:
    """Ramp keeps no sync state of vendor credits (R-48) and gives us all that there ever were: of
    those that the archive has, nobody knows whether the old integration has booked them.
    """
    archive = backups.latest(migration)
    if archive is None:
        return
    of = SyncItem.ObjectType.VENDOR_CREDIT
    kept = FormerCoding.objects.filter(backup=archive, object_type=of).values("ramp_id")
    items = SyncItem.objects.filter(
        connection_id=migration.connection_id,
        object_type=of,
        state__in=_MAY_BOOK,
        ramp_id__in=kept,
    )
    for item in items.order_by("-ready_at", "-pk")[:LOOKED_AT_MOST]:
        why = (
            "It is from before the switch, and Ramp does not say of vendor credits whether they"
            " were synced. Look in the ERP; if it is there, mark it as handled outside."
        )
        yield Suspect(item.pk, item.reference, item.label, str(item.money), why)


def _said_by_ramp(migration: ConnectionMigration, items: Sequence[SyncItem]) -> Iterator[Suspect]:
    """What Ramp gave us as ready although it says when it was synced: before the switch."""
    if migration.flipped_at is None:
        return
    for item in items:
        said = Synced.model_validate(item.payload.ramp).synced_at
        if said is not None and said < migration.flipped_at and item.acked_at is None:
            why = f"Ramp says it was synced on {said:%-d %b %Y, %H:%M} UTC, before the switch."
            yield Suspect(item.pk, item.reference, item.label, str(item.money), why)


class Synced(BaseModel):
    """When an object was synced, as Ramp says it."""

    synced_at: datetime | None = None


def _in_the_erp(erp: ErpAdapter, item: SyncItem) -> Iterator[Suspect]:
    assert isinstance(erp, SearchableErp)
    wanted = looks.wanted(item)
    if wanted.day is None:
        return
    likeness = Likeness(
        looks.document_kind(item),
        wanted.amount,
        wanted.currency,
        wanted.day,
        looks.AROUND,
        wanted.party_id,
        wanted.supplier_number if wanted.party_id else "",
    )
    for document in erp.documents_like(likeness):
        if not document.ref:  # what carries a reference of ours is ours
            yield _suspect(item, document)


def _suspect(item: SyncItem, document: FoundDocument) -> Suspect:
    number = document.number or document.erp_id
    return Suspect(
        item.pk,
        item.reference,
        item.label,
        str(item.money),
        f"The ERP has {number} over {document.total:,f} {document.currency}"
        f"{_on(document.posting_date)}, and it is not ours.",
        number,
        document.erp_id,
        document.url,
    )


def _on(day: date | None) -> str:
    return f" of {day:%-d %b %Y}" if day else ""
