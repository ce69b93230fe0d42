"""Load everything that documents of one connection are translated with, in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable

from connections.mappings import EntityTarget, MappingSet, Profile, Target
from connections.models import (
    Connection,
    CustomField,
    Entity,
    FieldOption,
    LedgerAccount,
    Mapping,
    PostingProfile,
    Vendor,
)


def mapping_set(connection: Connection) -> MappingSet:
    """The mappings of a connection as they stand now; seven queries however large the chart is."""
    accounts = _accounts(connection)
    coded = _vendors(connection)
    vendors = {target.erp_id: target for _, target in coded}
    options = {
        (field_id, option.erp_id): Target(option.erp_id, option.name, option.is_active)
        for option, field_id in _options(connection)
    }
    for row in Mapping.objects.filter(connection=connection, entity=None):
        match row.kind:
            case Mapping.Kind.GL_ACCOUNT:
                _redirect(accounts, row.ramp_external_id, row.erp_id)
            case Mapping.Kind.VENDOR:
                _redirect(vendors, row.ramp_external_id, row.erp_id)
            case _:
                source = (row.field_erp_id, row.ramp_external_id)
                goal = options.get((row.field_erp_id, row.erp_id))
                options[source] = goal or Target(row.erp_id, row.erp_id)
    return MappingSet(
        accounts=accounts,
        options=options,
        vendors=vendors,
        vendor_codes=_only_ones((code, target) for code, target in coded if code),
        vendor_names=_only_ones((target.name.casefold(), target) for _, target in coded),
        fields=dict(
            CustomField.objects.filter(connection=connection).values_list("erp_id", "name")
        ),
        entities=_entities(connection),
        profiles=_profiles(connection),
    )


def _accounts(connection: Connection) -> dict[str, Target]:
    rows = LedgerAccount.objects.filter(connection=connection)
    return {
        erp_id: Target(erp_id, name, active)
        for erp_id, name, active in rows.values_list("erp_id", "name", "is_active")
    }


def _vendors(connection: Connection) -> list[tuple[str, Target]]:
    """All vendors, each with its code."""
    rows = Vendor.objects.filter(connection=connection)
    return [
        (code, Target(erp_id, name, active))
        for erp_id, code, name, active in rows.values_list("erp_id", "code", "name", "is_active")
    ]


def _only_ones(pairs: Iterable[tuple[str, Target]]) -> dict[str, Target]:
    """By key, without the keys that several active records share: which is meant, nobody says.

    An inactive record does not stand in the way of an active one.
    """
    found: dict[str, list[Target]] = defaultdict(list)
    for key, target in pairs:
        found[key].append(target)
    chosen = {
        key: [one for one in targets if one.is_active] or targets for key, targets in found.items()
    }
    return {key: targets[0] for key, targets in chosen.items() if len(targets) == 1}


def _options(connection: Connection) -> list[tuple[FieldOption, str]]:
    rows = FieldOption.objects.filter(connection=connection).select_related("field")
    return [(option, option.field.erp_id) for option in rows]


def _redirect(targets: dict[str, Target], source: str, goal: str) -> None:
    targets[source] = targets.get(goal) or Target(goal, goal)


def _entities(connection: Connection) -> dict[str, EntityTarget]:
    return {
        str(entity.ramp_id): EntityTarget(
            entity.name, entity.erp_entity, entity.is_mapped, entity.currency
        )
        for entity in Entity.objects.filter(connection=connection)
    }


def _profiles(connection: Connection) -> dict[str, Profile]:
    rows = PostingProfile.objects.filter(connection=connection).select_related("entity")
    return {
        str(row.entity.ramp_id) if row.entity else "": Profile(
            card_liability_account=row.card_liability_account,
            bank_account=row.bank_account,
            payables_account=row.payables_account,
            reimbursement_account=row.reimbursement_account,
            transfer_bank_account=row.transfer_bank_account,
            cashback_account=row.cashback_account,
            fallback_expense_account=row.fallback_expense_account,
        )
        for row in rows
    }
