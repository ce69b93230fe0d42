"""Look for an item in the ERP because a person asks: a row is the wish, a task grants it (P-04).

Nothing is decided here. What was searched and found stands in the row, and a person says what of
it the item is.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import transaction

from connections import audit
from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import DocKind, Document, Idempotency, Posted, Ref, State
from connections.erp.search import FoundDocument, Likeness, SearchableErp
from syncing.classifier import classify
from syncing.models import ErpLook, SyncItem
from syncing.settling import steps
from syncing.settling.matching import Match, Wanted, best_first
from syncing.settling.refusal import NotSettled
from syncing.snapshots import database_now
from syncing.statements import execute, rows
from syncing.states import ItemState

logger = logging.getLogger(__name__)

CHUNK = 10
"""Looks per ring."""
LEASE_SECONDS = 120
"""How long a look is a worker's: a dead one's comes due again by then."""
MOST_TRIES = 5
AROUND = timedelta(days=7)
"""How far from the item's date a document that resembles it is looked for."""
FRESH = timedelta(minutes=15)
"""So long an answer says what the ERP holds; then somebody may have changed it."""

_KINDS = {
    SyncItem.ObjectType.BILL: DocKind.BILL,
    SyncItem.ObjectType.BILL_PAYMENT: DocKind.BILL_PAYMENT,
    SyncItem.ObjectType.VENDOR_CREDIT: DocKind.VENDOR_CREDIT,
}


def ask(*, item: SyncItem, number: str, actor: str) -> ErpLook:
    """Wish for the ERP to be searched: by our reference and by looks, or by a number.

    A wish that is still to be granted is not made twice.

    :param number: of a document that a person has in mind; empty to look for ours
    :raises NotSettled: if the item has its document
    """
    if item.erp_id and item.state != ItemState.MISMATCH:
        raise NotSettled(f"It is {item.erp_number or item.erp_id} in the ERP already.")
    number = number.strip()[:100]
    with transaction.atomic():
        SyncItem.objects.select_for_update().get(pk=item.pk)
        waiting = item.looks.filter(number=number, due_at__isnull=False).first()
        if waiting is not None:
            return waiting
        look = ErpLook.objects.create(
            item=item, number=number, asked_by=actor, asked_at=Now(), due_at=Now()
        )
        what = f"for the document {number}" if number else "for our reference and what resembles it"
        audit.record(
            actor,
            "items.look",
            f"Had the ERP searched {what}.",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
        )
    return look


def answer_due(connection_id: object, erp: ErpAdapter, *, erp_name: str) -> int:
    """Grant the wishes of a connection that are due. Returns how many it took up."""
    claimed = rows(
        """
        UPDATE syncing_erplook l
        SET due_at = now() + %(lease)s * interval '1s', tries = tries + 1
        FROM (
            SELECT k.id FROM syncing_erplook k JOIN syncing_syncitem i ON i.id = k.item_id
            WHERE i.connection_id = %(connection)s AND k.due_at <= now()
            ORDER BY k.due_at, k.id LIMIT %(limit)s FOR UPDATE OF k SKIP LOCKED
        ) next
        WHERE l.id = next.id RETURNING l.id
        """,
        {"connection": connection_id, "lease": LEASE_SECONDS, "limit": CHUNK},
    )
    ids = sorted(id_ for (id_,) in claimed)
    looks = ErpLook.objects.filter(pk__in=ids).select_related("item__payload").order_by("pk")
    for look in looks:
        _answer(look, erp, erp_name)
    return len(ids)


def cannot_ask(connection_id: object, why: str) -> int:
    """Close the wishes that are due of a connection whose ERP cannot be asked at all."""
    return execute(
        """
        UPDATE syncing_erplook l SET due_at = NULL, answered_at = now(), problem = %(why)s
        FROM syncing_syncitem i
        WHERE i.id = l.item_id AND i.connection_id = %(connection)s AND l.due_at <= now()
        """,
        {"connection": connection_id, "why": why[:300]},
    )


def latest(item: SyncItem) -> ErpLook | None:
    """The newest look of an item, answered or not."""
    return item.looks.order_by("-asked_at", "-pk").first()


def is_fresh(look: ErpLook, item: SyncItem, now: datetime) -> bool:
    """Whether a look says what is true of the item now: of its present state, and just so."""
    if look.answered_at is None or look.problem:
        return False
    return look.answered_at >= item.state_at and look.answered_at > now - FRESH


def wanted(item: SyncItem) -> Wanted:
    """What a document of the item would be, as far as it is known."""
    payload = getattr(item, "payload", None)
    document = payload.document if payload and payload.document else {}
    day = Document.from_json(document).posting_date if document else item.accounting_date
    return Wanted(
        ref=item.erp_ref,
        amount=abs(item.money.decimal),
        currency=item.currency,
        day=day,
        party=item.label,
        party_id=str(document.get("party", "")),
        supplier_number=str(document.get("number", "")) or item.invoice_number,
    )


def document_kind(item: SyncItem) -> DocKind:
    """What the item is in the ERP, by its frozen document or else by its type."""
    payload = getattr(item, "payload", None)
    if payload and payload.document:
        return DocKind(payload.document["kind"])
    return _KINDS.get(SyncItem.ObjectType(item.object_type), DocKind.JOURNAL)


def _answer(look: ErpLook, erp: ErpAdapter, erp_name: str) -> None:
    item = look.item
    search = _Search(erp, item, wanted(item))
    began_at = database_now()  # what lands while we search may have been passed already
    try:
        matches = search.by_number(look.number) if look.number else search.by_all_we_know()
    except ErpError as error:
        failure = classify(error, erp_name=erp_name)
        _put_off(look, search.asked_for, f"{failure.title} {failure.fix}".strip())
        return
    except Exception:
        logger.exception("The ERP could not be searched for an item.", extra={"item": item.pk})
        _put_off(look, search.asked_for, "We could not search the ERP. Our log says why.")
        return
    look.asked_for, look.is_conclusive = search.asked_for, search.is_conclusive
    look.candidates = [_as_json(one) for one in matches]
    look.due_at, look.answered_at, look.problem = None, began_at, ""
    with transaction.atomic():
        look.save()
        steps.note([item.pk], _told(matches), actor=look.asked_by, event="looked", data=_line(look))


def _put_off(look: ErpLook, asked_for: Sequence[str], why: str) -> None:
    """Try again soon; after some tries say what is in the way."""
    given_up = look.tries >= MOST_TRIES
    look.asked_for, look.problem = list(asked_for), why[:300]
    look.due_at = None if given_up else Now() + timedelta(seconds=5 * 2**look.tries)
    look.answered_at = Now() if given_up else None
    look.save()


class _Search:
    """One walk through the ERP for one item, and what was asked on the way."""

    def __init__(self, erp: ErpAdapter, item: SyncItem, wanted: Wanted) -> None:
        self._erp, self._item, self._wanted = erp, item, wanted
        self._kind = document_kind(item)
        self.asked_for: list[str] = []
        self.is_conclusive = False

    def by_number(self, number: str) -> list[Match]:
        """
        :raises ErpError: if the ERP cannot be asked
        """
        if not isinstance(self._erp, SearchableErp):
            self.asked_for.append("This ERP cannot be searched by a document's number.")
            return []
        self.asked_for.append(f"the document with the number or id {number}")
        return best_first(self._wanted, self._erp.documents_numbered(self._kind, number))

    def by_all_we_know(self) -> list[Match]:
        """
        :raises ErpError: if the ERP cannot be asked
        """
        found = list(self._ours())
        if isinstance(self._erp, SearchableErp):
            known = {one.erp_id for one in found}
            alike = [one for one in self._like() if one.erp_id not in known]
            # what carries our reference is told best by the search that knows all of it
            numbered = {
                one.erp_id: one
                for ours in found
                for one in self._erp.documents_numbered(self._kind, ours.erp_id)
            }
            found = [numbered.get(one.erp_id, one) for one in found] + alike
        return best_first(self._wanted, found)

    def _ours(self) -> Sequence[FoundDocument]:
        if not self._item.erp_ref:
            self.is_conclusive = True  # nothing was ever sent under our reference
            return []
        if self._erp.capabilities().idempotency is Idempotency.NONE:
            self.asked_for.append("This ERP cannot be searched by our reference.")
            return []
        self.asked_for.append(f"our reference {self._item.erp_ref}")
        found = self._erp.find(_ref_of(self._item))
        self.is_conclusive = True
        return [self._as_found(found)] if found else []

    def _like(self) -> Sequence[FoundDocument]:
        assert isinstance(self._erp, SearchableErp)
        wanted = self._wanted
        if wanted.day is None:
            return []
        whose = f" of {wanted.party}" if wanted.party_id else ""
        self.asked_for.append(
            f"documents{whose} over {wanted.amount:,f} {wanted.currency},"
            f" {AROUND.days} days around {wanted.day:%-d %b %Y}"
        )
        if wanted.supplier_number and wanted.party_id:
            self.asked_for.append(f"the invoice number {wanted.supplier_number}{whose}")
        return self._erp.documents_like(
            Likeness(
                self._kind,
                wanted.amount,
                wanted.currency,
                wanted.day,
                AROUND,
                wanted.party_id,
                wanted.supplier_number if wanted.party_id else "",
            )
        )

    def _as_found(self, posted: Posted) -> FoundDocument:
        """Where only our reference can be looked up, what stands under it is ours."""
        return FoundDocument(
            kind=self._kind,
            erp_id=posted.erp_id,
            number=posted.number,
            posting_date=self._wanted.day,
            total=self._wanted.amount if posted.total is None else posted.total,
            currency=self._wanted.currency,
            state=posted.state,
            ref=self._item.erp_ref,
            url=posted.url,
        )


def _ref_of(item: SyncItem) -> Ref:
    return Document.from_json(item.payload.document or {}).ref


def _as_json(match: Match) -> dict[str, object]:
    return {
        "document": match.document.to_json(),
        "score": match.score,
        "reasons": list(match.reasons),
        "problems": list(match.problems),
    }


def _told(matches: Sequence[Match]) -> str:
    if not matches:
        return "Looked for it in the ERP and found nothing."
    best = matches[0].document
    name = best.number or best.erp_id
    others = f", and {len(matches) - 1} more" if len(matches) > 1 else ""
    draft = ", a draft" if best.state is State.DRAFT else ""
    return f"Looked for it in the ERP and found {name}{draft} ({matches[0].score} % alike){others}."


def _line(look: ErpLook) -> dict[str, object]:
    return {"asked_for": look.asked_for}
