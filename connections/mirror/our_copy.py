"""Our copy of the ERP's chart: which table each record belongs to, and which columns are the ERP's.

Nothing is cut silently. A name that fills its column was longer, and the comparison with Ramp
refuses to send it (`NAME_LIMIT`); a record whose id does not fit is kept back and counted.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models.functions import Now

from connections.erp.records import Master, MasterKind
from connections.mirror.digests import digests, hint
from connections.models import (
    Connection,
    CustomField,
    ErpEntity,
    FieldOption,
    LedgerAccount,
    TaxCode,
    TaxRate,
    Vendor,
)
from connections.models.reference import ReferenceKind
from rampbridge.lib.text import storable

NAME_LIMIT = 300
"""A name of so many characters is kept as the beginning of a longer one."""
_ID_LIMIT = 100
_RATE_DECIMALS = 8
_HIGHEST_RATE = 10_000
_CLASSIFICATIONS = {"ASSET", "CREDCARD", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE"}

COMMON = ("name", "code", "parent_erp_id", "is_active", "gone_at")
GONE = {"gone_at": Now(), "changed_at": Now(), "updated_at": Now()}


class KeptBack(Exception):
    """The record cannot be kept as it is now: a row that it has stays. Says why; for the log."""


class ComesLater(KeptBack):
    """What it leans on comes with the next read: it must be told once more then."""


class NotHere(Exception):
    """The record belongs to another table than this one: a row that it has here is gone."""


class Unfit(NotHere):
    """The record is of a sort that has no place in Ramp at all. Says why; for the log."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row as the ERP wants it."""

    row: Any
    aliases: frozenset[str] = frozenset()
    """What in a column of digests means the same, written under an older key."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What rows are made with."""

    connection: Connection
    fields: Mapping[str, int]
    """Our ids of the dimensions, by the ERP's."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """One table of our copy."""

    name: str
    """As runs and pages name it; those of `ReferenceKind`, and "entity"."""
    model: Any
    candidate: Callable[[Master, Desk], Candidate]
    """Raises `KeptBack`, `NotHere` or `Unfit`."""
    columns: Sequence[str]
    """What comes from the ERP."""
    identity: Sequence[str] = ("connection_id", "erp_id")
    gone: Mapping[str, Any] = field(default_factory=lambda: GONE)
    """What is written when a record is absent from the ERP's whole list."""
    present: Mapping[str, Any] = field(default_factory=lambda: {"gone_at": None})

    def key(self, row: models.Model) -> tuple[Any, ...]:
        """What tells a row from all others."""
        return tuple(getattr(row, name) for name in self.identity)


def _account(master: Master, desk: Desk) -> Candidate:
    known = master.classification in _CLASSIFICATIONS
    return Candidate(
        LedgerAccount(
            **_common(master, desk),
            classification=master.classification if known else "UNKNOWN",
            is_postable=master.postable,
        )
    )


def _field(master: Master, desk: Desk) -> Candidate:
    return Candidate(CustomField(**_common(master, desk)))


def _option(master: Master, desk: Desk) -> Candidate:
    if master.parent not in desk.fields:
        raise ComesLater(f"its dimension {master.parent} is not known yet")
    return Candidate(FieldOption(**_common(master, desk), field_id=desk.fields[master.parent]))


def _vendor(master: Master, desk: Desk) -> Candidate:
    extra = master.extra
    tax_id, bank = extra.get("tax_id", ""), extra.get("bank", "")
    owner = desk.connection.pk
    tax_digests = digests(tax_id, field="tax_id", connection_id=owner)
    bank_digests = digests(bank, field="bank", connection_id=owner)
    country = extra.get("country", "")
    email = extra.get("email", "")
    row = Vendor(
        **_common(master, desk),
        merged_into=_fitting(extra.get("merged_into", "")),
        email=email if len(email) <= 254 else "",
        country=country.upper() if len(country) == 2 else "",
        tax_id_hint=hint(tax_id),
        tax_id_digest=_first(tax_digests),
        bank_hint=hint(bank),
        bank_digest=_first(bank_digests),
    )
    return Candidate(row, frozenset(tax_digests + bank_digests))


def _tax_rate(master: Master, desk: Desk) -> Candidate:
    if "rate" not in master.extra:
        raise NotHere
    return Candidate(
        TaxRate(
            **_common(master, desk),
            rate=_rate(master.extra["rate"]),
            account_erp_id=_fitting(master.extra.get("account", "")),
        )
    )


def _tax_code(master: Master, desk: Desk) -> Candidate:
    if master.parent:
        raise NotHere
    if "rate" in master.extra:
        _rate(master.extra["rate"])
    own = master.id if "rate" in master.extra else ""
    parts = [part for part in master.extra.get("parts", own).split(",") if part]
    if not parts:
        raise Unfit("it is neither a percentage nor made of percentages")
    return Candidate(TaxCode(**_common(master, desk), rate_erp_ids=parts))


def _entity(master: Master, desk: Desk) -> Candidate:
    return Candidate(
        ErpEntity(
            connection=desk.connection,
            erp_id=_fitting(master.id),
            name=storable(master.name)[:200],
            currency=master.currency if len(master.currency) == 3 else "",
            is_active=master.active,
        )
    )


SHELVES: Mapping[MasterKind, Sequence[Shelf]] = {
    MasterKind.ENTITY: (
        Shelf(
            "entity",
            ErpEntity,
            _entity,
            ("name", "currency", "is_active"),
            gone={"is_active": False},
            present={"is_active": True},
        ),
    ),
    MasterKind.ACCOUNT: (
        Shelf(
            ReferenceKind.ACCOUNT.value,
            LedgerAccount,
            _account,
            (*COMMON, "classification", "is_postable"),
        ),
    ),
    MasterKind.DIMENSION: (Shelf(ReferenceKind.FIELD.value, CustomField, _field, COMMON),),
    MasterKind.DIMENSION_VALUE: (
        Shelf(
            ReferenceKind.OPTION.value,
            FieldOption,
            _option,
            COMMON,
            identity=("field_id", "erp_id"),
        ),
    ),
    MasterKind.VENDOR: (
        Shelf(
            ReferenceKind.VENDOR.value,
            Vendor,
            _vendor,
            (
                *(*COMMON, "merged_into", "email", "country"),
                *("tax_id_hint", "tax_id_digest", "bank_hint", "bank_digest"),
            ),
        ),
    ),
    MasterKind.TAX_CODE: (
        Shelf(
            ReferenceKind.TAX_RATE.value, TaxRate, _tax_rate, (*COMMON, "rate", "account_erp_id")
        ),
        Shelf(ReferenceKind.TAX_CODE.value, TaxCode, _tax_code, (*COMMON, "rate_erp_ids")),
    ),
}
"""In the order in which they are read: what others lean on comes first."""


def _common(master: Master, desk: Desk) -> dict[str, Any]:
    return {
        "connection": desk.connection,
        "erp_id": _fitting(master.id),
        "name": storable(master.name)[:NAME_LIMIT],
        "code": _fitting(master.code),
        "parent_erp_id": _fitting(master.parent),
        "is_active": master.active,
    }


def _fitting(text: str) -> str:
    """Ids and codes are kept whole or not at all: half of one may be another's."""
    if len(text) > _ID_LIMIT:
        raise KeptBack(f"{text[:20]}… is longer than {_ID_LIMIT} characters")
    if storable(text) != text:
        raise KeptBack("it has characters that no text may have")
    return text


def _rate(text: str) -> Decimal:
    rate = Decimal(text)
    if abs(rate) >= _HIGHEST_RATE or rate != round(rate, _RATE_DECIMALS):
        raise Unfit(f"its rate {text} has more than {_RATE_DECIMALS} decimals, or is too high")
    return rate


def _first(found: Sequence[str]) -> str:
    return found[0] if found else ""
