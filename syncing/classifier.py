"""Whose problem a failure is, and the words people read about it. Pure.

Clients, adapters and mappers state facts; only this module judges. Three categories (R-72 to R-77):

    user-actionable    the customer can fix it: the text says what is wrong and how
    transient          time fixes it: the text says when we try next
    needs-integrator   we must act: the text gives a contact and a reference to quote

What this module does not know is needs-integrator, never "transient by default".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from connections.ramp import errors as ramp
from connections.ramp import file_errors as files
from syncing.cannot_post import CannotPost


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
class SyncFailure:
    """One judgement. `title` and `fix` are fit to show to a customer's accountant."""

    category: ErrorCategory
    origin: Origin
    code: str
    title: str
    fix: str = ""
    detail: str = ""
    """As the other side said it, for support."""
    blocked_by: str = ""
    """A cause shared by several items, which one check of the ERP can find gone."""
    retry_after: float | None = None
    """Seconds the other side asked us to wait."""
    stops_connection: bool = False
    """True: no other item of this connection would fare better."""


@dataclass(frozen=True, slots=True)
class _Rule:
    category: ErrorCategory
    origin: Origin
    fix: str = ""
    shared: bool = False
    stops_connection: bool = False


LONGEST_CAUSE = 200
RAMP_REFUSES = frozenset({"ramp.unauthorised", "ramp.scope_missing", "ramp.no_connection"})
"""While one of these stands, nothing is posted: Ramp could not be told (faults K17, T4)."""

_USER = ErrorCategory.USER_ACTIONABLE
_TIME = ErrorCategory.TRANSIENT
_OURS = ErrorCategory.NEEDS_INTEGRATOR

ERP_RULES: Mapping[Code, _Rule] = {
    Code.PERIOD_CLOSED: _Rule(
        _USER,
        Origin.ERP,
        "Reopen the period in {erp}, or change the accounting date in Ramp."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.ACCOUNT_INACTIVE: _Rule(
        _USER,
        Origin.ERP,
        "Choose another GL account in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.DIMENSION_INACTIVE: _Rule(
        _USER,
        Origin.ERP,
        "Choose another value in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.DIMENSION_REQUIRED: _Rule(
        _USER, Origin.DATA, "Fill in the missing field on this item in Ramp."
    ),
    Code.VENDOR_MISSING: _Rule(
        _USER,
        Origin.DATA,
        "Choose a vendor that exists in {erp}, or create this one there."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.VENDOR_INACTIVE: _Rule(
        _USER,
        Origin.ERP,
        "Choose another vendor in Ramp, or reactivate this one in {erp}."
        " It then goes through by itself.",
        shared=True,
    ),
    Code.TAX_CODE_INVALID: _Rule(
        _USER, Origin.DATA, "Choose a tax code that {erp} accepts for this account and date."
    ),
    Code.DUPLICATE_NUMBER: _Rule(
        _USER,
        Origin.DATA,
        "Check whether this invoice is in {erp} already. If it is another one, change its number"
        " in Ramp.",
    ),
    Code.EXCHANGE_RATE_MISSING: _Rule(
        _USER,
        Origin.ERP,
        "Enter the exchange rate in {erp}. It then goes through by itself.",
        shared=True,
    ),
    Code.OVERPAYMENT: _Rule(
        _USER, Origin.DATA, "Check the payments of this bill in {erp} and remove the surplus."
    ),
    Code.APPROVAL_NEEDED: _Rule(
        _USER, Origin.ERP, "Approve it in {erp}. It then goes through by itself.", shared=True
    ),
    Code.SUBSCRIPTION_LAPSED: _Rule(
        _USER,
        Origin.ERP,
        "Renew the {erp} subscription. Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.AUTH_EXPIRED: _Rule(
        _USER,
        Origin.ERP,
        "Connect {erp} again. Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.FORBIDDEN: _Rule(
        _USER,
        Origin.ERP,
        "Give the integration's user in {erp} the missing permission."
        " Everything waiting then goes through by itself.",
        stops_connection=True,
    ),
    Code.RATE_LIMITED: _Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.ERP_UNAVAILABLE: _Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.TIMEOUT: _Rule(_TIME, Origin.ERP, stops_connection=True),
    Code.CONFLICT: _Rule(_TIME, Origin.ERP),
    Code.BILL_NOT_POSTED: _Rule(_TIME, Origin.DATA),
    Code.UNBALANCED: _Rule(_OURS, Origin.US),
    Code.REJECTED_PAYLOAD: _Rule(_OURS, Origin.US),
    Code.REF_REUSED: _Rule(_OURS, Origin.US),
    Code.UNKNOWN: _Rule(_OURS, Origin.ERP),
}

_PAYMENT_FIXES: Mapping[Code, str] = {
    Code.PERIOD_CLOSED: "Reopen the period in {erp}: a payment is dated on the day the money left"
    " the bank, which cannot be changed in Ramp. It then goes through by itself.",
}
"""What to do where it is a bill's payment that is refused (F-18)."""


def classify(
    error: ErpError | CannotPost | MissingMapping,
    *,
    erp_name: str,
    posting_date: date | None = None,
    kind: DocKind | None = None,
) -> SyncFailure:
    """Judge why one item could not be posted. Only for definite refusals: nothing is booked.

    `posting_date` tells apart what depends on it: items of two months do not share a closed period.
    `kind` is that of the document: what mends a bill does not always mend its payment.
    """
    match error:
        case ErpError():
            return _of_erp(error, erp_name, posting_date, kind)
        case CannotPost():
            return SyncFailure(
                _USER if error.fix else _OURS,
                Origin.DATA,
                f"data.{error.code}",
                error.title,
                error.fix,
            )
        case MissingMapping():
            return _of_mapping(error, erp_name)


def classify_ramp(error: ramp.RampError) -> SyncFailure:
    """Judge why talking to Ramp broke off. It concerns the whole connection, never one item."""
    detail = str(error)
    match error:
        case ramp.RampRateLimited():
            return SyncFailure(
                _TIME,
                Origin.RAMP,
                "ramp.rate_limited",
                "Ramp asks us to slow down.",
                detail=detail,
                retry_after=error.retry_after.total_seconds(),
            )
        case ramp.RampUnreachable():
            return SyncFailure(
                _TIME, Origin.RAMP, "ramp.unavailable", "Ramp did not answer.", detail=detail
            )
        case ramp.RampUnauthorised():
            return SyncFailure(
                _USER,
                Origin.RAMP,
                "ramp.unauthorised",
                "Ramp no longer accepts this connection's credentials.",
                "Authorise rampbridge in Ramp again."
                " Everything waiting then goes through by itself.",
                detail=detail,
                stops_connection=True,
            )
        case ramp.ScopeMissing():
            return SyncFailure(
                _USER,
                Origin.RAMP,
                "ramp.scope_missing",
                f"In Ramp, rampbridge lacks the permission {', '.join(error.scopes)}.",
                "Grant it in Ramp. Everything waiting then goes through by itself.",
                detail=detail,
                stops_connection=True,
            )
        case ramp.NoConnection():
            return SyncFailure(
                _USER,
                Origin.RAMP,
                "ramp.no_connection",
                "Ramp has no active API accounting connection for this customer.",
                "Choose rampbridge under Accounting, Settings, Switch Providers in Ramp.",
                detail=detail,
                stops_connection=True,
            )
        case _:
            return SyncFailure(
                _OURS,
                Origin.RAMP,
                f"ramp.{(error.code or type(error).__name__).lower()}",
                "Ramp answered in a way that rampbridge does not know.",
                detail=detail,
                stops_connection=True,
            )


def classify_file(error: files.FileNotFetched) -> SyncFailure:
    """Judge why a receipt or an invoice could not be downloaded. It concerns this file only."""
    detail = str(error)
    match error:
        case files.AddressRefused():
            return SyncFailure(
                _OURS,
                Origin.US,
                "file.host_refused",
                f"The file is kept at {error.host or 'an address'}, where rampbridge may not go.",
                "If this host is Ramp's, add it to RECEIPT_HOSTS.",
                detail=detail,
            )
        case files.FileTooLarge():
            return SyncFailure(
                _USER,
                Origin.DATA,
                "file.too_large",
                "The file is too large to be attached.",
                "Attach it in the ERP by hand, or put a smaller one in its place in Ramp.",
                detail=detail,
            )
        case files.AddressExpired():
            return SyncFailure(
                _TIME,
                Origin.RAMP,
                "file.expired",
                "Ramp does not give the file out at the moment.",
                detail=detail,
            )
        case _:
            return SyncFailure(
                _TIME, Origin.RAMP, "file.unavailable", "The file did not come.", detail=detail
            )


def is_unknown_outcome(error: ErpError) -> bool:
    """Whether the document may be booked all the same, so that nobody may simply send it again."""
    return error.outcome is Outcome.UNKNOWN


def seat_lost(title: str, fix: str) -> SyncFailure:
    """The judgement on a customer whose accounting connection in Ramp is not ours now (R-09)."""
    return SyncFailure(_USER, Origin.RAMP, "ramp.no_connection", title, fix, stops_connection=True)


def no_credentials(reason: str) -> SyncFailure:
    """The judgement on a connection that nobody has given the credentials of one side."""
    return SyncFailure(_OURS, Origin.US, "us.no_credentials", reason, stops_connection=True)


def attempts_spent(failure: SyncFailure, attempts: int) -> SyncFailure:
    """The judgement once waiting has not helped for the whole retry budget (R-74)."""
    return SyncFailure(
        _OURS,
        failure.origin,
        f"{failure.code}.gave_up",
        f"{failure.title} It did not pass in {attempts} attempts.",
        detail=failure.detail,
    )


def poisonous(claims: int) -> SyncFailure:
    """The judgement on an item that no worker survives (rule 11)."""
    return SyncFailure(
        _OURS,
        Origin.US,
        "us.poison",
        "This item could not be processed.",
        detail=f"{claims} workers took it up and none was heard of again.",
    )


def without_answer(attempts: int) -> SyncFailure:
    """The judgement on a document that the ERP never answers for and does not hold either."""
    return SyncFailure(
        _OURS,
        Origin.ERP,
        "erp.no_answer",
        f"The ERP did not say what became of this item in {attempts} attempts; it is not booked.",
    )


def reference_too_short(erp_name: str, limit: int, needed: int) -> SyncFailure:
    """The judgement on an ERP that keeps too little of our reference to know it again (X18)."""
    return SyncFailure(
        _OURS,
        Origin.ERP,
        "erp.reference_too_short",
        f"{erp_name} keeps {limit} characters of a reference, and {needed} are needed to tell"
        " documents apart. Nothing is posted.",
        stops_connection=True,
    )


def reference_altered(erp_name: str, ours: str, theirs: str) -> SyncFailure:
    """The judgement on an ERP that keeps another reference than we gave (fault X18)."""
    return SyncFailure(
        _OURS,
        Origin.ERP,
        "erp.reference_altered",
        f"{erp_name} has changed our reference, so documents could be booked twice.",
        detail=f"Sent {ours}, kept {theirs}.",
        stops_connection=True,
    )


def unexpected(error: Exception) -> SyncFailure:
    """The judgement on a bug of ours that shows only with this item."""
    return SyncFailure(
        _OURS,
        Origin.US,
        "us.bug",
        "This item could not be turned into a document.",
        detail=f"{type(error).__name__}: {error}",
    )


def unreadable(reason: str) -> SyncFailure:
    """The judgement on an object of Ramp that is not as its contract says (fault P10)."""
    return SyncFailure(
        _OURS,
        Origin.RAMP,
        "ramp.unreadable",
        "Ramp's record of this item has a form that rampbridge does not know.",
        detail=reason,
    )


def unknown_standing(words: str) -> SyncFailure:
    """The judgement on an object that stands in Ramp in a way nobody foresaw (R-55)."""
    return SyncFailure(_OURS, Origin.RAMP, "ramp.unknown_standing", words, detail=words)


def text_for_customer(
    failure: SyncFailure,
    *,
    reference: str,
    contact: str,
    next_try_at: datetime | None = None,
    attempt: int = 0,
    budget: int = 0,
) -> str:
    """The words that Ramp shows as the item's export error (R-72 to R-75)."""
    match failure.category:
        case ErrorCategory.USER_ACTIONABLE:
            return f"{failure.title} {failure.fix}"
        case ErrorCategory.TRANSIENT:
            if next_try_at is None:
                raise ValueError("A transient failure needs the time of its next attempt.")
            return (
                f"{failure.title} We will try again at {next_try_at:%H:%M} UTC"
                f" (attempt {attempt} of {budget}). Nothing to do."
            )
        case ErrorCategory.NEEDS_INTEGRATOR:
            return f"{failure.title} Contact {contact} and quote {reference}."


def _of_erp(
    error: ErpError, erp_name: str, posting_date: date | None, kind: DocKind | None
) -> SyncFailure:
    rule = ERP_RULES[error.code]
    fix = _PAYMENT_FIXES.get(error.code) if kind is DocKind.BILL_PAYMENT else None
    said = " ".join(part for part in (error.erp_code, error.erp_message) if part)
    month = f"{posting_date:%Y-%m}" if posting_date else ""
    subject = error.subject[1] if error.subject else month
    return SyncFailure(
        rule.category,
        rule.origin,
        f"erp.{error.code}",
        error.title,
        (fix or rule.fix).format(erp=erp_name),
        detail=f"{said} (reference {error.reference})" if error.reference else said,
        blocked_by=_cause(f"erp.{error.code}", subject) if rule.shared else "",
        retry_after=error.retry_after,
        stops_connection=rule.stops_connection,
    )


def _of_mapping(error: MissingMapping, erp_name: str) -> SyncFailure:
    cause = cause_of_missing(error.kind, error.value, field_id=error.field_id)
    if error.kind in ("entity", "posting profile"):
        return SyncFailure(
            _OURS,
            Origin.US,
            f"mapping.{error.kind.replace(' ', '_')}",
            f"The {error.kind} {error.name} is not set up for {erp_name} yet.",
            blocked_by=cause,
        )
    title, fix = (
        f"{erp_name} has no {error.kind} called {error.name}.",
        f"Choose another {error.kind} in Ramp, or ask us to map this one.",
    )
    if error.why:
        title = f"The {error.kind} {error.name} {error.why} in {erp_name}."
        fix = (
            f"Correct it in {erp_name}, or choose another {error.kind} in Ramp."
            " It then goes through by itself."
        )
    return SyncFailure(
        _USER,
        Origin.DATA,
        f"mapping.{error.kind.lower().replace(' ', '_')}",
        title,
        fix,
        blocked_by=cause,
    )


def cause_of_missing(kind: str, value: str, *, field_id: str = "") -> str:
    """The cause that all items share which lack one mapping; of field options with the field."""
    if field_id:
        return _cause("mapping.field option", f"{field_id}/{value}")
    return _cause(f"mapping.{kind}", value)


def _cause(kind: str, subject: str) -> str:
    """The name of a shared cause: `kind:subject`, as long as it is kept."""
    return f"{kind}:{subject}"[:LONGEST_CAUSE]
