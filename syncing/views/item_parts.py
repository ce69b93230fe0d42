"""What one item's page is made of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from syncing import pauses
from syncing.models import Handling, ItemEvent, Pause, SyncItem
from syncing.queries import item_page
from syncing.queries import items as item_queries
from syncing.queries import related as related_queries
from syncing.queries.health import silence
from syncing.queries.uncertain import case_of
from syncing.queries.words import Word, word_for
from syncing.states import ItemState
from syncing.views import (
    item_files,
    item_links,
    item_steps,
    payloads,
    ramp_object,
    settle_box,
    three_way,
    timeline,
)
from syncing.views.booked import booked_document

CREDIT_IS_DONE = "In the ERP. Ramp keeps no sync state of vendor credits."
_ASKS_FOR_FILES = frozenset({ItemState.POSTED, ItemState.ACKING, ItemState.ACKED})
_WITH_RECEIPTS = frozenset({"transaction", "reimbursement"})


def context(
    request: HttpRequest, item: SyncItem, events: Sequence[ItemEvent], now: datetime
) -> dict[str, Any]:
    """Everything the templates `syncing/item.html` and its part show."""
    row = item_queries.ItemRow(item, word_for(item, now))
    payload = getattr(item, "payload", None)
    ramp = ramp_object.read(item.object_type, payload.ramp if payload else {})
    document = booked_document(item, payload.document) if payload and payload.document else None
    others = related_queries.related(item, ramp.links)
    agreed_at = item_page.agreed_at(item)
    steps = list(item_steps.steps(item, events, document, agreed_at))
    box = settle_box.box_of(case_of(item, now=now, events=events), request.user, now)
    return {
        "item": item,
        "row": row,
        "meaning": _meaning(row),
        "connection": item.connection,
        "entity": getattr(item, "entity_name", "") or "",
        "comparisons": three_way.compare(row, ramp, document, agreed_at),
        "amounts": three_way.amounts(item, ramp, document, agreed_at),
        "document": document,
        "is_booked_otherwise": three_way.is_booked_otherwise(item),
        "coded_lines": ramp.lines,
        "facts": ramp.facts,
        "files": item_files.files_of(item) if getattr(item, "has_files", True) else [],
        "moments": list(timeline.moments(item, events, steps)),
        "can_retry": (item.state == ItemState.FAILED or row.word == Word.RETRYING)
        and not (row.is_waiting or box.case.pending or box.case.mark),
        "waits_for_proof": row.word == Word.UNCERTAIN,
        "waits_for": related_queries.waits_for(item, others),
        "paused": _pause_of(item),
        "silence": _silence(item),
        "shown_in_ramp": item.failure_telling == SyncItem.Telling.TOLD,
        "payloads": payloads.shown(item),
        "others": others,
        "box": box,
        "back": request.path,
        "handling": _handling(item),
        "links": item_links.links_of(item),
        "has_attempts": any(event.kind == ItemEvent.Kind.SENT for event in events),
        "may_ask_for_files": item.state in _ASKS_FOR_FILES and item.object_type in _WITH_RECEIPTS,
    }


def _meaning(row: item_queries.ItemRow) -> str:
    is_credit = row.item.object_type == SyncItem.ObjectType.VENDOR_CREDIT
    return CREDIT_IS_DONE if is_credit and row.word == Word.DONE else row.look.meaning


def _handling(item: SyncItem) -> Handling | None:
    """Who cares for it; loaded with the item. Most items have no row."""
    found: Handling | None = getattr(item, "handling", None)
    return found


def _silence(item: SyncItem) -> str:
    """Why one that is on its way to the ERP waits, if the ERP's server lets requests hang."""
    since: datetime | None = getattr(item, "host_silent_since", None)
    if since is None or item.state not in (ItemState.READY, ItemState.POSTING):
        return ""
    return silence(item.connection.erp_name, since)


def _pause_of(item: SyncItem) -> Pause | None:
    """The pause that keeps a queued item where it is."""
    if item.state != ItemState.READY:
        return None
    for pause in pauses.standing(item.connection):
        if pause.object_type in ("", item.object_type):
            return pause
    return None
