"""Whether an item's page may look otherwise than before, for far less than the page costs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rampbridge.lib.statements import kept_rows
from syncing import silent_hosts
from syncing.models import SyncItem


def pulse(pk: int, *, now: datetime) -> tuple[Any, ...] | None:
    """What changes whenever the item's page may, its related items apart; None without such an
    item. One statement, of rows found by the item alone.

    When an item was last seen in one of Ramp's lists is no news: every poll says it.
    """
    found = kept_rows(
        f"""
        SELECT hashtextextended((to_jsonb(i) - 'seen_ready_at' - 'snapshot_at')::text, 0),
            i.state = 'POSTING' AND i.lease_until < %(now)s,
            (SELECT concat(count(*), max(e.id)) FROM syncing_itemevent e WHERE e.item_id = i.id),
            (SELECT hashtextextended(concat(p.ramp, p.document), 0)
             FROM syncing_itempayload p WHERE p.item_id = i.id),
            (SELECT sum(hashtextextended(f::text, 0)) FROM syncing_attachment f
             WHERE f.item_id = i.id),
            (SELECT concat(h::text, h.snoozed_until > %(now)s) FROM syncing_handling h
             WHERE h.item_id = i.id),
            (SELECT max(c.id) FROM syncing_comment c WHERE c.item_id = i.id),
            (SELECT sum(hashtextextended(l::text, 0)) FROM syncing_erplook l
             WHERE l.item_id = i.id),
            (SELECT sum(hashtextextended(s::text, 0)) FROM syncing_settlement s
             WHERE s.item_id = i.id),
            (SELECT sum(hashtextextended(m::text, 0)) FROM syncing_outsidemark m
             WHERE m.item_id = i.id),
            (SELECT sum(b.id) FROM syncing_formerdocument b WHERE b.item_id = i.id),
            (SELECT sum(hashtextextended(concat(b.id, b.state), 0))
             FROM syncing_ackbatch b WHERE b.id IN (i.ack_batch_id, i.failure_batch_id)),
            (SELECT sum(p.id) FROM syncing_pause p WHERE p.connection_id = i.connection_id
                AND p.resumed_at IS NULL AND p.object_type IN ('', i.object_type)),
            (SELECT r.id FROM syncing_reconciliation r
             WHERE r.connection_id = i.connection_id AND r.finished_at IS NOT NULL
             ORDER BY r.started_at DESC LIMIT 1),
            (SELECT count(*) FROM syncing_syncitem o
             WHERE o.connection_id = i.connection_id AND o.ramp_id = i.ramp_id),
            (SELECT count(*) FROM syncing_cardpayment c WHERE c.connection_id = i.connection_id
                AND (c.bill_ramp_id = i.ramp_id OR c.transaction_ramp_id = i.ramp_id)),
            {silent_hosts.since("i.connection_id")},
            (SELECT concat(c.name, c.stage) FROM connections_connection c
             WHERE c.id = i.connection_id)
        FROM syncing_syncitem i WHERE i.id = %(pk)s
        """,  # noqa: S608  constants of this program
        {"pk": pk, "now": now},
    )
    return found[0] if found else None


def standing_of(ids: Sequence[int]) -> list[tuple[Any, ...]]:
    """Where these related items stand, as a page of theirs compares it. No query without any."""
    if not ids:
        return []
    found = SyncItem.objects.filter(pk__in=ids).order_by("pk")
    return list(found.values_list("pk", "state", "error_category"))
