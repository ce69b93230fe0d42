"""Booking without our add-on: our reference stands in the description, and we look before we book.

Nothing in Tryton keeps the reference from being booked twice (class L). Safe only with one writer
per company and a settle delay after a lost answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton import documents
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.models import (
    INVOICE,
    MODELS,
    MOVE,
    Records,
    bill_by_id,
    bill_not_posted,
    party_of,
)
from connections.erp.adapters.tryton.pay_wizard import PayWizard
from connections.erp.adapters.tryton.references import References, Row, described, described_void
from connections.erp.errors import Category, Code, ErpError, Outcome
from connections.erp.records import DocKind, Document, Line, Posted, Ref, State
from connections.erp.refusals import refusal

Answer = Posted | ErpError
Values = dict[str, Any]


class LookupBooking:
    """Look up, create, post: three steps that a crash may come between."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._references = References(records)
        self._rpc = records.rpc
        self._catalogue = records.catalogue
        self._wizard = PayWizard(records)

    def book(self, docs: Sequence[Document]) -> list[Answer]:
        """An answer for each document, in order."""
        answers: dict[Ref, Answer] = {}
        # Invoices first: a payment among the documents may settle one of them.
        for model in (INVOICE, MOVE):
            group = [doc for doc in docs if MODELS[doc.kind] == model]
            if group:
                answers |= self._book_group(model, group)
        return [answers[doc.ref] for doc in docs]

    def find(self, ref: Ref) -> Posted | None:
        """What carries the reference, drafts too.

        :raises ErpError: REF_REUSED with the ids, if several do
        """
        return self._references.find(ref)

    def void(self, ref: Ref, on: date, reason: str) -> Posted:
        """Post the opposite of a journal entry, or return what is void already."""
        if ref.kind != DocKind.JOURNAL:
            what = f": take it back in {ERP} itself, for our add-on is not installed there"
            raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=what)
        found = self.find(ref)
        if found is None or found.state == State.DRAFT:
            raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": nothing carries {ref.full}")
        if found.state == State.POSTED:
            self._reverse(ref, int(found.erp_id), on, reason)
        return replace(found, state=State.VOID)

    def _reverse(self, ref: Ref, move_id: int, on: date, reason: str) -> None:
        period = self._catalogue.open_period(on)
        move = self._rpc.read(MOVE, [["id", "=", move_id]], ["company", "journal"])[0]
        lines = self._rpc.read(
            "account.move.line", [["move", "=", move_id]], documents.REVERSED_FIELDS
        )
        values = {
            **documents.reversal(move, lines, on),
            "period": period.id,
            "description": described_void(ref, reason),
        }
        reversal_id = self._rpc.call(f"model.{MOVE}.create", [values], write=True)[0]
        self._post_or_discard(MOVE, reversal_id)

    # -- what is there already

    def _book_group(self, model: str, docs: Sequence[Document]) -> dict[Ref, Answer]:
        try:
            rows = self._references.rows(model, [doc.ref for doc in docs])
            parties = self._records.parties(
                doc.party for doc in docs if doc.kind != DocKind.JOURNAL
            )
        except ErpError as error:
            return {doc.ref: error for doc in docs}
        answers: dict[Ref, Answer] = {}
        new: list[tuple[Document, Values]] = []
        for doc in docs:
            try:
                known = self._known(doc, rows[doc.ref.full])
                if known is not None:
                    answers[doc.ref] = known
                elif doc.kind == DocKind.BILL_PAYMENT:
                    answers[doc.ref] = self._book_payment(doc, parties)
                else:
                    new.append((doc, self._values(doc, parties)))
            except ErpError as error:
                answers[doc.ref] = error
        return answers | self._create(model, new)

    def _known(self, doc: Document, rows: Sequence[Row]) -> Posted | None:
        """The document that is in the ledger already.

        A draft is removed, to be made anew: it is in no ledger, and may be older than the
        document's present content.
        """
        found = self._references.posted(doc.ref, rows)
        if found is None:
            return None
        if found.state == State.DRAFT:
            self._rpc.call(f"model.{MODELS[doc.kind]}.delete", [int(found.erp_id)], write=True)
            return None
        is_another = found.kind not in (None, doc.kind)
        if is_another or found.total != self._expected_total(doc, found):
            raise refusal(Code.REF_REUSED, erp=ERP, what=f": document {found.number}")
        return found

    def _expected_total(self, doc: Document, found: Posted) -> Decimal | None:
        if MODELS[doc.kind] == INVOICE:
            return abs(documents.bill_total(doc))
        if doc.currency != self._catalogue.company().currency.code:
            # Converted at a rate that may have been corrected since: no reason for suspicion.
            return found.total
        return sum((abs(line.amount) for line in doc.lines if line.amount > 0), Decimal(0))

    # -- what is new

    def _values(self, doc: Document, parties: Mapping[str, documents.Party]) -> Values:
        if MODELS[doc.kind] == INVOICE:
            values = documents.bill(doc, self._catalogue, party_of(doc, parties))
        else:
            values = documents.journal(doc, self._catalogue)
        return {**values, "description": described(doc.ref, doc.memo)}

    def _create(self, model: str, new: Sequence[tuple[Document, Values]]) -> dict[Ref, Answer]:
        """Create all at once; when Tryton refuses one of them, each half by itself."""
        if not new:
            return {}
        try:
            ids = self._rpc.call(f"model.{model}.create", [values for _, values in new], write=True)
        except ErpError as error:
            if len(new) == 1 or _concerns_all(error):
                return {doc.ref: error for doc, _ in new}
            middle = len(new) // 2
            return self._create(model, new[:middle]) | self._create(model, new[middle:])
        return self._post(model, dict(zip(ids, (doc for doc, _ in new), strict=True)))

    def _post(self, model: str, drafts: Mapping[int, Document]) -> dict[Ref, Answer]:
        """Post all at once; when Tryton refuses one of them, each by itself."""
        answers = self._refuse_wrong_totals(model, drafts)
        left = {erp_id: doc for erp_id, doc in drafts.items() if doc.ref not in answers}
        posted = list(left)
        try:
            if left:
                self._rpc.call(f"model.{model}.post", list(left), write=True)
        except ErpError as error:
            if _concerns_all(error):
                return answers | {doc.ref: error for doc in left.values()}
            posted = []
            for erp_id, doc in left.items():
                try:
                    self._post_or_discard(model, erp_id)
                    posted.append(erp_id)
                except ErpError as refused:
                    answers[doc.ref] = refused
        return answers | self._read_back(model, {erp_id: left[erp_id] for erp_id in posted})

    def _refuse_wrong_totals(self, model: str, drafts: Mapping[int, Document]) -> dict[Ref, Answer]:
        if model != INVOICE:
            return {}
        answers: dict[Ref, Answer] = {}
        for erp_id, total in self._references.totals(model, list(drafts)).items():
            expected = documents.bill_total(drafts[erp_id])
            if total != expected:
                self._discard(model, erp_id)
                answers[drafts[erp_id].ref] = refusal(
                    Code.REJECTED_PAYLOAD,
                    erp=ERP,
                    what=f": the total would be {total} instead of {expected}",
                )
        return answers

    def _post_or_discard(self, model: str, erp_id: int) -> None:
        try:
            self._rpc.call(f"model.{model}.post", [erp_id], write=True)
        except ErpError as error:
            if error.outcome == Outcome.NOT_POSTED:
                self._discard(model, erp_id)
            raise

    def _discard(self, model: str, erp_id: int) -> None:
        try:
            self._rpc.call(f"model.{model}.delete", [erp_id], write=True)
        except ErpError:
            # The refusal that led here matters more, and the next attempt removes the draft.
            return

    def _read_back(self, model: str, posted: Mapping[int, Document]) -> dict[Ref, Answer]:
        if not posted:
            return {}
        try:
            rows = self._rpc.read(model, [["id", "in", list(posted)]], ["number", "state"])
            totals = self._references.totals(model, list(posted))
        except ErpError as error:
            error.outcome = Outcome.UNKNOWN
            return {doc.ref: error for doc in posted.values()}
        return {
            posted[row["id"]].ref: self._records.posted(
                posted[row["id"]].ref,
                erp_id=row["id"],
                number=row["number"],
                state=row["state"],
                fresh=True,
                total=totals[row["id"]],
                kind=DocKind.JOURNAL if model == MOVE else None,
            )
            for row in rows
        }

    # -- payments

    def _book_payment(self, doc: Document, parties: Mapping[str, documents.Party]) -> Answer:
        party = party_of(doc, parties)
        if len(doc.lines) != 1:
            what = f": without our add-on in {ERP} a payment settles exactly one bill"
            raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=what)
        bill_id = self._bill_id(doc.lines[0], party)
        self._wizard.pay(doc, bill_id, party, described(doc.ref, doc.memo))
        try:
            found = self.find(doc.ref)
        except ErpError as error:
            error.outcome = Outcome.UNKNOWN
            raise
        if found is None:
            raise refusal(Code.UNKNOWN, erp=ERP, outcome=Outcome.UNKNOWN)
        return replace(found, fresh=True)

    def _bill_id(self, line: Line, party: documents.Party) -> int:
        bill = self.find(line.applies_to) if line.applies_to is not None else None
        if bill is None and line.applies_to_id:
            found = self._rpc.read(INVOICE, bill_by_id(line, party), ["state"])
            if not found or found[0]["state"] not in {"posted", "paid"}:
                raise bill_not_posted(line)
            return documents.record_id(line.applies_to_id)
        if bill is None or bill.state != State.POSTED:
            raise bill_not_posted(line)
        return int(bill.erp_id)


def _concerns_all(error: ErpError) -> bool:
    """Whether trying the documents one by one could not end otherwise, or could book one twice."""
    return error.outcome == Outcome.UNKNOWN or error.category == Category.TRANSIENT
