"""Ask why something is not here: which object is meant, and the wish to have Ramp asked for it."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from connections.models import Connection, Entity
from syncing.inquiries.reasons import Facts
from syncing.models import Inquiry, SyncItem
from syncing.queries.words import type_label

KEPT = timedelta(minutes=10)
"""So long an answer is shown without asking Ramp again."""
_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
# The longer word first, for each contains the next one.
_WORDS = (
    ("bill-payment", "bill_payment"),
    ("bill_payment", "bill_payment"),
    ("vendor-credit", "vendor_credit"),
    ("vendors/credits", "vendor_credit"),
    ("reimbursement", "reimbursement"),
    ("transfer", "transfer"),
    ("cashback", "cashback"),
    ("statement-credit", "cashback"),
    ("transaction", "transaction"),
    ("bill", "bill"),
)


@dataclass(frozen=True, slots=True)
class Meant:
    """What a text names."""

    ramp_id: uuid.UUID
    object_type: str = ""
    """As far as an address tells it."""


def meant_by(text: str) -> Meant | None:
    """The object that an id, or an address in Ramp, names; None if there is no id in it."""
    found = _ID.findall(text)
    if not found:
        return None
    words = text.lower()
    object_type = next((type_ for word, type_ in _WORDS if word in words), "")
    return Meant(uuid.UUID(found[-1]), object_type)


def known_items(meant: Meant) -> Sequence[SyncItem]:
    """The items of that object, of any customer: then there is nothing to ask Ramp."""
    found = SyncItem.objects.filter(ramp_id=meant.ramp_id).select_related("connection")
    return list(found.order_by("phase", "pk")[:10])


def ask(*, connection: Connection, object_type: str, ramp_id: uuid.UUID, actor: str) -> Inquiry:
    """Wish for Ramp to be asked. A wish that is still to be granted is not made twice."""
    with transaction.atomic():
        waiting = Inquiry.objects.filter(
            connection=connection,
            object_type=object_type,
            ramp_id=ramp_id,
            due_at__isnull=False,
        ).first()
        if waiting is not None:
            return waiting
        asked = Inquiry.objects.create(
            connection=connection,
            object_type=object_type,
            ramp_id=ramp_id,
            asked_by=actor,
            asked_at=Now(),
            due_at=Now(),
        )
        audit.record(
            actor,
            "inquiries.ask",
            f"Had Ramp asked for the {type_label(object_type).lower()} {ramp_id}.",
            connection_id=connection.pk,
            subject="inquiry",
            subject_id=asked.pk,
        )
    return asked


def latest(
    connection: Connection, object_type: str, ramp_id: uuid.UUID, *, now: datetime
) -> Inquiry | None:
    """The newest inquiry of an object that is under way, or was answered a short while ago."""
    found = Inquiry.objects.filter(connection=connection, object_type=object_type, ramp_id=ramp_id)
    newest = found.order_by("-asked_at", "-pk").first()
    if newest is None or (newest.due_at is None and newest.asked_at < now - KEPT):
        return None
    return newest


def facts_of(connection: Connection) -> Facts:
    """What matters of a customer for why something of it is not here. Two queries."""
    schedule = getattr(connection, "schedule", None)
    entities = Entity.objects.filter(connection=connection)
    return Facts(
        customer=connection.name,
        erp_name=connection.erp_name,
        stage=connection.stage,
        paused_reason=connection.paused_reason,
        types=frozenset(connection.object_types),
        entities={str(one.ramp_id): (one.name, one.is_mapped) for one in entities},
        blocked=schedule.blocked_title if schedule and schedule.blocked_side == "ramp" else "",
    )
