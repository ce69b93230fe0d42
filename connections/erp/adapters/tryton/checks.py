"""What Tryton would refuse, or accept though it should not, found by reading alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from connections.erp.adapters.tryton import documents
from connections.erp.adapters.tryton.catalogue import Period, period_closed
from connections.erp.adapters.tryton.errors import ERP, JOURNAL_CLOSED_FIX, JOURNAL_CLOSED_TITLE
from connections.erp.adapters.tryton.models import INACTIVE_TOO, Records
from connections.erp.errors import Code, ErpError
from connections.erp.records import DocKind, Document, MasterKind
from connections.erp.refusals import WORDS, refusal, spoken

Row = dict[str, Any]

BLAMES_A_RECORD = {
    Code.ACCOUNT_INACTIVE,
    Code.DIMENSION_INACTIVE,
    Code.TAX_CODE_INVALID,
    Code.VENDOR_INACTIVE,
}


def problems(records: Records, doc: Document) -> Iterator[ErpError]:
    """All that reading can tell, most telling first. Asks Tryton afresh, in a few calls."""
    if not doc.lines:
        yield refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=": it has no lines")
    if doc.kind == DocKind.JOURNAL and doc.total != 0:
        yield refusal(Code.UNBALANCED, erp=ERP, what=f" by {doc.total} {doc.currency}")
    yield from _period_problems(records, doc)
    yield from _account_problems(records, doc)
    yield from _party_problems(records, doc)
    yield from _dimension_problems(records, doc)
    yield from _tax_problems(records, doc)


def explained(records: Records, doc: Document, error: ErpError) -> ErpError:
    """The same error, naming what is to blame where Tryton's answer did not."""
    if error.code == Code.PERIOD_CLOSED:
        _explain_period(records, doc, error)
    if error.code in BLAMES_A_RECORD and error.subject is None:
        try:
            found = [each for each in problems(records, doc) if each.code == error.code]
        except ErpError:
            # It cannot be asked just now; what it refused the document for matters more.
            return error
        error.subject = found[0].subject if found else None
    return error


def _explain_period(records: Records, doc: Document, error: ErpError) -> None:
    """Speak of the period where it is closed itself: Tryton may complain of its journal only."""
    try:
        records.catalogue.open_period(doc.posting_date, fresh=True)
    except ErpError as closed:
        if closed.code == Code.PERIOD_CLOSED:
            error.title, error.fix = closed.title, closed.fix
            return
    if WORDS[error.code].what in error.title:
        error.title = refusal(error.code, erp=ERP, what=spoken(doc.posting_date)).title


def _period_problems(records: Records, doc: Document) -> Iterator[ErpError]:
    try:
        period = records.catalogue.open_period(doc.posting_date, fresh=True)
        yield from _journal_problems(records, doc, period)
        currency = records.catalogue.currency(doc.currency)
        if currency != records.catalogue.company().currency and doc.exchange_rate is None:
            records.catalogue.rate(currency, doc.posting_date)
    except ErpError as error:
        if error.code not in {Code.PERIOD_CLOSED, Code.EXCHANGE_RATE_MISSING}:
            raise
        yield error


def _journal_problems(records: Records, doc: Document, period: Period) -> Iterator[ErpError]:
    journal = records.catalogue.company().journals.get(documents.JOURNAL_TYPES[doc.kind])
    closed = records.rpc.read(
        "account.journal.period",
        [["period", "=", period.id], ["journal", "=", journal], ["state", "=", "closed"]],
        ["rec_name"],
    )
    for row in closed:
        error = period_closed(doc.posting_date)
        error.title = JOURNAL_CLOSED_TITLE.format(what=row["rec_name"])
        error.fix = JOURNAL_CLOSED_FIX
        yield error


def _account_problems(records: Records, doc: Document) -> Iterator[ErpError]:
    accounts = {doc.bank_account, doc.payables_account, *(line.account for line in doc.lines)}
    wanted = accounts - {""}
    fields = ["rec_name", "active", "closed", "type", "party_required"]
    known = _by_id(records, "account.account", wanted, fields)
    for account in sorted(wanted):
        if account not in known:
            yield refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": there is no account {account}")
        elif not takes_postings(known[account]):
            yield refusal(
                Code.ACCOUNT_INACTIVE,
                erp=ERP,
                what=f"Account {known[account]['rec_name']}",
                subject=(MasterKind.ACCOUNT, account),
            )
    for line in doc.lines:
        needs_party = line.account in known and known[line.account]["party_required"]
        if needs_party and not (line.party or doc.party):
            yield refusal(Code.VENDOR_MISSING, erp=ERP)


def takes_postings(account: Row) -> bool:
    """Whether an account of Tryton's can stand in a new document."""
    return bool(account["active"] and not account["closed"] and account["type"] is not None)


def _party_problems(records: Records, doc: Document) -> Iterator[ErpError]:
    wanted = {line.party for line in doc.lines if line.party} | {doc.party} - {""}
    known = records.parties(wanted)
    for party in sorted(wanted):
        if party not in known:
            yield refusal(Code.VENDOR_MISSING, erp=ERP, what=f"vendor {party}")
        elif not known[party].active:
            yield refusal(
                Code.VENDOR_INACTIVE,
                erp=ERP,
                what=known[party].name,
                subject=(MasterKind.VENDOR, party),
            )
    if doc.kind != DocKind.JOURNAL and not doc.party:
        yield refusal(Code.VENDOR_MISSING, erp=ERP)


def _dimension_problems(records: Records, doc: Document) -> Iterator[ErpError]:
    wanted = {value for line in doc.lines for value in line.dimensions.values()}
    known = _by_id(records, "analytic_account.account", wanted, ["rec_name", "active"])
    for value in sorted(wanted):
        if value not in known or not known[value]["active"]:
            yield refusal(
                Code.DIMENSION_INACTIVE,
                erp=ERP,
                what=known[value]["rec_name"] if value in known else "",
                subject=(MasterKind.DIMENSION_VALUE, value),
            )


def _tax_problems(records: Records, doc: Document) -> Iterator[ErpError]:
    wanted = {tax for line in doc.lines for tax in line.taxes}
    known = _by_id(records, "account.tax", wanted, ["rec_name", "active"])
    for tax in sorted(wanted):
        if tax not in known or not known[tax]["active"]:
            yield refusal(
                Code.TAX_CODE_INVALID,
                erp=ERP,
                what=known[tax]["rec_name"] if tax in known else "",
                subject=(MasterKind.TAX_CODE, tax),
            )


def _by_id(
    records: Records, model: str, ids: Iterable[str], fields: Sequence[str]
) -> dict[str, Row]:
    wanted = sorted({documents.record_id(text) for text in ids})
    if not wanted:
        return {}
    rows = records.rpc.read(model, [["id", "in", wanted]], fields, context=INACTIVE_TOO)
    return {str(row["id"]): row for row in rows}
