"""What belongs to an item: its bill, its payment, the card that paid; and what it waits for."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count

from connections.models import VendorCreation
from syncing.models import CardPayment, SyncItem
from syncing.queries.words import LOOKS, Look, type_label, word_of
from syncing.states import ItemState

Type = SyncItem.ObjectType


@dataclass(frozen=True, slots=True)
class Related:
    """Another item that belongs to this one, and how."""

    item: SyncItem
    how: str

    @property
    def type_label(self) -> str:
        return type_label(self.item.object_type)

    @property
    def look(self) -> Look:
        return LOOKS[word_of(self.item.state, self.item.error_category)]


@dataclass(frozen=True, slots=True)
class WaitsFor:
    """What a queued item waits for before it can be posted. At most one of the two is known."""

    words: str
    item: SyncItem | None = None
    vendor: VendorCreation | None = None


@dataclass(frozen=True, slots=True)
class Links:
    """Ramp ids that an object itself names, and what they are to it."""

    card_transactions: Sequence[uuid.UUID] = ()
    bills: Sequence[uuid.UUID] = ()
    credits: Sequence[uuid.UUID] = field(default_factory=tuple)


def related(item: SyncItem, links: Links) -> list[Related]:
    """The items that belong to one: at most two queries.

    :param links: what the object as Ramp gave it names
    """
    paid_bills = _bills_paid_by(item)
    hows: dict[tuple[str, uuid.UUID], str] = {
        **{(Type.TRANSACTION, one): "pays this bill" for one in links.card_transactions},
        **{(Type.BILL, one): "this credit is set off against it" for one in links.bills},
        **{(Type.VENDOR_CREDIT, one): "set off against this bill" for one in links.credits},
        **{(Type.BILL, one): "paid by this transaction" for one in paid_bills},
        **{(Type.BILL_PAYMENT, one): "this transaction is the payment" for one in paid_bills},
        (Type.BILL, item.ramp_id): "what is paid",
        (Type.BILL_PAYMENT, item.ramp_id): "how it is paid",
    }
    found = (
        SyncItem.objects.filter(
            ramp_id__in={ramp_id for _, ramp_id in hows}, connection_id=item.connection_id
        )
        .exclude(pk=item.pk)
        .order_by("phase", "ready_at", "pk")
    )
    return [
        Related(other, hows[other.object_type, other.ramp_id])
        for other in found
        if (other.object_type, other.ramp_id) in hows
    ]


def _bills_paid_by(item: SyncItem) -> Sequence[uuid.UUID]:
    if item.object_type != Type.TRANSACTION:
        return ()
    paid = CardPayment.objects.filter(
        connection_id=item.connection_id, transaction_ramp_id=item.ramp_id
    )
    return list(paid.values_list("bill_ramp_id", flat=True))


def waits_for(item: SyncItem, others: Sequence[Related]) -> WaitsFor | None:
    """What a queued item waits for, if for anything but its turn; one query at most."""
    if item.state != ItemState.READY or item.due_at is not None:
        return None
    words = item.error_title or "It waits for something else than time."
    kind, _, name = item.blocked_by.partition(":")
    match kind:
        case "bill":
            bills = {str(one.item.ramp_id): one.item for one in others}
            return WaitsFor(words, item=bills.get(name))
        case "vendor":
            wanted = VendorCreation.objects.filter(
                connection_id=item.connection_id, merchant_id=name
            )
            return WaitsFor(words, vendor=wanted.first())
        case _:
            return WaitsFor(words)


def waiting_counts(connection_id: uuid.UUID, causes: Sequence[str]) -> Mapping[str, int]:
    """How many queued items wait for each of a few causes; one query, none without causes."""
    if not causes:
        return {}
    blocked = SyncItem.objects.filter(
        connection_id=connection_id, blocked_by__in=causes, state=ItemState.READY
    )
    counted = blocked.order_by().values_list("blocked_by").annotate(items=Count("pk"))
    return dict(counted)
