"""What a report to Ramp says: its bytes, and the key computed from what it says.

A batch says the same bytes under the same key for ever. The key is computed from what the batch
says and from each item's report attempt, so a later report of the same item is never taken for a
repeat.
"""

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from django.contrib.postgres.functions import TransactionNow

from connections.models import Connection
from syncing.models import AckBatch

NAMESPACE = uuid.UUID("6d3f4f0e-58cf-5b0c-9f3d-0f1f6c2b7a11")
LINKED = frozenset({"BILL_SYNC"})
"""The sync types whose lines may lead to the document in the ERP (contract 7)."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item's part of a batch."""

    id: int
    ramp_id: uuid.UUID
    says: str
    """Our reference for a success, the words for a failure."""
    attempt: int
    url: str = ""
    """Where the document is in the ERP; said of bills only."""


@dataclass(frozen=True, slots=True)
class Request:
    """A press of the sync button."""

    id: uuid.UUID
    """Of our row."""
    sync_request_id: uuid.UUID
    """As Ramp names it."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What all lines of one batch have in common."""

    connection: Connection
    sync_type: str
    outcome: str
    """See `AckBatch.Outcome`."""
    request: Request | None = None
    """The press of the sync button that it answers."""


def new_batch(about: Subject, lines: Sequence[Line]) -> AckBatch:
    """A batch that says these lines, not saved yet; due from when it is."""
    key = _key(about, lines)
    return AckBatch(
        connection=about.connection,
        sync_type=about.sync_type,
        sync_request_id=about.request.id if about.request else None,
        outcome=about.outcome,
        key=key,
        body=_body(key, about, lines),
        size=len(lines),
        created_at=TransactionNow(),  # the database's clock, which it is taken by (fault T6)
        due_at=TransactionNow(),
    )


def subject_of(batch: AckBatch) -> Subject:
    """What a batch is about, for others that say a part of it."""
    request = None
    if batch.sync_request_id is not None:
        asked = orjson.loads(bytes(batch.body))["sync_request_id"]
        request = Request(batch.sync_request_id, uuid.UUID(asked))
    return Subject(batch.connection, batch.sync_type, batch.outcome, request)


def said(batch: AckBatch) -> dict[uuid.UUID, tuple[str, str]]:
    """What a batch says of each member: the reference or the words, and the link if there is one.

    In the order of the body.
    """
    body = orjson.loads(bytes(batch.body))
    if batch.outcome == AckBatch.Outcome.SUCCESS:
        lines = body["successful_syncs"]
        return {
            uuid.UUID(one["id"]): (one["reference_id"], one.get("deep_link_url", ""))
            for one in lines
        }
    return {uuid.UUID(one["id"]): (one["error"]["message"], "") for one in body["failed_syncs"]}


def _key(about: Subject, lines: Sequence[Line]) -> uuid.UUID:
    """Computed, never drawn: after a total loss of the database the same keys come out again."""
    said = [
        [str(line.ramp_id), line.says, line.attempt, *([line.url] if _links(about, line) else [])]
        for line in lines
    ]
    about_all = [str(about.connection.ramp_business_id), about.sync_type, about.outcome]
    asked = [str(about.request.sync_request_id)] if about.request else []
    content = orjson.dumps([*about_all, said, *asked])
    return uuid.uuid5(NAMESPACE, hashlib.sha256(content).hexdigest())


def _body(key: uuid.UUID, about: Subject, lines: Sequence[Line]) -> bytes:
    """Exactly the keys Ramp knows: an empty list or an unknown key is refused (contract 7)."""
    body: dict[str, object] = {"idempotency_key": str(key), "sync_type": about.sync_type}
    if about.request:
        body["sync_request_id"] = str(about.request.sync_request_id)
    if about.outcome == AckBatch.Outcome.SUCCESS:
        body["successful_syncs"] = [_success(about, line) for line in lines]
    else:
        body["failed_syncs"] = [
            {"id": str(line.ramp_id), "error": {"message": line.says}} for line in lines
        ]
    return orjson.dumps(body)


def _success(about: Subject, line: Line) -> dict[str, str]:
    success = {"id": str(line.ramp_id), "reference_id": line.says}
    return success | {"deep_link_url": line.url} if _links(about, line) else success


def _links(about: Subject, line: Line) -> bool:
    return about.sync_type in LINKED and bool(line.url)
