"""What people do in Ramp: spend, code, mark ready, take back, press Export.

What is done to transactions here is done to reimbursements too, except for spending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from connections.ramp_simulator import receipts, splits
from connections.ramp_simulator.codings import book_of, missing_fields
from connections.ramp_simulator.money_records import Reimbursement
from connections.ramp_simulator.records import Coded, Commit, SyncStatus, Transaction
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

_SETTLED_CLAIMS = {
    "APPROVED",
    "AWAITING_EXPORT",
    "AWAITING_PAYMENT",
    "MANUALLY_REIMBURSED",
    "PROCESSING",
    "REIMBURSED",
    "REIMBURSED_VIA_PUSH",
}


class NotPossible(Exception):
    """Ramp does not offer this for the object as it is. The message says why."""

    def __init__(self, message: str, code: str = "DEVELOPER_7001") -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Merchant:
    name: str
    category_code: str = "5734"
    category_id: int = 40
    category_name: str = "General Merchandise"
    city: str | None = None
    country: str | None = None


@dataclass(slots=True, kw_only=True)
class Purchase:
    """A purchase as people see it: amounts in minor units, negative for a refund.

    `lines` are minor units and account codes; without them there is one line of `account_code`.
    `original` is what the merchant charged, where that was in another currency. `tax_code` is the
    ERP's id of one, for all lines.
    """

    minor: int
    merchant: Merchant
    account_code: str | None = None
    tax_code: str | None = None
    lines: Sequence[tuple[int, str | None]] = ()
    original: tuple[int, str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    memo: str | None = None
    at: datetime | None = None
    accounting_date: datetime | None = None
    state: str = "CLEARED"
    entity_id: str | None = None
    person_id: str | None = None
    original_transaction_id: str | None = None
    has_receipt: bool = True
    vendor_name: str | None = None


def spend(world: World, business: str, purchase: Purchase) -> Transaction:
    """A card is used. The transaction is not ready for the ERP yet."""
    people = [
        person
        for person in world.people.of(business)
        if purchase.entity_id in {None, person.entity_id}
        and purchase.person_id in {None, person.id}
    ]
    if not people:
        raise NotPossible("Nobody in this business has such a card.")
    ids = world.ids
    seq = ids.rank()
    person = people[seq % len(people)]
    entity = world.entities.get(person.entity_id)
    assert entity is not None
    at = purchase.at or world.clock()
    merchant = purchase.merchant
    original_minor, original_currency = purchase.original or (None, None)
    lines = splits.split(
        purchase.lines or [(purchase.minor, purchase.account_code)],
        entity.currency,
        purchase.original,
    )
    for line in lines:
        line.tax_code = purchase.tax_code
    row = world.transactions.put(
        Transaction(
            id=ids.uuid(),
            seq=seq,
            business=business,
            entity_id=entity.id,
            person_id=person.id,
            minor=purchase.minor,
            currency=entity.currency,
            state=purchase.state,
            sync_status=SyncStatus.NOT_SYNC_READY,
            merchant_id=merchant_id(business, merchant),
            merchant_name=merchant.name,
            merchant_category_code=merchant.category_code,
            sk_category_id=merchant.category_id,
            sk_category_name=merchant.category_name,
            memo=purchase.memo,
            lines=lines,
            user_transaction_time=at,
            accounting_date=purchase.accounting_date or at,
            settlement_date=at + timedelta(days=1) if purchase.state == "CLEARED" else None,
            updated_at=at,
            original_minor=original_minor,
            original_currency=original_currency,
            original_transaction_id=purchase.original_transaction_id,
            vendor_name=purchase.vendor_name or merchant.name,
            options=dict(purchase.options),
            card_present=merchant.city is not None,
            city=merchant.city,
            country=merchant.country,
        )
    )
    if purchase.has_receipt:
        receipts.issue(world, row)
    announce(world, business, f"transactions.{_event(purchase.state)}", row.id)
    return row


def clear(world: World, row: Transaction) -> None:
    """The card network settles a pending purchase."""
    if row.state != "PENDING":
        raise NotPossible("Only a pending transaction clears.")
    row.state = "CLEARED"
    row.settlement_date = world.clock()
    touch(world, row)
    announce(world, row.business, "transactions.cleared", row.id)


def why_not_ready(world: World, row: Coded) -> NotPossible | None:
    """Why Ramp would not let anyone mark this ready, if so."""
    name = f"{type(row).__name__} {row.id}"
    if row.sync_status is SyncStatus.SYNCED:
        return NotPossible(f"{name} is synced already.")
    if isinstance(row, Transaction) and row.state != "CLEARED":
        return NotPossible(f"{name} has not cleared.")
    if isinstance(row, Reimbursement) and row.state not in _SETTLED_CLAIMS:
        return NotPossible(f"{name} is {row.state} and not approved.")
    if not splits.adds_up(row):
        return NotPossible(f"The split of {name} does not add up.", code="ACCOUNTING_7008")
    if missing := missing_fields(book_of(world, row.business), row):
        return NotPossible(f"{name} lacks {', '.join(missing)}.")
    return None


def mark_ready(world: World, row: Coded, *, notify: bool = True, by_force: bool = False) -> None:
    """`by_force` lets through what Ramp would refuse, such as lines that do not add up.

    :raises NotPossible: if it is synced, pending, out of balance or lacks a required field
    """
    if not by_force and (problem := why_not_ready(world, row)):
        raise problem
    if row.sync_status is SyncStatus.SYNC_READY:
        return
    row.sync_status = SyncStatus.SYNC_READY
    touch(world, row)
    if notify:
        announce(world, row.business, f"{row.object_type}s.ready_to_sync", row.id)


def take_back(world: World, row: Coded) -> None:
    """Un-ready: someone wants to look at it again. Ramp tells nobody."""
    if row.sync_status is not SyncStatus.SYNC_READY:
        raise NotPossible(f"Only a ready {row.object_type} can be taken back.")
    row.sync_status = SyncStatus.NOT_SYNC_READY
    touch(world, row)


def press_export(world: World, row: Coded) -> None:
    """Export to a file marks what is ready synced, and tells nobody."""
    if row.sync_status is not SyncStatus.SYNC_READY:
        raise NotPossible(f"Only a ready {row.object_type} can be exported.")
    row.sync_status = SyncStatus.SYNCED
    row.synced_at = world.clock()
    row.export_error = None
    row.commits.append(Commit(at=row.synced_at, outcome="export"))
    touch(world, row)


@dataclass(slots=True, kw_only=True)
class Edit:
    """New values; None leaves a value alone. An empty code takes a coding away."""

    memo: str | None = None
    accounting_date: datetime | None = None
    account_code: str | None = None
    tax_code: str | None = None
    options: Mapping[str, str] | None = None
    vendor_name: str | None = None
    minor: int | None = None


def edit(world: World, row: Coded, change: Edit) -> None:
    """:raises NotPossible: if it is synced, for then Ramp locks it"""
    if row.sync_status is SyncStatus.SYNCED:
        raise NotPossible(f"A synced {row.object_type} is locked.")
    if change.memo is not None:
        row.memo = change.memo
    row.accounting_date = change.accounting_date or row.accounting_date
    if change.account_code is not None:
        for line in row.lines:
            line.account_code = change.account_code or None
    if change.tax_code is not None:
        for line in row.lines:
            line.tax_code = change.tax_code or None
    if change.options is not None:
        row.options = {name: code for name, code in change.options.items() if code}
    row.vendor_name = change.vendor_name or row.vendor_name
    if change.minor is not None:
        row.minor = change.minor
        row.lines = [splits.line(change.minor, row.currency, row.lines[0].account_code)]
    touch(world, row)


def touch(world: World, row: Coded) -> None:
    row.updated_at = world.clock()
    world.keep(row)


def _event(state: str) -> str:
    return {"CLEARED": "cleared", "DECLINED": "declined"}.get(state, "authorized")


def merchant_id(business: str, merchant: Merchant) -> str:
    return str(uuid5(NAMESPACE_URL, f"{business}/merchant/{merchant.name}"))
