"""What Tryton refuses, and how, as a table; and the step from its answers to `ErpError`.

Tryton refuses in two forms. Over plain JSON-RPC the exception's class is lost and its message is
translated, so we sign in with the language `en`; through our add-on the class names come along.
The table asks for the class where there is one, and for the message otherwise. The first row that
fits wins; what fits none is UNKNOWN, never "transient by default".
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.refusals import refusal

ERP = "Tryton"
UNFORESEEN = "unforeseen"
"""The kind of an exception that Tryton did not mean for people."""


JOURNAL_CLOSED_TITLE = "The journal-period {what} is closed in Tryton."
JOURNAL_CLOSED_FIX = (
    "Reopen it in Tryton under Financial, Journals, Journal Periods, though its period is open "
    "already; then retry."
)


@dataclass(frozen=True, slots=True)
class Complaint:
    """An exception of Tryton's, however it reached us."""

    kind: str
    """"UserError", "UserWarning", "ConcurrencyException" or UNFORESEEN."""
    message: str
    types: Sequence[str] = ()
    """Names of the exception's class and its bases, most special first; only through the add-on."""
    name: str = ""
    """UserWarning: the key under which a person would confirm it."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table: all that is given must fit."""

    code: Code
    kind: str = ""
    type: str = ""
    name: str = ""
    message: str = ""
    """A regular expression; its group `what` names the record in the title."""
    prefix: str = ""
    """What stands before the group."""
    title: str = ""
    """In place of the common words; `{what}` is the group."""
    fix: str = ""

    def match(self, complaint: Complaint) -> str | None:
        """What the message names, perhaps nothing; None if the rule does not fit."""
        if self.kind and self.kind != complaint.kind:
            return None
        if self.type and self.type not in complaint.types:
            return None
        if self.name and not complaint.name.endswith(self.name):
            return None
        found = re.search(self.message, complaint.message, re.DOTALL)
        if found is None:
            return None
        what = found.groupdict().get("what")
        return self.prefix + what if what else ""


_INVALID = r'The value "(?P<what>[^"]*)" for field "{field}" in record .* of "{model}" is not valid'
_MISSING = r'The value "(?P<what>[^"]*)" for field "{field}" .*does not exist'

RULES: Sequence[Rule] = (
    # Our add-on's own refusals
    Rule(Code.REF_REUSED, type="ReferenceReusedError", message="(?P<what>.*)", prefix=": "),
    Rule(Code.REJECTED_PAYLOAD, type="TotalDiffersError", message="(?P<what>.*)", prefix=": "),
    Rule(Code.REJECTED_PAYLOAD, type="DocumentNotFoundError", message="(?P<what>.*)", prefix=": "),
    Rule(Code.BILL_NOT_POSTED, type="BillNotPostedError"),
    Rule(Code.OVERPAYMENT, type="OverpaymentError", message='open on "(?P<what>[^"]*)"'),
    # Periods
    Rule(Code.PERIOD_CLOSED, type="PeriodNotFoundError"),
    Rule(Code.PERIOD_CLOSED, message="you must reopen the period"),
    Rule(Code.PERIOD_CLOSED, message="you must create a period"),
    Rule(Code.PERIOD_CLOSED, message="journal-period in closed period"),
    # Reopening a period leaves its journals closed, unless our add-on is there.
    Rule(
        Code.PERIOD_CLOSED,
        message='on closed journal-period "(?P<what>[^"]*)"',
        title=JOURNAL_CLOSED_TITLE,
        fix=JOURNAL_CLOSED_FIX,
    ),
    Rule(Code.PERIOD_CLOSED, message=_INVALID.format(field="Period", model='[^"]*')),
    # Accounts and dimensions
    Rule(Code.DIMENSION_INACTIVE, message=_INVALID.format(field="Account", model="Analytic.*")),
    Rule(
        Code.ACCOUNT_INACTIVE,
        message=_INVALID.format(field="Account", model=".*"),
        prefix="Account ",
    ),
    Rule(
        Code.REJECTED_PAYLOAD,
        message=_MISSING.format(field="Account"),
        prefix=": there is no account ",
    ),
    # Vendors
    Rule(Code.VENDOR_MISSING, message='A value is required for field "Party"'),
    Rule(Code.VENDOR_MISSING, message=_MISSING.format(field="Party"), prefix="vendor "),
    Rule(Code.DUPLICATE_NUMBER, kind="UserWarning", name="invoice_similar"),
    # Taxes
    Rule(Code.TAX_CODE_INVALID, kind="UserWarning", name="invoice_taxes"),
    Rule(Code.TAX_CODE_INVALID, message=_INVALID.format(field="Tax(es)?", model=".*")),
    Rule(Code.TAX_CODE_INVALID, message=_MISSING.format(field="Tax(es)?")),
    # A bill that is paid at another rate than it was booked at
    Rule(
        Code.REJECTED_PAYLOAD,
        message="define a currency exchange (journal|(credit|debit) account)",
        title=f"{ERP} has no journal or account for currency gains and losses.",
        fix=f"Choose them in {ERP}'s accounting configuration, then retry.",
    ),
    # What we build
    Rule(Code.UNBALANCED, message="you must balance all its lines"),
    Rule(Code.REJECTED_PAYLOAD, message="you must fill in its lines", prefix=": it has no lines"),
    Rule(Code.REJECTED_PAYLOAD, message="The number of digits in the value"),
    Rule(Code.REJECTED_PAYLOAD, message="contains some invalid chars"),
    Rule(Code.REJECTED_PAYLOAD, message="is too long"),
    Rule(Code.REJECTED_PAYLOAD, message="is not valid according to its domain"),
    Rule(Code.REJECTED_PAYLOAD, message=r"does not exist\."),
    Rule(Code.REJECTED_PAYLOAD, message="A value is required for field"),
    Rule(Code.REJECTED_PAYLOAD, message="You cannot modify posted move"),
    Rule(Code.REF_REUSED, message="must be unique"),
    Rule(Code.OVERPAYMENT, message="amount greater than the amount to pay"),
    # Rights, and others at work
    Rule(Code.FORBIDDEN, type="AccessButtonError"),
    Rule(Code.FORBIDDEN, message="You are not allowed to"),
    Rule(Code.FORBIDDEN, message="is not allowed"),
    Rule(Code.CONFLICT, kind="ConcurrencyException"),
    # A key of a dictionary that is not there: a model or field that this Tryton does not have
    Rule(Code.ERP_UNAVAILABLE, kind=UNFORESEEN, message=r"^'res\.user'$"),
    Rule(Code.REJECTED_PAYLOAD, kind=UNFORESEEN, message=r"^'(?P<what>[\w.]+)'$", prefix=": no "),
)


def error_from(complaint: Complaint, *, write: bool) -> ErpError:
    """The error for an exception of Tryton's.

    Tryton rolls back what it refuses. Only an exception that it did not foresee may have come
    after its commit, so that leaves a write unknown.
    """
    for rule in RULES:
        what = rule.match(complaint)
        if what is not None:
            error = _refusal(rule.code, complaint, what=what)
            error.title = rule.title.format(what=what) or error.title
            error.fix = rule.fix or error.fix
            return error
    unforeseen = complaint.kind == UNFORESEEN
    return _refusal(
        Code.UNKNOWN,
        complaint,
        outcome=Outcome.UNKNOWN if write and unforeseen else Outcome.NOT_POSTED,
    )


def complaint_from_error(error: Any) -> Complaint:
    """Read the `error` member of a JSON-RPC answer."""
    match error:
        case ["UserError", [message, description, [domain, *_]]]:
            # The domain's second part describes fields at great length; nobody needs it.
            detail = f"{description} {json.dumps(domain, default=str)}"
            return Complaint("UserError", str(message), detail=detail.strip())
        case ["UserError", [message, description, *_]]:
            return Complaint("UserError", str(message), detail=str(description))
        case ["UserWarning", [name, message, *_]]:
            return Complaint("UserWarning", str(message), name=str(name))
        case ["ConcurrencyException", message]:
            return Complaint("ConcurrencyException", str(message))
        case [message, *_]:
            return Complaint(UNFORESEEN, str(message))
        case _:
            return Complaint(UNFORESEEN, str(error))


def complaint_from_refusal(refused: Mapping[str, Any]) -> Complaint:
    """Read an answer of the add-on that says `refused`."""
    types = tuple(refused["types"])
    kind = "UserWarning" if "UserWarning" in types else "UserError"
    return Complaint(
        kind,
        refused["message"],
        types=types,
        name=refused["name"],
        detail=refused["description"] or refused["domain"],
    )


def error_from_status(
    status: int, body: str, retry_after: float | None, *, write: bool
) -> ErpError:
    """The error for an answer that is not 200."""
    rule = STATUSES.get(status, _ANY_STATUS)
    outcome = Outcome.UNKNOWN if write and rule.may_be_booked(body) else Outcome.NOT_POSTED
    return refusal(
        rule.code,
        erp=ERP,
        outcome=outcome,
        erp_code=f"HTTP {status}",
        erp_message=_plain(body),
        retry_after=retry_after,
    )


@dataclass(frozen=True, slots=True)
class StatusRule:
    code: Code
    definite: bool = True
    """The answer proves that nothing was booked."""
    unless: str = ""
    """... except when its body says this."""

    def may_be_booked(self, body: str) -> bool:
        if not self.definite:
            return True
        return bool(self.unless) and re.search(self.unless, body) is not None


# PostgreSQL went away: perhaps during the commit.
_CONNECTION_LOST = "terminating connection|server closed the connection|connection is lost"

_ANY_STATUS = StatusRule(Code.UNKNOWN, definite=False)

STATUSES: Mapping[int, StatusRule] = {
    400: StatusRule(Code.REJECTED_PAYLOAD),
    401: StatusRule(Code.AUTH_EXPIRED),
    403: StatusRule(Code.FORBIDDEN),
    # Tryton says 404 when it cannot reach the database, so this is no proof of a wrong address.
    404: StatusRule(Code.ERP_UNAVAILABLE),
    413: StatusRule(Code.REJECTED_PAYLOAD),
    422: StatusRule(Code.REJECTED_PAYLOAD),
    429: StatusRule(Code.RATE_LIMITED),
    500: StatusRule(Code.ERP_UNAVAILABLE, definite=False),
    502: StatusRule(Code.ERP_UNAVAILABLE, definite=False),
    # Rolled back: somebody else held a sequence's lock.
    503: StatusRule(Code.ERP_UNAVAILABLE, unless=_CONNECTION_LOST),
    504: StatusRule(Code.TIMEOUT, definite=False),
}


def _refusal(
    code: Code, complaint: Complaint, *, what: str = "", outcome: Outcome = Outcome.NOT_POSTED
) -> ErpError:
    message = " ".join(part for part in (complaint.message, complaint.detail) if part)
    return refusal(
        code,
        erp=ERP,
        what=what,
        outcome=outcome,
        erp_code=complaint.types[0] if complaint.types else complaint.kind,
        erp_message=message,
    )


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())[:500]
