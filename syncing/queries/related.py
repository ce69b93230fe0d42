"""What belongs to an item: its bill, its payment, the card that paid; and what it waits for."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

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
    """The items that belong to one, in one query.

    :param links: what the object as Ramp gave it names
    """
    hows: dict[tuple[str, uuid.UUID], str] = {
        **{(Type.TRANSACTION, one): "pays this bill" for one in links.card_transactions},
        **{(Type.BILL, one): "this credit is set off against it" for one in links.bills},
        **{(Type.VENDOR_CREDIT, one): "set off against this bill" for one in links.credits},
        (Type.BILL, item.ramp_id): "what is paid",
        (Type.BILL_PAYMENT, item.ramp_id): "how it is paid",
    }
    theirs = SyncItem.objects.filter(connection_id=item.connection_id)
    named = theirs.filter(ramp_id__in={ramp_id for _, ramp_id in hows})
    # Each by an index: of either of two conditions, all items of the customer would be read.
    among = named.values("pk").union(_paid_by(item, theirs).values("pk"))
    found = (
        SyncItem.objects.filter(pk__in=among)
        .exclude(pk=item.pk)
        .order_by("phase", "ready_at", "pk")
    )
    told = [(other, hows.get((other.object_type, other.ramp_id)) or _paid(item, other))
            for other in found]  # fmt: skip
    return [Related(other, how) for other, how in told if how]


def _paid_by(item: SyncItem, theirs: QuerySet[SyncItem]) -> QuerySet[SyncItem]:
    """The bills, and their payments, that a card transaction pays (F-07)."""
    if item.object_type != Type.TRANSACTION:
        return theirs.none()
    paid = CardPayment.objects.filter(
        connection_id=item.connection_id, transaction_ramp_id=item.ramp_id
    )
    return theirs.filter(
        ramp_id__in=paid.values("bill_ramp_id"), object_type__in=[Type.BILL, Type.BILL_PAYMENT]
    )


def _paid(item: SyncItem, other: SyncItem) -> str:
    """What another item is to a card transaction that pays it; nothing if it is none of these."""
    if item.object_type != Type.TRANSACTION or other.ramp_id == item.ramp_id:
        return ""
    is_bill = other.object_type == Type.BILL
    return "paid by this transaction" if is_bill else "this transaction is the payment"


def waits_for(item: SyncItem, others: Sequence[Related]) -> WaitsFor | None:
    """What an item waits for, if for anything but its turn; one query at most."""
    if item.state == ItemState.POSTED and item.object_type == Type.BILL_PAYMENT:
        return _report_waits_for(others)
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


def _report_waits_for(others: Sequence[Related]) -> WaitsFor | None:
    """Ramp takes a payment only once it has its bill, which may need a person first (rule 10)."""
    bill = next((one.item for one in others if one.item.object_type == Type.BILL), None)
    if bill is None or bill.acked_at or bill.state in (ItemState.ACKED, ItemState.EXTERNAL):
        return None
    if bill.state in (ItemState.MISMATCH, ItemState.REVIEW, ItemState.FAILED):
        words = "It is in the ERP. Its report waits for its bill, which needs a person first."
    else:
        words = "It is in the ERP. Its report waits until Ramp has been told of its bill."
    return WaitsFor(words, item=bill)


def waiting_counts(connection_id: uuid.UUID, causes: Sequence[str]) -> Mapping[str, int]:
    """How many queued items wait for each of a few causes; one query, none without causes."""
    if not causes:
        return {}
    blocked = SyncItem.objects.filter(
        connection_id=connection_id, blocked_by__in=causes, state=ItemState.READY
    )
    counted = blocked.order_by().values_list("blocked_by").annotate(items=Count("pk"))
    return dict(counted)
