"""Every judgement on an error, and the words people read about it, as data. Pure.

`syncing.classifier` fills it in. What each category promises (R-73 to R-75) is held by
`syncing.error_texts`, to which a test puts every line of this file.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connections.erp.errors import Code


class ErrorCategory(StrEnum):
    """Who gets it moving again."""

    USER_ACTIONABLE = "user_actionable"
    TRANSIENT = "transient"
    NEEDS_INTEGRATOR = "needs_integrator"


class Origin(StrEnum):
    """Where it went wrong."""

    DATA = "data"
    ERP = "erp"
    RAMP = "ramp"
    US = "us"


@dataclass(frozen=True, slots=True)
class Rule:
    """The judgement on one kind of error. `{erp}` and the like are filled in."""

    category: ErrorCategory
    origin: Origin
    fix: str = ""
    title: str = ""
    """Empty where whoever states the fact brings it, as adapters do."""
    shared: bool = False
    """Items of a customer share its cause, which one check of the ERP can find gone."""
    stops_connection: bool = False
    """No other item of the customer would fare better."""


_USER = ErrorCategory.USER_ACTIONABLE
_TIME = ErrorCategory.TRANSIENT
_OURS = ErrorCategory.NEEDS_INTEGRATOR


ERP_RULES: Mapping[Code, Rule] = {
    Code.PERIOD_CLOSED: Rule(
        _USER,
        Origin.ERP,
        "Reopen the period in {erp}, or change the accounting date in Ramp."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.ACCOUNT_INACTIVE: Rule(
        _USER,
        Origin.ERP,
        "Choose another GL account in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.DIMENSION_INACTIVE: Rule(
        _USER,
        Origin.ERP,
        "Choose another value in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.DIMENSION_REQUIRED: Rule(
        _USER, Origin.DATA, "Fill in the missing field on this item in Ramp."
    ),
    Code.VENDOR_MISSING: Rule(
        _USER,
        Origin.DATA,
        "Choose a vendor that exists in {erp}, or create this one there."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.VENDOR_INACTIVE: Rule(
        _USER,
        Origin.ERP,
        "Choose another vendor in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.TAX_CODE_INVALID: Rule(
        _USER, Origin.DATA, "Choose a tax code that {erp} accepts for this account and date."
    ),
    Code.DUPLICATE_NUMBER: Rule(
        _USER,
        Origin.DATA,
        "Check whether this invoice is in {erp} already. If it is another one, change its number"
        " in Ramp.",
    ),
    Code.EXCHANGE_RATE_MISSING: Rule(
        _USER,
        Origin.ERP,
        "Enter the exchange rate in {erp}. It then goes through by itself.",
        shared=True,
    ),
    Code.OVERPAYMENT: Rule(
        _USER, Origin.DATA, "Check the payments of this bill in {erp} and remove the surplus."
    ),
    Code.APPROVAL_NEEDED: Rule(
        _USER, Origin.ERP, "Approve it in {erp}. It then goes through by itself.", shared=True
    ),
    Code.SUBSCRIPTION_LAPSED: Rule(
        _USER,
        Origin.ERP,
        "Renew the {erp} subscription. Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.AUTH_EXPIRED: Rule(
        _USER,
        Origin.ERP,
        "Connect {erp} again. Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.FORBIDDEN: Rule(
        _USER,
        Origin.ERP,
        "Give the integration's user in {erp} the missing permission."
        " Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.RATE_LIMITED: Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.ERP_UNAVAILABLE: Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.TIMEOUT: Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.CONFLICT: Rule(_TIME, Origin.ERP),
    Code.BILL_NOT_POSTED: Rule(_TIME, Origin.DATA),
    Code.UNBALANCED: Rule(_OURS, Origin.US),
    Code.REJECTED_PAYLOAD: Rule(_OURS, Origin.US),
    Code.REF_REUSED: Rule(_OURS, Origin.US),
    Code.UNKNOWN: Rule(_OURS, Origin.ERP),
}

PAYMENT_FIXES: Mapping[Code, str] = {
    Code.PERIOD_CLOSED: "Reopen the period in {erp}: a payment is dated on the day the money left"
    " the bank, which cannot be changed in Ramp. It then goes through by itself.",
}
"""What to do where it is a bill's payment that is refused (F-18)."""


_ALL_FOLLOW = " Everything waiting then goes through by itself."
_FOLLOWS = " It then goes through by itself."

OWN_RULES: Mapping[str, Rule] = {
    # Ramp as a whole
    "ramp.rate_limited": Rule(_TIME, Origin.RAMP, title="Ramp asks us to slow down."),
    "ramp.unavailable": Rule(_TIME, Origin.RAMP, title="Ramp did not answer."),
    "ramp.unauthorised": Rule(
        _USER,
        Origin.RAMP,
        f"Authorise rampbridge in Ramp again.{_ALL_FOLLOW}",
        "Ramp no longer accepts this connection's credentials.",
        stops_connection=True,
    ),
    "ramp.scope_missing": Rule(
        _USER,
        Origin.RAMP,
        f"Grant it in Ramp.{_ALL_FOLLOW}",
        "In Ramp, rampbridge lacks the permission {scopes}.",
        stops_connection=True,
    ),
    "ramp.no_connection": Rule(
        _USER,
        Origin.RAMP,
        "Choose rampbridge under Accounting, Settings, Switch Providers in Ramp.",
        "Ramp has no active API accounting connection for this customer.",
        stops_connection=True,
    ),
    "ramp.unknown": Rule(
        _OURS,
        Origin.RAMP,
        title="Ramp answered in a way that rampbridge does not know.",
        stops_connection=True,
    ),
    # Single objects of Ramp
    "ramp.unreadable": Rule(
        _OURS,
        Origin.RAMP,
        title="Ramp's record of this item has a form that rampbridge does not know.",
    ),
    "ramp.unknown_standing": Rule(_OURS, Origin.RAMP, title="{words}"),
    # Files
    "file.host_refused": Rule(
        _OURS,
        Origin.US,
        "If this host is Ramp's, add it to RECEIPT_HOSTS.",
        "The file is kept at {host}, where rampbridge may not go.",
    ),
    "file.too_large": Rule(
        _USER,
        Origin.DATA,
        "Attach it in the ERP by hand, or put a smaller one in its place in Ramp.",
        "The file is too large to be attached.",
    ),
    "file.expired": Rule(
        _TIME, Origin.RAMP, title="Ramp does not give the file out at the moment."
    ),
    "file.unavailable": Rule(_TIME, Origin.RAMP, title="The file did not come."),
    # Codings that lead nowhere
    "mapping.not_set_up": Rule(
        _OURS, Origin.US, title="The {kind} {what} is not set up for {erp} yet."
    ),
    "mapping.missing": Rule(
        _USER,
        Origin.DATA,
        "Choose another {kind} in Ramp, or ask us to map this one.",
        "{erp} has no {kind} called {what}.",
    ),
    "mapping.closed": Rule(
        _USER,
        Origin.DATA,
        f"Correct it in {{erp}}, or choose another {{kind}} in Ramp.{_FOLLOWS}",
        "The {kind} {what} {why} in {erp}.",
    ),
    # Vendors that are to be created
    "vendor.looks_alike": Rule(
        _USER,
        Origin.DATA,
        "If it is, choose that vendor on the transaction in Ramp. If it is not, ask support"
        " to create it as a vendor of its own.",
        "{what} may be a vendor that {erp} has: {others}.",
    ),
    "vendor.several": Rule(
        _USER,
        Origin.DATA,
        f"Choose one of them on the transaction in Ramp.{_FOLLOWS}",
        "{erp} has several vendors called {what}.",
    ),
    "vendor.not_confirmed": Rule(
        _TIME, Origin.RAMP, title="Ramp does not show the vendor on the transaction yet."
    ),
    "vendor.not_codable": Rule(
        _USER,
        Origin.RAMP,
        f"Choose the vendor {{what}} on it in Ramp.{_FOLLOWS}",
        "Ramp does not let us put the vendor {what} on this transaction.",
    ),
    # The ERP, looked at over several attempts
    "erp.no_answer": Rule(
        _OURS,
        Origin.ERP,
        title="The ERP did not say what became of this item in {attempts} attempts; it is not"
        " booked.",
    ),
    "erp.reference_too_short": Rule(
        _OURS,
        Origin.ERP,
        title="{erp} keeps {limit} characters of a reference, and {needed} are needed to tell"
        " documents apart. Nothing is posted.",
        stops_connection=True,
    ),
    "erp.reference_altered": Rule(
        _OURS,
        Origin.ERP,
        title="{erp} has changed our reference, so documents could be booked twice.",
        stops_connection=True,
    ),
    # Us
    "us.no_credentials": Rule(_OURS, Origin.US, title="{reason}", stops_connection=True),
    "us.poison": Rule(_OURS, Origin.US, title="This item could not be processed."),
    "us.bug": Rule(_OURS, Origin.US, title="This item could not be turned into a document."),
}
"""All others, by their code. A code of `mapping.` names what is missing instead."""

GAVE_UP = "{title} It did not pass in {attempts} attempts."
"""Once waiting has not helped for the whole retry budget (R-74); `.gave_up` follows the code."""
