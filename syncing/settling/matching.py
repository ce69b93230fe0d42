"""How well a document of the ERP matches an item, with the reasons in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connections.erp.records import State
from connections.erp.search import FoundDocument

NEAR = timedelta(days=3)
CERTAIN = 100

_AMOUNT, _NUMBER, _PARTY, _SAME_DAY, _NEAR_DAY = 40, 25, 20, 14, 8


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of the document that an item ought to have."""

    ref: str
    amount: Decimal
    """Without a sign."""
    currency: str
    day: date | None
    party: str = ""
    party_id: str = ""
    supplier_number: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One document of the ERP, held against an item."""

    document: FoundDocument
    score: int
    """0 to 100; 100 only with our own reference."""
    reasons: Sequence[str]
    problems: Sequence[str]
    """What must not differ, and does: adopting it needs a reason and a second person."""


def match(wanted: Wanted, document: FoundDocument) -> Match:
    """Compare one document with what is wanted."""
    reasons, score = [], 0
    problems = list(_problems(wanted, document))
    if not problems:
        reasons.append("same amount")
        score += _AMOUNT
    if wanted.supplier_number and wanted.supplier_number == document.supplier_number:
        reasons.append(f"same invoice number {document.supplier_number}")
        score += _NUMBER
    if _is_same_party(wanted, document):
        reasons.append("same vendor")
        score += _PARTY
    days, points = _days_apart(wanted, document)
    if days:
        reasons.append(days)
        score += points
    if document.ref and document.ref == wanted.ref:
        return Match(document, CERTAIN, ["carries our reference", *reasons], problems)
    return Match(document, min(score, CERTAIN - 1), reasons, problems)


def best_first(wanted: Wanted, documents: Sequence[FoundDocument]) -> list[Match]:
    """Each document once, the best match first."""
    once = {(one.kind, one.erp_id): one for one in documents}
    matches = [match(wanted, one) for one in once.values()]
    return sorted(matches, key=lambda one: (-one.score, one.document.erp_id))


def why_not_adoptable(document: FoundDocument) -> str:
    """Why nobody may say that an item is this document; empty if one may."""
    name = document.number or document.erp_id
    match document.state:
        case State.DRAFT:
            return f"{name} is a draft. Post or delete it in the ERP, then look again."
        case State.PENDING:
            return f"{name} is not booked yet. Look again later."
        case State.VOID:
            return f"{name} was voided in the ERP, so the item is not booked by it."
        case State.POSTED:
            return ""


def _problems(wanted: Wanted, document: FoundDocument) -> Sequence[str]:
    if document.currency != wanted.currency:
        return [
            f"It is over {document.total:,f} {document.currency},"
            f" the item over {wanted.amount:,f} {wanted.currency}."
        ]
    if document.total != wanted.amount:
        return [
            f"It is over {document.total:,f} {document.currency},"
            f" {abs(document.total - wanted.amount):,f} {wanted.currency} off."
        ]
    return []


def _is_same_party(wanted: Wanted, document: FoundDocument) -> bool:
    if wanted.party_id and document.party_id:
        return wanted.party_id == document.party_id
    return bool(document.party) and document.party.casefold() == wanted.party.casefold()


def _days_apart(wanted: Wanted, document: FoundDocument) -> tuple[str, int]:
    if wanted.day is None or document.posting_date is None:
        return "", 0
    apart = abs(wanted.day - document.posting_date)
    if not apart:
        return "same date", _SAME_DAY
    if apart <= NEAR:
        return f"{apart.days} day{'s' if apart.days > 1 else ''} apart", _NEAR_DAY
    return "", 0
