"""From a coding in Ramp to a record in the ERP. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """A record of the ERP that a coding leads to."""

    erp_id: str
    name: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Profile:
    """The ERP accounts behind an entity's cards."""

    card_liability_account: str
    bank_account: str = ""
    fallback_expense_account: str = ""


@dataclass(frozen=True, slots=True)
class EntityTarget:
    """The ERP company a Ramp entity stands for."""

    name: str
    erp_entity: str
    is_mapped: bool


class MissingMapping(Exception):
    """A coding that leads nowhere. Says which kind of thing and which value, for people."""

    def __init__(self, kind: str, value: str, name: str = "") -> None:
        super().__init__(f"no {kind} for {name or value!r}")
        self.kind = kind
        self.value = value
        self.name = name or value


@dataclass(frozen=True, slots=True)
class MappingSet:
    """Everything a document of one connection is translated with, loaded once per chunk.

    Keys are the ids that Ramp's codings carry (`external_id`), which are the ERP's own ids
    unless a person has mapped them elsewhere.
    """

    accounts: Mapping[str, Target] = field(default_factory=dict)
    options: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    vendors: Mapping[str, Target] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    entities: Mapping[str, EntityTarget] = field(default_factory=dict)
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    """By Ramp entity id; the empty key holds for every entity without its own."""

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
        return _found(self.options.get((field_id, external_id)), kind, external_id, name)

    def vendor(self, external_id: str, name: str = "") -> Target:
        """The vendor of a coding.

        :raises MissingMapping: if the ERP has no such vendor
        """
        return _found(self.vendors.get(external_id), "vendor", external_id, name)

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
            raise MissingMapping("posting profile", entity_id)
        return profile


def _found(target: Target | None, kind: str, value: str, name: str) -> Target:
    if target is None:
        raise MissingMapping(kind, value, name)
    return target
