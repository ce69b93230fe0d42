"""Whose problem a failure is, and the words people read about it. Pure.

Clients, adapters and mappers state facts; only this module judges, by the rules and in the words of
`syncing.error_catalogue`. Three categories (R-72 to R-77):

    user-actionable    the customer can fix it: the text says what is wrong and how
    transient          time fixes it: the text says when we try next
    needs-integrator   we must act: the text gives a contact and a reference to quote

What this module does not know is needs-integrator, never "transient by default".
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from connections.erp.errors import ErpError, Outcome
from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from connections.ramp import errors as ramp
from connections.ramp import file_errors as files
from syncing.cannot_post import CannotPost
from syncing.error_catalogue import (
    ERP_RULES,
    GAVE_UP,
    OWN_RULES,
    PAYMENT_FIXES,
)
from syncing.error_catalogue import ErrorCategory as ErrorCategory
from syncing.error_catalogue import Origin as Origin


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


LONGEST_CAUSE = 200
RAMP_REFUSES = frozenset({"ramp.unauthorised", "ramp.scope_missing", "ramp.no_connection"})
"""While one of these stands, nothing is posted: Ramp could not be told (faults K17, T4)."""


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
                ErrorCategory.USER_ACTIONABLE if error.fix else ErrorCategory.NEEDS_INTEGRATOR,
                Origin.DATA,
                f"data.{error.code}",
                error.title,
                error.fix,
            )
        case MissingMapping():
            return _of_mapping(error, erp_name)


def judged(code: str, *, name: str = "", detail: str = "", **facts: object) -> SyncFailure:
    """The judgement of the catalogue under a code, filled in with facts.

    :param name: the code that people see, where it says more than the catalogue's own
    """
    rule = OWN_RULES[code]
    return SyncFailure(
        rule.category,
        rule.origin,
        name or code,
        rule.title.format(**facts),
        rule.fix.format(**facts),
        detail=detail,
        stops_connection=rule.stops_connection,
    )


def classify_ramp(error: ramp.RampError) -> SyncFailure:
    """Judge why talking to Ramp broke off. It concerns the whole connection, never one item."""
    detail = str(error)
    match error:
        case ramp.RampRateLimited():
            failure = judged("ramp.rate_limited", detail=detail)
            return replace(failure, retry_after=error.retry_after.total_seconds())
        case ramp.RampUnreachable():
            return judged("ramp.unavailable", detail=detail)
        case ramp.RampUnauthorised():
            return judged("ramp.unauthorised", detail=detail)
        case ramp.ScopeMissing():
            return judged("ramp.scope_missing", detail=detail, scopes=", ".join(error.scopes))
        case ramp.NoConnection():
            return judged("ramp.no_connection", detail=detail)
        case _:
            name = f"ramp.{(error.code or type(error).__name__).lower()}"
            return judged("ramp.unknown", name=name, detail=detail)


def classify_file(error: files.FileNotFetched) -> SyncFailure:
    """Judge why a receipt or an invoice could not be downloaded. It concerns this file only."""
    detail = str(error)
    match error:
        case files.AddressRefused():
            return judged("file.host_refused", detail=detail, host=error.host or "an address")
        case files.FileTooLarge():
            return judged("file.too_large", detail=detail)
        case files.AddressExpired():
            return judged("file.expired", detail=detail)
        case _:
            return judged("file.unavailable", detail=detail)


def is_unknown_outcome(error: ErpError) -> bool:
    """Whether the document may be booked all the same, so that nobody may simply send it again."""
    return error.outcome is Outcome.UNKNOWN


def seat_lost(title: str, fix: str) -> SyncFailure:
    """The judgement on a customer whose accounting connection in Ramp is not ours now (R-09)."""
    return replace(judged("ramp.no_connection"), title=title, fix=fix)


def no_credentials(reason: str) -> SyncFailure:
    """The judgement on a connection that nobody has given the credentials of one side."""
    return judged("us.no_credentials", reason=reason)


def attempts_spent(failure: SyncFailure, attempts: int) -> SyncFailure:
    """The judgement once waiting has not helped for the whole retry budget (R-74)."""
    return SyncFailure(
        ErrorCategory.NEEDS_INTEGRATOR,
        failure.origin,
        f"{failure.code}.gave_up",
        GAVE_UP.format(title=failure.title, attempts=attempts),
        detail=failure.detail,
    )


def poisonous(claims: int) -> SyncFailure:
    """The judgement on an item that no worker survives (rule 11)."""
    detail = f"{claims} workers took it up and none was heard of again."
    return judged("us.poison", detail=detail)


def without_answer(attempts: int) -> SyncFailure:
    """The judgement on a document that the ERP never answers for and does not hold either."""
    return judged("erp.no_answer", attempts=attempts)


def reference_too_short(erp_name: str, limit: int, needed: int) -> SyncFailure:
    """The judgement on an ERP that keeps too little of our reference to know it again (X18)."""
    return judged("erp.reference_too_short", erp=erp_name, limit=limit, needed=needed)


def reference_altered(erp_name: str, ours: str, theirs: str) -> SyncFailure:
    """The judgement on an ERP that keeps another reference than we gave (fault X18)."""
    detail = f"Sent {ours}, kept {theirs}."
    return judged("erp.reference_altered", erp=erp_name, detail=detail)


def unexpected(error: Exception) -> SyncFailure:
    """The judgement on a bug of ours that shows only with this item."""
    return judged("us.bug", detail=f"{type(error).__name__}: {error}")


def unreadable(reason: str) -> SyncFailure:
    """The judgement on an object of Ramp that is not as its contract says (fault P10)."""
    return judged("ramp.unreadable", detail=reason)


def unknown_standing(words: str) -> SyncFailure:
    """The judgement on an object that stands in Ramp in a way nobody foresaw (R-55)."""
    return judged("ramp.unknown_standing", words=words, detail=words)


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
    fix = PAYMENT_FIXES.get(error.code) if kind is DocKind.BILL_PAYMENT else None
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
    if error.kind in ("entity", "posting profile"):
        rule, name = "mapping.not_set_up", error.kind.replace(" ", "_")
    else:
        rule = "mapping.closed" if error.why else "mapping.missing"
        name = error.kind.lower().replace(" ", "_")
    failure = judged(
        rule,
        name=f"mapping.{name}",
        kind=error.kind,
        erp=erp_name,
        why=error.why,
        what=error.name,
    )
    cause = cause_of_missing(error.kind, error.value, field_id=error.field_id)
    return replace(failure, blocked_by=cause)


def cause_of_missing(kind: str, value: str, *, field_id: str = "") -> str:
    """The cause that all items share which lack one mapping; of field options with the field."""
    if field_id:
        return _cause("mapping.field option", f"{field_id}/{value}")
    return _cause(f"mapping.{kind}", value)


def _cause(kind: str, subject: str) -> str:
    """The name of a shared cause: `kind:subject`, as long as it is kept."""
    return f"{kind}:{subject}"[:LONGEST_CAUSE]
