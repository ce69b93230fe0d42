"""Whether a line of the book leads to something that the ERP posts to. A query per kind at most."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from connections.mapping_book.changes import ONLY_COMPANY, Change, Key, Problem
from connections.models import (
    Connection,
    CustomField,
    Entity,
    ErpEntity,
    FieldOption,
    LedgerAccount,
    MappingKind,
    TaxCode,
    Vendor,
)

_Row = TypeVar("_Row", LedgerAccount, TaxCode, Vendor)

ANY_CLASS = frozenset({"", "ANY", "UNKNOWN"})
"""Of accounts whose ERP does not say what they are: nothing speaks against them."""

PURPOSES: Mapping[str, tuple[str, frozenset[str]]] = {
    "card_liability_account": ("Card liability", frozenset({"LIABILITY", "CREDCARD"})),
    "bank_account": ("Bill payments", frozenset({"ASSET", "CREDCARD"})),
    "payables_account": ("Bills payable", frozenset({"LIABILITY"})),
    "reimbursement_account": ("Reimbursements", frozenset({"ASSET", "LIABILITY"})),
    "transfer_bank_account": ("Card balance payments", frozenset({"ASSET"})),
    "cashback_account": ("Cashback", frozenset({"REVENUE", "EXPENSE"})),
    "fallback_expense_account": ("Lines without coding", frozenset({"EXPENSE", "ASSET"})),
}
"""Of each posting account what people call it, and which classes of account can be it."""

_CLASS_WORDS = {
    "ASSET": "an asset",
    "CREDCARD": "a credit card",
    "EQUITY": "an equity",
    "EXPENSE": "an expense",
    "LIABILITY": "a liability",
    "REVENUE": "a revenue",
}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the connection has of everything that the changes name."""

    erp: str
    entities: Collection[str]
    fields: Mapping[str, str]
    accounts: Mapping[str, LedgerAccount]
    options: Mapping[tuple[str, str], FieldOption]
    vendors: Mapping[str, Vendor]
    tax_codes: Mapping[str, TaxCode]
    companies: Mapping[str, ErpEntity]


def problems(connection: Connection, changes: Sequence[Change]) -> list[Problem]:
    """What is wrong with the changes, in their order; at most one problem of each."""
    known = _known(connection, changes)
    seen: dict[Key, Change] = {}
    found = []
    for change in changes:
        twin = seen.setdefault(change.key, change)
        if twin.after != change.after:
            title = f"{name_of(change)} is mapped twice, to different records."
            found.append(Problem(change, "ramp_id", title, "Keep one of the two."))
        elif problem := _problem(change, known):
            found.append(problem)
    return found


def name_of(change: Change) -> str:
    """What people call the Ramp side of a change."""
    if change.kind == MappingKind.PROFILE and change.ramp_external_id in PURPOSES:
        return PURPOSES[change.ramp_external_id][0]
    return change.ramp_name or change.ramp_external_id


def _problem(change: Change, known: _Known) -> Problem | None:
    if change.entity_ramp_id and change.entity_ramp_id not in known.entities:
        title = f"Ramp has no entity {change.entity_ramp_id}."
        return Problem(change, "entity", title, "Name one of the customer's entities, or none.")
    if not change.ramp_external_id:
        title = "The line does not say what of Ramp it maps."
        return Problem(change, "ramp_id", title, "Enter Ramp's id of the coding.")
    match change.kind:
        case MappingKind.GL_ACCOUNT:
            return _of_account(change, known) if change.after else None
        case MappingKind.PROFILE:
            return _of_purpose(change, known)
        case MappingKind.FIELD_OPTION:
            return _of_option(change, known)
        case MappingKind.VENDOR:
            return _of_vendor(change, known) if change.after else None
        case MappingKind.TAX_CODE:
            code = known.tax_codes.get(change.after)
            return _of_record(change, "tax code", code, known) if change.after else None
        case MappingKind.ENTITY:
            return _of_entity(change, known)


def _of_record(
    change: Change,
    what: str,
    record: LedgerAccount | FieldOption | TaxCode | Vendor | None,
    known: _Known,
) -> Problem | None:
    """What holds for every record of the ERP: it is there, and in use."""
    if record is None:
        return Problem(
            change,
            "erp_id",
            f"{known.erp} has no {what} with the id {change.after}.",
            f"Choose one of the list, or read {known.erp} again if it is new.",
        )
    if record.gone_at is not None:
        title = f"The {what} {record} is no longer in {known.erp}."
        return Problem(change, "erp_id", title, "Choose another one.")
    if not record.is_active:
        return Problem(
            change,
            "erp_id",
            f"The {what} {record} is closed in {known.erp}.",
            f"Choose another one, or reactivate it in {known.erp}.",
        )
    return None


def _of_account(change: Change, known: _Known) -> Problem | None:
    account = known.accounts.get(change.after)
    if problem := _of_record(change, "GL account", account, known):
        return problem
    if account is not None and not account.is_postable:
        return Problem(
            change,
            "erp_id",
            f"{account} is a heading in {known.erp}, which nothing is posted to.",
            "Choose one of the accounts below it.",
        )
    return None


def _of_purpose(change: Change, known: _Known) -> Problem | None:
    if change.ramp_external_id not in PURPOSES:
        title = f"There is no posting account called {change.ramp_external_id}."
        return Problem(change, "ramp_id", title, f"Choose one of {', '.join(PURPOSES)}.")
    if not change.after:
        return None
    if problem := _of_account(change, known):
        return problem
    purpose, classes = PURPOSES[change.ramp_external_id]
    account = known.accounts[change.after]
    if account.classification in classes | ANY_CLASS:
        return None
    wanted = " or ".join(_CLASS_WORDS[one] for one in sorted(classes))
    own = _CLASS_WORDS.get(account.classification, "another kind of")
    return Problem(
        change,
        "erp_id",
        f"{account} is {own} account in {known.erp}, which {purpose.lower()} cannot use.",
        f"Choose {wanted} account.",
    )


def _of_option(change: Change, known: _Known) -> Problem | None:
    if change.field_erp_id not in known.fields:
        title = f"{known.erp} has no field with the id {change.field_erp_id or 'that is missing'}."
        return Problem(change, "field", title, "Name the field by the ERP's id.")
    if not change.after:
        return None
    option = known.options.get((change.field_erp_id, change.after))
    return _of_record(change, f"{known.fields[change.field_erp_id]} value", option, known)


def _of_vendor(change: Change, known: _Known) -> Problem | None:
    vendor = known.vendors.get(change.after)
    if vendor is not None and vendor.merged_into:
        title = f"The vendor {vendor} was merged into another one in {known.erp}."
        fix = f"Choose the one it was merged into: {vendor.merged_into}."
        return Problem(change, "erp_id", title, fix)
    return _of_record(change, "vendor", vendor, known)


def _of_entity(change: Change, known: _Known) -> Problem | None:
    if change.ramp_external_id not in known.entities:
        title = f"Ramp has no entity {change.ramp_external_id}."
        return Problem(change, "ramp_id", title, "Name one of the customer's entities.")
    if change.after in ("", ONLY_COMPANY) or not known.companies:
        return None  # an ERP that does not list its companies is taken at our word
    company = known.companies.get(change.after)
    if company is None:
        title = f"{known.erp} has no company with the id {change.after}."
        return Problem(change, "erp_id", title, "Choose one of the list.")
    if not company.is_active:
        title = f"The company {company} is closed in {known.erp}."
        return Problem(change, "erp_id", title, "Choose another one.")
    return None


def _known(connection: Connection, changes: Sequence[Change]) -> _Known:
    """Only what the changes name is read, and nothing of a kind that none of them names."""
    ids: dict[str, set[str]] = {kind: set() for kind in MappingKind.values}
    for change in changes:
        ids[change.kind].add(change.after)
    entities = Entity.objects.filter(connection=connection).values_list("ramp_id", flat=True)
    options = ids[MappingKind.FIELD_OPTION]
    return _Known(
        erp=connection.erp_name,
        entities={str(one) for one in entities},
        fields=_fields(connection) if options else {},
        accounts=_by_id(
            LedgerAccount, connection, ids[MappingKind.GL_ACCOUNT] | ids[MappingKind.PROFILE]
        ),
        options=_options(connection, options),
        vendors=_by_id(Vendor, connection, ids[MappingKind.VENDOR]),
        tax_codes=_by_id(TaxCode, connection, ids[MappingKind.TAX_CODE]),
        companies=_companies(connection) if ids[MappingKind.ENTITY] - {""} else {},
    )


def _by_id(model: type[_Row], connection: Connection, ids: Collection[str]) -> dict[str, _Row]:
    wanted = [one for one in ids if one]
    found = model.objects.filter(connection=connection, erp_id__in=wanted) if wanted else ()
    return {row.erp_id: row for row in found}


def _fields(connection: Connection) -> dict[str, str]:
    found = CustomField.objects.filter(connection=connection, gone_at=None)
    return dict(found.values_list("erp_id", "name"))


def _options(connection: Connection, ids: Collection[str]) -> dict[tuple[str, str], FieldOption]:
    wanted = [one for one in ids if one]
    if not wanted:
        return {}
    found = FieldOption.objects.filter(connection=connection, erp_id__in=wanted)
    return {(one.field.erp_id, one.erp_id): one for one in found.select_related("field")}


def _companies(connection: Connection) -> dict[str, ErpEntity]:
    return {one.erp_id: one for one in ErpEntity.objects.filter(connection=connection)}
