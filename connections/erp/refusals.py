"""The words for every code, the same for all ERPs, and a function that fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import MasterKind


@dataclass(frozen=True, slots=True)
class Words:
    title: str
    fix: str
    what: str = ""
    """What stands for {what} while nobody knows better."""


WORDS: Mapping[Code, Words] = {
    Code.PERIOD_CLOSED: Words(
        "{erp} has no open period for {what}.",
        "Open the period in {erp}, or change the accounting date in Ramp, then retry.",
        "the accounting date",
    ),
    Code.ACCOUNT_INACTIVE: Words(
        "{what} does not take postings in {erp}.",
        "Reactivate the account in {erp}, or map to another one, then retry.",
        "An account",
    ),
    Code.DIMENSION_INACTIVE: Words(
        "{what} is not active in {erp}.",
        "Reactivate it in {erp}, or choose another value in Ramp, then retry.",
        "A department or other tracking value",
    ),
    Code.DIMENSION_REQUIRED: Words(
        "{erp} requires {what}.",
        "Choose a value in Ramp, then retry.",
        "a department or other tracking value that is not set",
    ),
    Code.VENDOR_MISSING: Words(
        "{erp} needs a vendor here and does not know {what}.",
        "Choose a vendor in Ramp that exists in {erp}, or create it there, then retry.",
        "the one given",
    ),
    Code.VENDOR_INACTIVE: Words(
        "{what} is not active in {erp}.",
        "Reactivate the vendor in {erp}, or choose another one in Ramp, then retry.",
        "The vendor",
    ),
    Code.TAX_CODE_INVALID: Words(
        "{what} cannot be used in {erp}.",
        "Choose another tax code in Ramp, or reactivate this one in {erp}, then retry.",
        "The tax code",
    ),
    Code.DUPLICATE_NUMBER: Words(
        "{erp} already has a bill of this vendor with {what}.",
        "If it is the same bill, mark this one as handled. If not, correct its number, then retry.",
        "the same number",
    ),
    Code.EXCHANGE_RATE_MISSING: Words(
        "{erp} has no exchange rate for {what}.",
        "Enter the rate in {erp}, then retry.",
        "the currency on that date",
    ),
    Code.BILL_NOT_POSTED: Words(
        "The bill that this payment settles is not posted in {erp} yet.",
        "The payment follows once its bill is posted.",
    ),
    Code.OVERPAYMENT: Words(
        "The payment is larger than what is open on {what} in {erp}.",
        "See in {erp} who else has paid this bill, then correct one of the payments.",
        "the bill",
    ),
    Code.APPROVAL_NEEDED: Words(
        "{erp} wants somebody to approve {what} first.",
        "Approve it in {erp}, then retry.",
        "this document",
    ),
    Code.SUBSCRIPTION_LAPSED: Words(
        "The subscription of {erp} has lapsed.",
        "Renew it, then retry.",
    ),
    Code.AUTH_EXPIRED: Words(
        "{erp} no longer accepts our sign-in.",
        "Connect {erp} again with a valid user and password.",
    ),
    Code.FORBIDDEN: Words(
        "Our user in {erp} may not do this{what}.",
        "Give the user the accounting permissions in {erp}, then retry.",
    ),
    Code.RATE_LIMITED: Words(
        "{erp} asks us to slow down.",
        "It is tried again a little later.",
    ),
    Code.ERP_UNAVAILABLE: Words(
        "{erp} is not available at the moment.",
        "It is tried again a little later.",
    ),
    Code.TIMEOUT: Words(
        "{erp} did not answer in time.",
        "We look in {erp} whether it has arrived before it is sent again.",
    ),
    Code.CONFLICT: Words(
        "Somebody else changed the same record in {erp} at that moment.",
        "It is tried again a little later.",
    ),
    Code.UNBALANCED: Words(
        "Debits and credits of the document we built differ{what}.",
        "Contact us: this is ours to correct.",
    ),
    Code.REJECTED_PAYLOAD: Words(
        "{erp} does not accept the document as we built it{what}.",
        "Contact us: this is ours to correct.",
    ),
    Code.REF_REUSED: Words(
        "{erp} already holds another document under our reference{what}.",
        "Contact us: this is ours to sort out.",
    ),
    Code.UNKNOWN: Words(
        "{erp} answered with something we do not know.",
        "Contact us: this is ours to sort out.",
    ),
}


def refusal(
    code: Code,
    *,
    erp: str,
    what: str = "",
    outcome: Outcome = Outcome.NOT_POSTED,
    erp_code: str = "",
    erp_message: str = "",
    retry_after: float | None = None,
    subject: tuple[MasterKind, str] | None = None,
) -> ErpError:
    """An `ErpError` in the common words. `what` names the record, as people of that ERP name it."""
    words = WORDS[code]
    what = what or words.what
    title = words.title.format(erp=erp, what=what)
    return ErpError(
        code=code,
        title=title[:1].upper() + title[1:],
        fix=words.fix.format(erp=erp, what=what),
        outcome=outcome,
        erp_code=erp_code,
        erp_message=erp_message,
        retry_after=retry_after,
        subject=subject,
    )


def spoken(day: date) -> str:
    """A day as titles say it: "5 March 2026"."""
    return f"{day.day} {day:%B %Y}"
