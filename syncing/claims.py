"""Take items in hand: the leases, and the intent that is durable before anything is sent.

Every outside call sits between two of these functions, each its own transaction (rule 1).
Time is the database's `now()`; worker clocks are never compared with each other. Every write by a
holder says `lease_token = mine`, so that a worker that lost its lease writes nothing (fault X12).
"""

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from connections.erp.records import Document
from syncing import circuit, pauses, silent_hosts, suspect, sync_requests
from syncing.classifier import RAMP_REFUSES
from syncing.models import SyncItem
from syncing.pace import Pace
from syncing.silent_hosts import Place
from syncing.statements import as_json, execute, from_json, rows

CHUNK = 25
LEASE_SECONDS = 90
"""How long items are a worker's. Its last call starts early enough to end within (rule 4)."""
WORK_LEASE_SECONDS = 60
"""How long a connection is a worker's, unless it says that it goes on."""
FRESH_LEASE_SECONDS = 1.0
"""Since a lease was written, in which it need not be looked at again."""
FRESH_SECONDS = 15 * 60
"""A snapshot older than this is read again before it is posted (rule 7)."""
ALONE_AFTER = 3
POISON_AFTER = 5
"""Claims without a result until an item is claimed alone, and until it is given up (rule 11)."""
LOOK_AT = 1000
"""Due items of a type that one claim looks at for some that were read recently enough."""
TYPES = tuple(SyncItem.ObjectType.values)
"""What this version can post: rows of a newer version's types or states are not touched (I8)."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One item in a worker's hands."""

    id: int
    object_type: str
    ramp_id: uuid.UUID
    entity_ramp_id: str
    body: str
    """The object as Ramp gave it, as JSON text: amounts must not become floats."""
    document: Mapping[str, Any] | None
    attempts: int
    """Posts tried for this content, the one at hand included."""
    claims: int
    doubtful: bool = False
    """Ready since before the database forgot commits, so it may be posted already (rule 12)."""
    was_absent: bool = False
    """It was looked up since its answer was lost, and not found (fault X19)."""
    seconds_left: float | None = None
    """Until nothing more may be started of the sync button's request that it is of (R-86)."""
    pays_bill: bool = False
    """A card transaction that settles bills instead of an expense (F-07)."""


@dataclass(slots=True)
class WorkLease:
    """A connection in a worker's hands, and what was known of it when the lease was written."""

    connection_id: uuid.UUID
    token: uuid.UUID
    pace: Pace = field(default_factory=Pace)
    """How fast its ERP takes documents. What its holder learns is written along with the lease."""
    may_post: bool = False
    """The ERP is not to be left alone, and Ramp can be told."""
    is_probing: bool = False
    """The ERP, or its server, has not answered well since it last stopped us: one item must do."""
    silent_host: str | None = None
    """The server of the ERP, if it left somebody without an answer (fault S8)."""
    place: Place | None = None
    """Which of the two places at that server this worker has."""
    has_canary: bool = False
    """A paused type may let one item through, see `pauses.take_canary`."""
    has_lost: bool = False
    """There are documents for `take_over_lost`."""
    written_at: float = 0.0
    """When the lease was last written, by the monotonic clock."""
    is_over: bool = False
    """It was given back."""

    @property
    def is_fresh(self) -> bool:
        """Whether what is known of the connection was read just now."""
        return time.monotonic() < self.written_at + FRESH_LEASE_SECONDS

    def take(self) -> bool:
        """Take the lease. False if another worker has it."""
        return self._write("work_lease_until IS NULL OR work_lease_until < now()")

    def keep(self) -> bool:
        """Extend the lease and look at the circuit again. False if the lease was lost: stop."""
        return self._write("work_lease = %(token)s", learnt=_LEARNT)

    def give_back(self) -> None:
        """Let the next one work."""
        self.leave_host()
        execute(
            f"UPDATE syncing_schedule SET {GIVEN_BACK}"  # noqa: S608
            " WHERE connection_id = %(connection)s AND work_lease = %(token)s",
            self.params,
        )

    def _write(self, condition: str, *, learnt: str = "") -> bool:
        found = rows(
            f"""
            UPDATE syncing_schedule
            SET work_lease = %(token)s,
                work_lease_until = now() + %(seconds)s * interval '1s'{learnt}
            WHERE connection_id = %(connection)s AND ({condition})
            RETURNING {circuit.MAY_POST}, erp_failures > 0, {silent_hosts.HOST},
                erp_limit, posts_per_second,
                EXISTS (SELECT FROM syncing_pause p
                        WHERE p.connection_id = %(connection)s AND {pauses.CANARY_IS_DUE}),
                EXISTS (SELECT FROM syncing_syncitem
                        WHERE connection_id = %(connection)s AND {_IS_LOST})
            """,  # noqa: S608  constants of this program
            self.params,
        )
        for may_post, is_ill, host, limit, speed, self.has_canary, self.has_lost in found:
            self.written_at = time.monotonic()
            self.pace.limit, self.pace.per_second = limit, speed
            self.is_probing = is_ill or host is not None
            self.may_post = may_post and self._may_try(host, is_ill=is_ill)
            return True
        return False

    def _may_try(self, host: str | None, *, is_ill: bool) -> bool:
        """Whether the ERP's server answers, as far as anybody knows, or it is our turn to see."""
        if host != self.silent_host:
            self.leave_host()
        if host is None:
            return True
        place = self.place or (Place.KNOWN if is_ill else Place.FRESH)
        if not silent_hosts.take_place(host, place, self.token):
            return False
        self.silent_host, self.place = host, place
        return True

    def leave_host(self) -> None:
        """Let another customer of a silent server have our place."""
        if self.silent_host is not None and self.place is not None:
            silent_hosts.give_place_back(self.silent_host, self.place, self.token)
        self.silent_host = self.place = None

    @property
    def params(self) -> dict[str, Any]:
        """Of the statements that write the lease."""
        return {
            "token": self.token,
            "seconds": WORK_LEASE_SECONDS,
            "connection": self.connection_id,
            "ramp_refuses": sorted(RAMP_REFUSES),
            "limit": self.pace.limit,
            "speed": self.pace.per_second,
        }


_IS_LOST = "state = 'POSTING' AND may_be_in_erp_until < now() AND due_at <= now()"
_LEARNT = ", erp_limit = %(limit)s, posts_per_second = %(speed)s"
GIVEN_BACK = f"work_lease = NULL, work_lease_until = NULL{_LEARNT}"
"""SQL: what lets the next one work."""


@contextmanager
def only_worker(connection_id: uuid.UUID) -> Iterator[WorkLease | None]:
    """Hold a connection's work lease: one writer per ERP company. None if another has it."""
    lease = WorkLease(connection_id, uuid.uuid4())
    if not lease.take():
        yield None
        return
    try:
        yield lease
    finally:
        if not lease.is_over:
            lease.give_back()


def lock_ready(
    connection_id: uuid.UUID, limit: int = CHUNK, *, canary_of: str | None = None
) -> list[Claimed]:
    """Lock the next due items that were read recently; only inside a transaction.

    Those of paused types are passed over, except for `canary_of`: then only that type is looked at.
    """
    return _claimed(
        _LOCK_READY,
        {
            "connection": connection_id,
            "types": [canary_of] if canary_of else list(TYPES),
            "canary": canary_of is not None,
            "fresh": FRESH_SECONDS,
            "look_at": LOOK_AT,
            "limit": limit,
        },
    )


PAYS_BILL = """
    i.object_type = 'transaction' AND EXISTS (
        SELECT FROM syncing_cardpayment c
        WHERE c.connection_id = i.connection_id AND c.transaction_ramp_id = i.ramp_id)
"""
"""SQL: whether an item `i` is a card transaction that pays a bill."""
# Each type's queue is read from its front in the index, as far as needed, however long it is.
# What a backfill brought takes the room that the rest leaves, so that it delays nothing.
_LOCK_READY = f"""
    WITH queues AS MATERIALIZED (
        SELECT t.object_type FROM unnest(%(types)s::text[]) AS t(object_type)
        WHERE %(canary)s OR NOT EXISTS (
            SELECT FROM syncing_pause p WHERE p.connection_id = %(connection)s AND {pauses.BLOCKS})
    ), asked_for AS MATERIALIZED (
        SELECT i.id, i.due_at FROM syncing_syncrequest r
        JOIN queues t USING (object_type) JOIN syncing_syncitem i ON i.sync_request_id = r.id
        WHERE r.connection_id = %(connection)s AND {sync_requests.IS_ASKED_FOR}
          AND i.state = 'READY' AND i.due_at <= now()
          AND i.snapshot_at > now() - %(fresh)s * interval '1s'
        ORDER BY i.due_at, i.id LIMIT %(limit)s
    ), by_type AS MATERIALIZED (
        SELECT head.id, head.due_at FROM queues t
        CROSS JOIN LATERAL (
            SELECT id, due_at FROM (
                SELECT i.id, i.due_at, i.snapshot_at FROM syncing_syncitem i
                WHERE i.connection_id = %(connection)s AND i.object_type = t.object_type
                  AND i.state = 'READY' AND i.due_at <= now() AND {sync_requests.MAY_BE_SENT}
                  AND i.arrived_by <> 'backfill'
                ORDER BY i.due_at, i.id LIMIT %(look_at)s
            ) queue
            WHERE snapshot_at > now() - %(fresh)s * interval '1s'
            ORDER BY due_at, id LIMIT %(limit)s
        ) head
    ), backfilled AS MATERIALIZED (
        SELECT head.id, head.due_at FROM queues t
        CROSS JOIN LATERAL (
            SELECT id, due_at FROM (
                SELECT i.id, i.due_at, i.snapshot_at, i.arrived_by FROM syncing_syncitem i
                WHERE i.connection_id = %(connection)s AND i.object_type = t.object_type
                  AND i.state = 'READY' AND i.due_at <= now() AND {sync_requests.MAY_BE_SENT}
                ORDER BY i.due_at, i.id LIMIT %(look_at)s
            ) queue
            WHERE snapshot_at > now() - %(fresh)s * interval '1s' AND arrived_by = 'backfill'
            ORDER BY due_at, id LIMIT %(limit)s
        ) head
        WHERE (SELECT count(*) FROM by_type) < %(limit)s  -- else it is not even looked at
    ), next AS MATERIALIZED (
        SELECT id FROM (
            SELECT id, due_at, 1 AS place FROM asked_for
            UNION ALL SELECT id, due_at, 2 FROM by_type
            UNION ALL SELECT id, due_at, 3 FROM backfilled
        ) found
        GROUP BY id, due_at ORDER BY min(place), due_at, id LIMIT %(limit)s
    )
    SELECT i.id, i.object_type, i.ramp_id, coalesce(i.entity_ramp_id::text, ''), p.ramp::text,
           NULL::jsonb, i.attempts + 1, i.claims_without_result,
           EXISTS (SELECT FROM syncing_databaseidentity d
                   WHERE i.ready_at < d.changed_at
                     AND (i.intended_at IS NULL OR i.intended_at < d.changed_at))
               OR {suspect.IS_UNNOTICED}, false,
           (SELECT extract(epoch FROM r.stop_at - now())::float8 FROM syncing_syncrequest r
            WHERE r.id = i.sync_request_id AND {sync_requests.IS_ASKED_FOR}),
           {PAYS_BILL}
    FROM syncing_syncitem i JOIN syncing_itempayload p ON p.item_id = i.id
    WHERE i.id IN (SELECT id FROM next) AND i.state = 'READY' AND i.due_at <= now()
    ORDER BY i.due_at, i.id
    FOR UPDATE OF i SKIP LOCKED
"""  # noqa: S608  constants of this program


def lock(ids: Sequence[int]) -> None:
    """Lock items in hand, so that nothing happens to them; only inside a transaction."""
    rows("SELECT id FROM syncing_syncitem WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [list(ids)])


class NotOurs(Exception):
    """Items that this worker has locked were in somebody else's hands all the same."""


def begin_posting(
    token: uuid.UUID, documents: Sequence[tuple[int, Document]], settle: float
) -> None:
    """Make the intent durable: freeze each document and enter POSTING, before anything is sent.

    `settle` is how many seconds a request may live on in the ERP after we gave it up.

    :raises NotOurs: if one of them is no longer READY. Nothing may be sent then
    """
    moved = execute(
        """
        WITH frozen AS (
            SELECT id, ref, document
            FROM unnest(%(ids)s::bigint[], %(refs)s::text[]) WITH ORDINALITY AS i(id, ref, place)
            JOIN jsonb_array_elements(%(docs)s::jsonb) WITH ORDINALITY AS d(document, place)
                USING (place)
        ), former AS (  -- of each attempt it can be told what it sent, and most repeat the last one
            INSERT INTO syncing_formerdocument (item_id, document, replaced_at)
            SELECT p.item_id, p.document, now()
            FROM syncing_itempayload p JOIN frozen f ON p.item_id = f.id
            WHERE p.document <> f.document
        ), kept AS (
            UPDATE syncing_itempayload p SET document = f.document
            FROM frozen f WHERE p.item_id = f.id
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'POSTING', state_at = now(), lease_token = %(token)s, erp_ref = f.ref,
                lease_until = now() + %(lease)s * interval '1s',
                may_be_in_erp_until = now() + (%(lease)s + %(settle)s) * interval '1s',
                attempts = attempts + 1, claims_without_result = claims_without_result + 1,
                intended_at = now(), was_absent = false, blocked_by = ''
            FROM frozen f WHERE i.id = f.id AND i.state = 'READY'
            RETURNING i.id, i.attempts, md5(f.document::text) AS digest
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'sent', '',
               jsonb_build_object('attempt', attempts, 'hash', left(digest, 12)), ''
        FROM moved ORDER BY id
        """,
        {
            "ids": [id_ for id_, _ in documents],
            "refs": [document.ref.full for _, document in documents],
            # one text: an array of them would be escaped quote by quote, at 90 us per document
            "docs": as_json([document.to_json() for _, document in documents]),
            "token": token,
            "lease": LEASE_SECONDS,
            "settle": settle,
        },
    )
    if moved != len(documents):
        raise NotOurs(f"{len(documents) - moved} of {len(documents)} items were taken by another.")


def take_over_lost(
    connection_id: uuid.UUID, token: uuid.UUID, settle: float, limit: int = CHUNK
) -> list[Claimed]:
    """Take over documents whose worker was not heard of again and whose requests have died out.

    Items that several workers have died on come alone, so that they cannot take others along. After
    a failover somebody may have taken them over before, and that is forgotten: so long as such a
    request can live, nobody does, and what was seen of the ledger before says nothing (fault I5).
    """
    return _claimed(
        f"""
        WITH other AS (
            SELECT changed_at + (%(lease)s + %(settle)s) * interval '1s' AS dead_by
            FROM syncing_databaseidentity WHERE suspect_until > now()
        ), lost AS (
            SELECT id, claims_without_result >= %(alone_after)s AS alone,
                   was_absent
                       AND NOT EXISTS (SELECT FROM other WHERE due_at < dead_by) AS was_absent
            FROM syncing_syncitem
            WHERE connection_id = %(connection)s AND {_IS_LOST} AND NOT {suspect.IS_UNNOTICED}
                AND NOT EXISTS (SELECT FROM other WHERE dead_by > now())
            ORDER BY alone, may_be_in_erp_until, id LIMIT %(limit)s
            FOR UPDATE SKIP LOCKED
        ), in_order AS (
            SELECT id, alone, was_absent, row_number() OVER (ORDER BY alone, id) AS place FROM lost
        ), mine AS (
            UPDATE syncing_syncitem i
            SET lease_token = %(token)s, lease_until = now() + %(lease)s * interval '1s',
                may_be_in_erp_until = now() + (%(lease)s + %(settle)s) * interval '1s',
                attempts = attempts + 1, claims_without_result = claims_without_result + 1,
                was_absent = false  -- it may be sent now, and then must be looked for anew
            FROM in_order o WHERE i.id = o.id AND (NOT o.alone OR o.place = 1)
            RETURNING i.*, o.was_absent AS absence
        )
        SELECT i.id, i.object_type, i.ramp_id, coalesce(i.entity_ramp_id::text, ''), p.ramp::text,
               p.document, i.attempts, i.claims_without_result, false, i.absence
        FROM mine i JOIN syncing_itempayload p ON p.item_id = i.id ORDER BY i.id
        """,  # noqa: S608  a constant of this file
        {
            "connection": connection_id,
            "token": token,
            "lease": LEASE_SECONDS,
            "settle": settle,
            "limit": limit,
            "alone_after": ALONE_AFTER,
        },
    )


def _claimed(sql: str, params: Any) -> list[Claimed]:
    return [
        Claimed(id_, type_, ramp_id, entity, body, from_json(document), *counts)
        for id_, type_, ramp_id, entity, body, document, *counts in rows(sql, params)
    ]
