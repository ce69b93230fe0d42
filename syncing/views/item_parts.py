"""What one item's page is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from connections import queries as connection_queries
from syncing import pauses
from syncing.models import ItemEvent, Pause, SyncItem
from syncing.queries import comparisons
from syncing.queries import items as item_queries
from syncing.queries import related as related_queries
from syncing.queries.words import Word, word_for
from syncing.states import ItemState
from syncing.views import item_files, payloads, ramp_object, three_way, timeline
from syncing.views.booked import booked_document

CREDIT_IS_DONE = "In the ERP. Ramp keeps no sync state of vendor credits."


def context(item: SyncItem, events: Sequence[ItemEvent], now: datetime) -> dict[str, Any]:
    """Everything the templates `syncing/item.html` and its part show."""
    row = item_queries.ItemRow(item, word_for(item, now))
    payload = getattr(item, "payload", None)
    ramp = ramp_object.read(item.object_type, payload.ramp if payload else {})
    document = booked_document(item, payload.document) if payload and payload.document else None
    others = related_queries.related(item, ramp.links)
    agreed_at = comparisons.agreed_at(item)
    return {
        "item": item,
        "row": row,
        "meaning": _meaning(row),
        "connection": item.connection,
        "entity": connection_queries.entity_name(item.connection_id, item.entity_ramp_id),
        "comparisons": three_way.compare(row, ramp, document, agreed_at),
        "document": document,
        "is_booked_otherwise": three_way.is_booked_otherwise(item),
        "coded_lines": ramp.lines,
        "facts": ramp.facts,
        "files": item_files.files_of(item),
        "moments": list(timeline.moments(item, events)),
        "can_retry": (item.state == ItemState.FAILED or row.word == Word.RETRYING)
        and not row.is_waiting,
        "waits_for_proof": row.word == Word.UNCERTAIN,
        "waits_for": related_queries.waits_for(item, others),
        "paused": _pause_of(item),
        "shown_in_ramp": item.failure_telling == SyncItem.Telling.TOLD,
        "payloads": payloads.shown(item),
        "others": others,
    }


def _meaning(row: item_queries.ItemRow) -> str:
    is_credit = row.item.object_type == SyncItem.ObjectType.VENDOR_CREDIT
    return CREDIT_IS_DONE if is_credit and row.word == Word.DONE else row.look.meaning


def _pause_of(item: SyncItem) -> Pause | None:
    """The pause that keeps a queued item where it is."""
    if item.state != ItemState.READY:
        return None
    for pause in pauses.standing(item.connection):
        if pause.object_type in ("", item.object_type):
            return pause
    return None
