"""What the tests of the mappers share: one customer's mappings, and the way in."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

from connections.erp.records import Document
from connections.mappings import (
    EntityTarget,
    MappingSet,
    Profile,
    Target,
    TaxPart,
    TaxTarget,
)
from rampbridge.lib.money import MINOR_UNITS
from syncing.posting import document_for
from tests.spend import ENTITY

TENANT = "harbor"
CARD, BANK, PAYBACK, CASHBACK = "2150", "1000", "2210", "4900"
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
INPUT_TAX = "1500"


def tax_target(*rates: str, erp_id: str = "t", name: str = "Tax") -> TaxTarget:
    """A tax code of one rate, or of several at once, all on one account."""
    parts = (
        TaxPart(f"{erp_id}.{number}", f"{name} {rate}", Decimal(rate), INPUT_TAX)
        for number, rate in enumerate(rates, start=1)
    )
    return TaxTarget(erp_id, name, tuple(parts))


PROFILE = Profile(
    card_liability_account=CARD,
    bank_account=BANK,
    reimbursement_account=PAYBACK,
    cashback_account=CASHBACK,
)
ACME, OTHER = Target("v-1", "Acme Hosting"), Target("v-2", "Other Ltd")
MAPPINGS = MappingSet(
    accounts={code: Target(code, code) for code in ("6100", "6200", "6300", "6400")},
    vendors={"acme": ACME, "v-1": ACME, "v-2": OTHER},
    vendor_codes={"C-1": ACME},
    vendor_names={"acme hosting": ACME, "other ltd": OTHER},
    tax_codes={"T10": tax_target("0.10", erp_id="t-10", name="Tax 10%")},
    options={("department", "ENG"): Target("ENG", "Engineering")},
    fields={"department": "Department"},
    entities={str(ENTITY): EntityTarget("Harbor", "erp-1", is_mapped=True, currency="USD")},
    profiles={"": PROFILE},
)


def document(
    object_type: str, body: dict[str, Any], mappings: MappingSet = MAPPINGS, **context: bool
) -> Document:
    """The document of an object, by way of its JSON text as in production."""
    return document_for(object_type, json.dumps(body), mappings=mappings, tenant=TENANT, **context)


def with_profile(**changes: str) -> MappingSet:
    """The mappings, with other accounts in the posting profile."""
    return replace(MAPPINGS, profiles={"": replace(PROFILE, **changes)})


def minor_units(amount: Decimal, currency: str) -> Decimal:
    return amount.scaleb(MINOR_UNITS[currency])


def by_account(made: Document) -> list[tuple[str, str]]:
    """Each line's account and amount, in order."""
    return [(line.account, str(line.amount)) for line in made.lines]
