"""Which line of the book a cause speaks of, and which causes end when a line changes.

A held item names its cause in `blocked_by`: `mapping.GL account:7100`, `erp.account_inactive:88`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from connections.mapping_book.changes import Change
from connections.mappings import POSTING_PROFILE
from connections.models import MappingKind
from syncing.classifier import LONGEST_CAUSE, cause_of_missing

Kind = MappingKind

_MISSING: Mapping[str, MappingKind] = {
    "GL account": Kind.GL_ACCOUNT,
    "vendor": Kind.VENDOR,
    "tax code": Kind.TAX_CODE,
    "entity": Kind.ENTITY,
    POSTING_PROFILE: Kind.PROFILE,
}
"""What `MissingMapping.kind` says, apart from options, of which the field is said."""

CLOSED: Mapping[str, MappingKind] = {
    "erp.account_inactive": Kind.GL_ACCOUNT,
    "erp.vendor_inactive": Kind.VENDOR,
    "erp.vendor_missing": Kind.VENDOR,
    "erp.dimension_inactive": Kind.FIELD_OPTION,
}
"""The ERP's own refusals which another mapping ends: the coding leads to what it has closed."""

_OPTION = "mapping.field option:"


@dataclass(frozen=True, slots=True)
class Place:
    """What a held item lacks: a line of the book, by the coding that leads nowhere."""

    kind: MappingKind
    external_id: str
    field_erp_id: str = ""


def place_of(cause: str, fields: Mapping[str, str]) -> Place | None:
    """The line that a cause speaks of; None of causes that no mapping ends."""
    head, _, value = cause.partition(":")
    if len(cause) >= LONGEST_CAUSE or not value:  # cut off, so nobody knows which coding it is
        return None
    if head in CLOSED:
        return Place(CLOSED[head], value)
    if cause.startswith(_OPTION):
        field = next((one for one in fields if value.startswith(f"{one}/")), None)
        if field is None:
            return None
        return Place(Kind.FIELD_OPTION, value[len(field) + 1 :], field)
    said = head.removeprefix("mapping.")
    if said in _MISSING:
        return Place(_MISSING[said], value)
    named = [field for field, name in fields.items() if name == said]
    return Place(Kind.FIELD_OPTION, value, named[0]) if len(named) == 1 else None


def causes_of(change: Change, fields: Mapping[str, str]) -> list[str]:
    """What items say that lack the line, or whose coding leads to a closed record by itself."""
    value, field = change.ramp_external_id, change.field_erp_id
    match change.kind:
        case Kind.FIELD_OPTION:
            missing = [
                cause_of_missing("", value, field_id=field),
                cause_of_missing(fields.get(field, ""), value),  # as items said it before
            ]
        case Kind.PROFILE if value == "bank_account":  # the other one falls back to it
            missing = [
                cause_of_missing(POSTING_PROFILE, one) for one in (value, "transfer_bank_account")
            ]
        case kind:
            words = next(word for word, one in _MISSING.items() if one == kind)
            missing = [cause_of_missing(words, value)]
    if change.kind in (Kind.PROFILE, Kind.ENTITY):
        return missing
    return missing + [f"{code}:{value}"[:LONGEST_CAUSE] for code in closed_codes(change.kind)]


def closed_codes(kind: str) -> list[str]:
    """The ERP's refusals of closed records of a kind; posting accounts are GL accounts."""
    of = Kind.GL_ACCOUNT if kind == Kind.PROFILE else kind
    return [code for code, one in CLOSED.items() if one == of]
