"""Booking through our add-on: Tryton itself keeps a reference from being booked twice (class K)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton import documents
from connections.erp.adapters.tryton.errors import ERP, complaint_from_refusal, error_from
from connections.erp.adapters.tryton.models import (
    INVOICE,
    MODELS,
    Bill,
    Records,
    bill_by_id,
    bill_not_posted,
    party_of,
)
from connections.erp.errors import Code, ErpError
from connections.erp.records import DocKind, Document, Line, Posted, Ref
from connections.erp.refusals import refusal

Answer = Posted | ErpError

METHODS: Mapping[DocKind, str] = {
    DocKind.JOURNAL: "model.account.move.bridge_post",
    DocKind.BILL: "model.account.invoice.bridge_post",
    DocKind.VENDOR_CREDIT: "model.account.invoice.bridge_post",
    DocKind.BILL_PAYMENT: "model.account.move.bridge_pay",
}


class BridgeBooking:
    """One call per kind of document: look-up, creation and posting in one transaction."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._rpc = records.rpc
        self._catalogue = records.catalogue

    def book(self, docs: Sequence[Document]) -> list[Answer]:
        """An answer for each document, in order."""
        answers: dict[Ref, Answer] = {}
        for method in dict.fromkeys(METHODS.values()):
            group = [doc for doc in docs if METHODS[doc.kind] == method]
            answers |= self._book_group(method, group)
        return [answers[doc.ref] for doc in docs]

    def find(self, ref: Ref) -> Posted | None:
        """What carries the reference."""
        model = MODELS[ref.kind]
        fields = ["number", "state", "external_ref"]
        void_ref = f"{ref.full}:void"
        rows = {
            row["external_ref"]: row
            for row in self._rpc.read(model, [["external_ref", "in", [ref.full, void_ref]]], fields)
        }
        row = rows.get(ref.full)
        if row is None:
            return None
        return self._records.posted(
            ref,
            erp_id=row["id"],
            number=row["number"],
            state="void" if void_ref in rows else row["state"],
            fresh=False,
            total=self._total(model, row["id"]),
        )

    def void(self, ref: Ref, on: date, reason: str) -> Posted:
        """Post the opposite, or return what is void already."""
        answer = self._rpc.call(
            f"model.{MODELS[ref.kind]}.bridge_void", ref.full, on, reason, write=True
        )
        result = self._answer(ref, answer)
        if isinstance(result, ErpError):
            raise result
        return result

    def _total(self, model: str, erp_id: int) -> Decimal:
        if model == INVOICE:
            row = self._rpc.read(INVOICE, [["id", "=", erp_id]], ["total_amount"])[0]
            return Decimal(row["total_amount"])
        return self._records.totals([erp_id])[erp_id]

    def _book_group(self, method: str, docs: Sequence[Document]) -> dict[Ref, Answer]:
        if not docs:
            return {}
        try:
            bodies = self._bodies(docs)
            known = self._known([doc for doc in docs if isinstance(bodies[doc.ref], ErpError)])
            to_send = [body for body in bodies.values() if not isinstance(body, ErpError)]
            replies = iter(self._rpc.call(method, to_send, write=True) if to_send else ())
        except ErpError as error:
            return {doc.ref: error for doc in docs}
        answers: dict[Ref, Answer] = {
            ref: body if isinstance(body, ErpError) else self._answer(ref, next(replies))
            for ref, body in bodies.items()
        }
        return answers | known

    def _known(self, refused: Sequence[Document]) -> dict[Ref, Answer]:
        """Those documents that Tryton holds although it would refuse them today.

        A document sent again after its answer was lost must not be called refused because its
        period was closed meanwhile.
        """
        known: dict[Ref, Answer] = {}
        for doc in refused:
            found = self.find(doc.ref)
            if found is not None:
                known[doc.ref] = found
        return known

    def _answer(self, ref: Ref, reply: Mapping[str, Any]) -> Answer:
        if "refused" in reply:
            return error_from(complaint_from_refusal(reply["refused"]), write=True)
        return self._records.posted(
            ref,
            erp_id=reply["id"],
            number=reply["number"],
            state=reply["state"],
            fresh=reply["created"],
            total=reply["total"],
        )

    def _bodies(self, docs: Sequence[Document]) -> dict[Ref, dict[str, Any] | ErpError]:
        """What to send for each document, or why it need not be sent."""
        parties = self._records.parties(doc.party for doc in docs if doc.kind != DocKind.JOURNAL)
        bodies: dict[Ref, dict[str, Any] | ErpError] = {}
        for doc in docs:
            try:
                body = self._body(doc, parties)
            except ErpError as error:
                bodies[doc.ref] = error
            else:
                bodies[doc.ref] = {"ref": doc.ref.full, "fingerprint": doc.fingerprint, **body}
        return bodies

    def _body(self, doc: Document, parties: Mapping[str, documents.Party]) -> dict[str, Any]:
        match doc.kind:
            case DocKind.JOURNAL:
                return {"values": documents.journal(doc, self._catalogue)}
            case DocKind.BILL | DocKind.VENDOR_CREDIT:
                values = documents.bill(doc, self._catalogue, party_of(doc, parties))
                return {"values": values, "total": documents.bill_total(doc)}
            case DocKind.BILL_PAYMENT:
                return self._payment(doc, party_of(doc, parties))

    def _payment(self, doc: Document, party: documents.Party) -> dict[str, Any]:
        bills = [self._bill(line, party) for line in doc.lines]
        accounts = [bill.account for bill in bills]
        return {
            "values": documents.payment(doc, self._catalogue, accounts),
            "pays": [
                {"line": index, "ref": "", "id": bill.id, "amount": line.amount}
                for index, (line, bill) in enumerate(zip(doc.lines, bills, strict=True))
            ],
        }

    def _bill(self, line: Line, party: documents.Party) -> Bill:
        if line.applies_to is None and not line.applies_to_id:
            raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=": it names no bill to pay")
        rows: list[dict[str, Any]] = []
        if line.applies_to is not None:
            domain = [["external_ref", "=", line.applies_to.full]]
            rows = self._rpc.read(INVOICE, domain, ["account", "state"])
        if not rows and line.applies_to_id:
            rows = self._rpc.read(INVOICE, bill_by_id(line, party), ["account", "state"])
        if not rows or rows[0]["state"] not in {"posted", "paid"}:
            raise bill_not_posted(line)
        return Bill(id=rows[0]["id"], account=rows[0]["account"])
