"""From a coding in Ramp to a record in the ERP. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeVar

POSTING_PROFILE = "posting profile"

VENDOR_CODE, VENDOR_NAME = "code:", "name:"
"""What a vendor is mapped by where Ramp gives no id of it, so that neither is taken for an id."""

ProfileAccount = Literal[
    "card_liability_account",
    "bank_account",
    "reimbursement_account",
    "transfer_bank_account",
    "cashback_account",
]
_ACCOUNT_WORDS: Mapping[ProfileAccount, str] = {
    "card_liability_account": "account for cards",
    "bank_account": "account for bill payments",
    "reimbursement_account": "account for reimbursements",
    "transfer_bank_account": "account for payments of the card balance",
    "cashback_account": "account for cashback",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A record of the ERP that a coding leads to."""

    erp_id: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class TaxPart:
    """A tax rate of the ERP. It is computed, and rounded, by itself."""

    erp_id: str
    name: str
    rate: Decimal
    """As a fraction: 0.05 is 5 %."""
    account: str = ""
    """The ERP id of the account that its tax is booked on. Empty: the ERP names none."""


@dataclass(frozen=True, slots=True)
class TaxTarget:
    """A tax code of the ERP, with what it adds to a net amount."""

    erp_id: str
    name: str
    parts: tuple[TaxPart, ...]
    """One, or several at once."""
    is_active: bool = True

    @property
    def rate(self) -> Decimal:
        """Of several taxes at once, their sum."""
        return sum(self.rates, Decimal(0))

    @property
    def rates(self) -> tuple[Decimal, ...]:
        """Each rate that is computed, and rounded, by itself."""
        return tuple(part.rate for part in self.parts)


Found = TypeVar("Found", Target, TaxTarget)


@dataclass(frozen=True, slots=True)
class Profile:
    """The ERP accounts behind an entity's cards, bills and reimbursements."""

    card_liability_account: str
    bank_account: str = ""
    """What bill payments leave."""
    payables_account: str = ""
    """What bills are owed on. Empty: the ERP's own account for the vendor."""
    reimbursement_account: str = ""
    """What a reimbursement is credited to: a bank account, or what is owed to employees."""
    transfer_bank_account: str = ""
    """What pays the card balance. Empty: `bank_account`."""
    cashback_account: str = ""
    fallback_expense_account: str = ""
    """Where a line without coding goes. Empty: such an item is held."""

    def needed(self, account: ProfileAccount) -> str:
        """The ERP id of an account that a document cannot do without.

        :raises MissingMapping: if the profile does not name it; says which one is missing
        """
        erp_id: str = getattr(self, account)
        if account == "transfer_bank_account":
            erp_id = erp_id or self.bank_account
        if not erp_id:
            raise MissingMapping(POSTING_PROFILE, account, _ACCOUNT_WORDS[account])
        return erp_id


@dataclass(frozen=True, slots=True)
class EntityTarget:
    """The ERP company a Ramp entity stands for."""

    name: str
    erp_entity: str
    is_mapped: bool
    currency: str = ""
    """What the entity pays in."""


class MissingMapping(Exception):
    """A coding that leads nowhere. Says which kind of thing and which value, for people."""

    def __init__(
        self, kind: str, value: str, name: str = "", *, field_id: str = "", why: str = ""
    ) -> None:
        super().__init__(f"no {kind} for {name or value!r}")
        self.kind = kind
        self.value = value
        self.name = name or value
        self.field_id = field_id
        """Of a field option: the field's id, for two fields may have one name."""
        self.why = why
        """What keeps the ERP's record from being used, as "is no longer active". Empty: there is
        none."""


@dataclass(frozen=True, slots=True)
class MappingSet:
    """Everything a document of one connection is translated with, loaded once per chunk.

    Keys are the ids that Ramp's codings carry (`external_id`), which are the ERP's own ids
    unless a person has mapped them elsewhere.
    """

    accounts: Mapping[str, Target] = field(default_factory=dict)
    options: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    vendors: Mapping[str, Target] = field(default_factory=dict)
    vendor_codes: Mapping[str, Target] = field(default_factory=dict)
    """By the ERP's code; without codes that several vendors share."""
    vendor_names: Mapping[str, Target] = field(default_factory=dict)
    """By casefolded name; without names that several vendors share."""
    tax_codes: Mapping[str, TaxTarget] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, EntityTarget] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """By Ramp entity id; the empty key holds for every entity without its own."""
    own: Mapping[str, MappingSet] = field(default_factory=dict)
    """By Ramp entity id, for entities of which some codings lead elsewhere than of the others."""

    def of_entity(self, ramp_id: str) -> MappingSet:
        """What holds for the objects of one entity: its own mappings before the general ones."""
        return self.own.get(ramp_id, self)

    def account(self, external_id: str, name: str = "") -> Target:
        """The GL account of a coding.

        :raises MissingMapping: if the ERP's chart has no such account
        """
        return _found(self.accounts.get(external_id), "GL account", external_id, name)

    def option(self, field_id: str, external_id: str, name: str = "") -> Target:
        """The value of a dimension.

        :raises MissingMapping: if the ERP has no such value in that field
        """
        kind = self.fields.get(field_id, "field option")
        target = self.options.get((field_id, external_id))
        if target is None:
            raise MissingMapping(kind, external_id, name, field_id=field_id)
        return target

    def vendor(self, external_id: str, name: str = "") -> Target:
        """The vendor of a coding.

        :raises MissingMapping: if the ERP has no such vendor
        """
        return _found(self.vendors.get(external_id), "vendor", external_id, name)

    def vendor_with_code(self, code: str, name: str = "") -> Target:
        """The one vendor of a code, or whom a person has mapped the code to.

        :raises MissingMapping: if the ERP has none, or several, and nobody has mapped it
        """
        mapped = VENDOR_CODE + code
        target = self.vendors.get(mapped) or self.vendor_codes.get(code)
        return _found(target, "vendor", mapped, name or code)

    def tax_code(self, external_id: str, name: str = "") -> TaxTarget:
        """The tax code of a coding.

        :raises MissingMapping: if the ERP has no such tax code
        """
        return _found(self.tax_codes.get(external_id), "tax code", external_id, name)

    def entity(self, ramp_id: str) -> EntityTarget:
        """The ERP company of a Ramp entity (R-70).

        :raises MissingMapping: if nobody has said which company it is
        """
        target = self.entities.get(ramp_id)
        if target is None or not target.is_mapped:
            raise MissingMapping("entity", ramp_id, target.name if target else "")
        return target

    def profile(self, entity_id: str) -> Profile:
        """The posting profile of an entity.

        :raises MissingMapping: if there is neither one of its own nor a general one
        """
        profile = self.profiles.get(entity_id) or self.profiles.get("")
        if profile is None or not profile.card_liability_account:
            missing: ProfileAccount = "card_liability_account"
            raise MissingMapping(POSTING_PROFILE, missing, _ACCOUNT_WORDS[missing])
        return profile


def _found(target: Found | None, kind: str, value: str, name: str) -> Found:
    if target is None:
        raise MissingMapping(kind, value, name)
    return target
