"""Finding our documents by the reference that their description starts with (class L)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connections.erp.adapters.tryton.documents import one_line
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.models import INVOICE, MODELS, MOVE, Records
from connections.erp.errors import Code
from connections.erp.records import DocKind, Posted, Ref
from connections.erp.refusals import refusal

VOID_SUFFIX = ":void"
Row = dict[str, Any]


class References:
    """Look-ups by reference, many at a time."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._rpc = records.rpc

    def find(self, ref: Ref) -> Posted | None:
        """What carries a reference.

        :raises ErpError: REF_REUSED with the ids, if several do
        """
        return self.posted(ref, self.rows(MODELS[ref.kind], [ref])[ref.full])

    def rows(self, model: str, refs: Sequence[Ref]) -> dict[str, list[Row]]:
        """Records and their reversals, by reference."""
        names = [ref.full for ref in refs]
        domain = ["OR", *([["description", "like", f"{name}%"]] for name in names)]
        rows: dict[str, list[Row]] = {name: [] for name in names}
        # `like` takes an underscore for any character, and a reference may start another one.
        fields = ["description", "number", "state", *(["origin"] if model == MOVE else [])]
        for row in self._rpc.read(model, domain, fields, order=[["id", "ASC"]]):
            name = row["description"].split(" ", 1)[0]
            row["void"] = name.endswith(VOID_SUFFIX)
            if name.removesuffix(VOID_SUFFIX) in rows:
                rows[name.removesuffix(VOID_SUFFIX)].append(row)
        return rows

    def posted(self, ref: Ref, rows: Sequence[Row]) -> Posted | None:
        """The one document among the rows of a reference.

        :raises ErpError: REF_REUSED with the ids, if there are several
        """
        originals = [row for row in rows if not row["void"]]
        if not originals:
            return None
        if len(originals) > 1:
            ids = " and ".join(str(row["id"]) for row in originals)
            raise refusal(Code.REF_REUSED, erp=ERP, what=f", twice: documents {ids}")
        row = originals[0]
        voided = any(other["void"] and other["state"] == "posted" for other in rows)
        return self._records.posted(
            ref,
            erp_id=row["id"],
            number=row["number"],
            state="void" if voided else row["state"],
            fresh=False,
            total=self.totals(MODELS[ref.kind], [row["id"]])[row["id"]],
            kind=_kind(row) if MODELS[ref.kind] == MOVE else None,
        )

    def totals(self, model: str, ids: Sequence[int]) -> dict[int, Decimal]:
        """Debits of moves, gross totals of invoices."""
        if model != INVOICE:
            return self._records.totals(ids)
        rows = self._rpc.read(INVOICE, [["id", "in", list(ids)]], ["total_amount"])
        return {row["id"]: row["total_amount"] for row in rows}


def _kind(move: Row) -> DocKind:
    """Its wizard books a payment as a move that comes from the bill."""
    is_of_bill = str(move["origin"] or "").startswith(f"{INVOICE},")
    return DocKind.BILL_PAYMENT if is_of_bill else DocKind.JOURNAL


def described(ref: Ref, memo: str) -> str:
    """The description that a document is found by."""
    return one_line(f"{ref.full} {memo}")


def described_void(ref: Ref, reason: str) -> str:
    """The description that a reversal is found by."""
    return one_line(f"{ref.full}{VOID_SUFFIX} {reason}")
