"""Paying a bill by Tryton's own wizard, which books the payment and settles the bill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connections.erp.adapters.tryton.documents import Party, record_id
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.models import INVOICE, Records
from connections.erp.errors import Code, Outcome
from connections.erp.records import Document, MasterKind
from connections.erp.refusals import refusal

WIZARD = "wizard.account.invoice.pay"


class PayWizard:
    """Payments without our add-on: one bill each."""

    def __init__(self, records: Records) -> None:
        self._rpc = records.rpc
        self._catalogue = records.catalogue

    def pay(self, doc: Document, bill_id: int, party: Party, description: str) -> None:
        """Book the payment of one bill.

        :raises ErpError: OVERPAYMENT, or what Tryton refuses
        """
        bill = self._rpc.read(
            INVOICE, [["id", "=", bill_id]], ["amount_to_pay", "number", "account", "currency"]
        )[0]
        if doc.total > bill["amount_to_pay"]:
            raise refusal(Code.OVERPAYMENT, erp=ERP, what=f"bill {bill['number']}")
        self._catalogue.open_period(doc.posting_date)
        start = {
            "payee": party.id,
            "payees": [party.id],
            "amount": doc.total,
            "currency": bill["currency"],
            "description": description,
            "company": self._catalogue.company().id,
            "invoice_account": bill["account"],
            "payment_method": self._method(doc),
            "date": doc.posting_date,
        }
        # A partial payment makes the wizard ask what to do with the rest; "pay" answers it at once.
        ask = {"type": "partial", "lines": [], "lines_to_pay": [], "payment_lines": []}
        self._run({"start": start, "ask": {**ask, "invoice": bill_id}}, bill_id)

    def _run(self, data: Mapping[str, Any], bill_id: int) -> None:
        context = {"active_model": INVOICE, "active_id": bill_id, "active_ids": [bill_id]}
        session, *_ = self._rpc.call(f"{WIZARD}.create", write=True, context=context)
        self._rpc.call(f"{WIZARD}.execute", session, data, "pay", write=True, context=context)
        self._rpc.call(f"{WIZARD}.delete", session, write=True, context=context)

    def _method(self, doc: Document) -> int:
        rows = self._rpc.read(
            "account.invoice.payment.method",
            [["credit_account", "=", record_id(doc.bank_account)]],
            [],
            limit=1,
        )
        if not rows:
            error = refusal(
                Code.ACCOUNT_INACTIVE,
                erp=ERP,
                outcome=Outcome.NOT_POSTED,
                subject=(MasterKind.ACCOUNT, doc.bank_account),
            )
            error.title = f"{ERP} has no payment method for the account that the money leaves."
            error.fix = f"Create one in {ERP}, or map payments to another account, then retry."
            raise error
        method: int = rows[0]["id"]
        return method
