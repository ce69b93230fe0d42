"""What people do with bills: enter, approve, correct, archive and export them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.ramp_simulator.bill_records import (
    Bill,
    BillSyncStatus,
    Payee,
    Phase,
)
from connections.ramp_simulator.bill_states import is_payment_ready, is_ready, keep
from connections.ramp_simulator.invoices import (
    Invoice,
    expense_lines,
    inventory_lines,
    plain_line,
)
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Commit, Entity
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

_PAYMENT_TERM = timedelta(days=30)


def add_payee(
    world: World,
    business: str,
    name: str,
    *,
    linked_to: str | None,
    has_remote_id: bool = True,
    at: datetime | None = None,
) -> Payee:
    """A vendor to pay; `linked_to` is the accounting vendor, by the ERP's id or by its name."""
    owner = next(iter(world.people.of(business)))
    record = world.business(business)
    return world.payees.put(
        Payee(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=business,
            name=name,
            country=record.country,
            state="CA" if record.country == "US" else None,
            owner_id=owner.id,
            contact_id=world.ids.uuid(),
            created_at=at or world.clock(),
            linked_to=linked_to,
            has_remote_id=has_remote_id,
        )
    )


def enter(
    world: World, entity: Entity, payee: Payee, invoice: Invoice, *, notify: bool = True
) -> Bill:
    """A bill arrives; it waits for approval.

    :raises NotPossible: if its lines do not make its amount
    """
    lines, goods = expense_lines(invoice), inventory_lines(invoice)
    total = sum(line.minor for line in (*lines, *(row.line for row in goods)))
    if total != invoice.minor:
        raise NotPossible(f"The lines make {total}, the bill {invoice.minor}.")
    ids = world.ids
    seq = ids.rank()
    created_at = invoice.created_at or world.clock()
    issued_at = invoice.issued_at or created_at
    people = [one for one in world.people.of(entity.business) if one.entity_id == entity.id]
    bill = world.bills.put(
        Bill(
            id=ids.uuid(),
            seq=seq,
            business=entity.business,
            entity_id=entity.id,
            payee_id=payee.id,
            owner_id=people[seq % len(people)].id,
            minor=invoice.minor,
            currency=invoice.currency,
            fx_rate=invoice.fx_rate,
            approval_status="PENDING",
            created_at=created_at,
            issued_at=issued_at,
            due_at=invoice.due_at or issued_at + _PAYMENT_TERM,
            lines=lines,
            inventory_lines=goods,
            is_sync_enabled=invoice.is_sync_enabled,
            invoice_number=invoice.invoice_number,
            accounting_date=invoice.accounting_date,
            posting_date=invoice.posting_date,
            memo=invoice.memo,
            vendor_memo=invoice.vendor_memo,
            options=dict(invoice.options),
            invoices=invoice.invoices,
            planned_method=invoice.planned_method,
        )
    )
    if notify:
        announce(world, bill.business, "bills.created", bill.id)
        keep(world, bill, was_ready=False)
    return bill


def approve(world: World, bill: Bill, *, notify: bool = True) -> None:
    """:raises NotPossible: if it does not wait for approval"""
    _decide(world, bill, "APPROVED", notify=notify)


def reject(world: World, bill: Bill) -> None:
    """:raises NotPossible: if it does not wait for approval"""
    _decide(world, bill, "REJECTED", notify=True)


def archive(world: World, bill: Bill) -> None:
    """Delete it, as people see it; whatever was synced of it before.

    :raises NotPossible: if it is archived or paid
    """
    if bill.archived_at or bill.status == "PAID":
        raise NotPossible("Only an open bill can be archived.")
    bill.archived_at = world.clock()
    world.bills.put(bill)
    announce(world, bill.business, "bills.archived", bill.id)


@dataclass(slots=True, kw_only=True)
class BillEdit:
    """New values; None leaves a value alone. An empty code takes a coding away."""

    memo: str | None = None
    invoice_number: str | None = None
    accounting_date: datetime | None = None
    account_code: str | None = None
    tax_code: str | None = None
    options: Mapping[str, str] | None = None
    planned_method: str | None = None
    is_sync_enabled: bool | None = None
    minor: int | None = None


def edit(world: World, bill: Bill, change: BillEdit) -> None:
    """Ramp lets people correct a bill until money has left for it.

    :raises NotPossible: if there is a payment of it, or it is archived
    """
    if bill.archived_at or bill.payment_id:
        raise NotPossible("A bill that is archived or being paid is locked.")
    was_ready = is_ready(world, bill)
    for name in ("memo", "invoice_number", "accounting_date", "planned_method"):
        if (value := getattr(change, name)) is not None:
            setattr(bill, name, value)
    if change.is_sync_enabled is not None:
        bill.is_sync_enabled = change.is_sync_enabled
    if change.options is not None:
        bill.options = {name: code for name, code in change.options.items() if code}
    if change.account_code is not None:
        for line in bill.lines:
            line.account_code = change.account_code or None
    if change.tax_code is not None:
        for line in (*bill.lines, *(goods.line for goods in bill.inventory_lines)):
            line.tax_code = change.tax_code or None
    if change.minor is not None:
        code = bill.lines[0].account_code if bill.lines else None
        bill.minor, bill.inventory_lines = change.minor, []
        bill.lines = [plain_line(change.minor, bill.currency, code)]
    keep(world, bill, was_ready=was_ready)


def press_export(world: World, bill: Bill) -> None:
    """Export to a file marks all that is ready of it synced, and tells nobody.

    :raises NotPossible: if nothing of it is ready
    """
    if not is_ready(world, bill):
        raise NotPossible("Only a ready bill can be exported.")
    if bill.sync_status is BillSyncStatus.NOT_SYNCED:
        bill.sync_status = BillSyncStatus.BILL_SYNCED
        _note_export(world, bill.booking)
    if is_payment_ready(bill):
        bill.sync_status = BillSyncStatus.BILL_AND_PAYMENT_SYNCED
        _note_export(world, bill.settling)
    world.bills.put(bill)


def _decide(world: World, bill: Bill, decision: str, *, notify: bool) -> None:
    if bill.approval_status != "PENDING" or bill.archived_at:
        raise NotPossible("Only a bill that waits for approval can be approved or rejected.")
    was_ready = is_ready(world, bill)
    bill.approval_status = decision
    if notify:
        announce(world, bill.business, f"bills.{decision.lower()}", bill.id)
    keep(world, bill, was_ready=was_ready, notify=notify)


def _note_export(world: World, phase: Phase) -> None:
    phase.synced_at = world.clock()
    phase.export_error = None
    phase.commits.append(Commit(at=phase.synced_at, outcome="export"))
