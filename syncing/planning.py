"""What becomes of claimed items before anything is sent: a document, a wait, a judgement."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from connections.erp.records import Document
from connections.mappings import MissingMapping
from syncing import billing, card_bills, vendor_waits
from syncing.cannot_post import CannotPost
from syncing.claims import Claimed
from syncing.classifier import SyncFailure, classify, unexpected
from syncing.dispatch import Held, Worker
from syncing.posting import document_for, settlement_for
from syncing.results import Confirmed

logger = logging.getLogger(__name__)

Step = Document | SyncFailure | billing.Wait | billing.Confirmation


@dataclass(slots=True)
class Plan:
    """What is to become of the items just claimed."""

    documents: list[Held] = field(default_factory=list)
    unfit: list[tuple[Claimed, SyncFailure]] = field(default_factory=list)
    waiting: list[tuple[int, str, str]] = field(default_factory=list)
    confirmed: list[Confirmed] = field(default_factory=list)

    def add(self, item: Claimed, step: Step) -> None:
        """Take in what one item makes."""
        match step:
            case Document():
                self.documents.append((item, step))
            case SyncFailure():
                self.unfit.append((item, step))
            case billing.Wait():
                self.waiting.append((item.id, step.cause, step.words))
            case billing.Confirmation():
                self.confirmed.append(
                    Confirmed(item.id, step.erp_id, step.number, step.url, step.why)
                )


def planned(worker: Worker, claimed: Sequence[Claimed]) -> Plan:
    """What each of the items makes, with today's mappings. They must be locked."""
    plan = Plan()
    payments = [item for item in claimed if item.object_type == billing.PAYMENT]
    bills = [item for item in claimed if item.object_type == billing.BILL]
    known = billing.bills_of(worker.connection.pk, payments) if payments else {}
    taken = billing.with_taken_numbers(bills) if bills else frozenset()
    vendors = vendor_waits.waits_of(worker.connection, claimed)
    cards = [item for item in claimed if item.pays_bill]
    links = card_bills.links_of(worker.connection.pk, cards) if cards else {}
    for item in claimed:
        if item.object_type == billing.PAYMENT:
            plan.add(item, _pay(worker, item, known.get(item.ramp_id)))
        elif item.id in vendors:
            plan.add(item, _awaited(worker, item, vendors[item.id]))
        elif item.pays_bill:
            plan.add(item, _settle(worker, item, links))
        else:
            plan.add(item, make_document(worker, item, number_is_taken=item.id in taken))
    _warn_of_expenses(worker, plan, payments)
    return plan


def step_of(worker: Worker, item: Claimed) -> Step:
    """What one item that is not a bill's payment makes, by itself."""
    if item.pays_bill:
        return _settle(worker, item, card_bills.links_of(worker.connection.pk, [item]))
    return make_document(worker, item)


def _settle(worker: Worker, item: Claimed, links: card_bills.Links) -> Step:
    try:
        step = card_bills.next_step(item, links)
        if isinstance(step, billing.Wait):
            return step
        return settlement_for(
            item.body,
            step.paid,
            other_cards=step.other_cards,
            mappings=worker.mappings,
            tenant=str(worker.connection.ramp_business_id),
        )
    except Exception as error:  # noqa: BLE001  judged, and logged if it is a bug
        return _unfit(worker, item, error)


def _warn_of_expenses(worker: Worker, plan: Plan, payments: Sequence[Claimed]) -> None:
    """Let the timeline of a payment say that its card was booked as an expense (F-07)."""
    if not plan.confirmed:
        return
    ids = {item.id: item.ramp_id for item in payments}
    bills = [ids[one.id] for one in plan.confirmed]
    booked = card_bills.booked_as_expenses(worker.connection.pk, bills)
    plan.confirmed = [
        replace(one, why=f"{one.why} {card_bills.twice_words(booked[ids[one.id]])}")
        if ids[one.id] in booked
        else one
        for one in plan.confirmed
    ]


def _awaited(worker: Worker, item: Claimed, vendor: billing.Wait | CannotPost) -> Step:
    return _unfit(worker, item, vendor) if isinstance(vendor, CannotPost) else vendor


def _pay(worker: Worker, item: Claimed, bill: billing.BillItem | None) -> Step:
    try:
        step = billing.next_step(item, bill)
    except Exception as error:  # noqa: BLE001  judged, and logged if it is a bug
        return _unfit(worker, item, error)
    if isinstance(step, billing.Pay):
        return make_document(worker, item, bill_is_ours=step.bill_is_ours)
    return step


def make_document(
    worker: Worker, item: Claimed, *, number_is_taken: bool = False, bill_is_ours: bool = True
) -> Document | SyncFailure:
    """The document an item makes with today's mappings, or the judgement why it makes none.

    See `syncing.posting.document_for` about bills and their payments.
    """
    try:
        return document_for(
            item.object_type,
            item.body,
            mappings=worker.mappings,
            tenant=str(worker.connection.ramp_business_id),
            number_is_taken=number_is_taken,
            bill_is_ours=bill_is_ours,
        )
    except Exception as error:  # noqa: BLE001  judged, and logged if it is a bug
        return _unfit(worker, item, error)


def _unfit(worker: Worker, item: Claimed, error: Exception) -> SyncFailure:
    if isinstance(error, CannotPost | MissingMapping):
        return classify(error, erp_name=worker.connection.erp_name)
    logger.error(
        "An item could not be turned into a document.", extra={"item": item.id}, exc_info=error
    )
    return unexpected(error)
