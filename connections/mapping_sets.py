"""Load everything that documents of one connection are translated with, in one statement."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import orjson
from django.db import connection as database

from connections.mappings import EntityTarget, MappingSet, Profile, Target
from connections.models import Connection, Mapping


def mapping_set(connection: Connection) -> MappingSet:
    """The mappings of a connection as they stand now; one statement however large the chart is."""
    found = _load(connection)
    accounts = {erp_id: Target(erp_id, name, active) for erp_id, name, active in found["accounts"]}
    coded = [(code, Target(erp_id, name, on)) for erp_id, code, name, on in found["vendors"]]
    vendors = {target.erp_id: target for _, target in coded}
    options = {
        (field, erp_id): Target(erp_id, name, active)
        for field, erp_id, name, active in found["options"]
    }
    for kind, field, source, goal in found["mappings"]:
        match kind:
            case Mapping.Kind.GL_ACCOUNT:
                _redirect(accounts, source, goal)
            case Mapping.Kind.VENDOR:
                _redirect(vendors, source, goal)
            case _:
                options[field, source] = options.get((field, goal)) or Target(goal, goal)
    return MappingSet(
        accounts=accounts,
        options=options,
        vendors=vendors,
        vendor_codes=_only_ones((code, target) for code, target in coded if code),
        vendor_names=_only_ones((target.name.casefold(), target) for _, target in coded),
        fields=dict(found["fields"]),
        entities={ramp_id: EntityTarget(*rest) for ramp_id, *rest in found["entities"]},
        profiles={ramp_id: Profile(*accounts) for ramp_id, *accounts in found["profiles"]},
    )


def _load(connection: Connection) -> dict[str, list[Any]]:
    """The rows of each table, by its name in `_TABLES`."""
    with database.cursor() as cursor:
        cursor.execute(_LOAD, {"c": connection.pk})
        found: dict[str, list[Any]] = {
            name: orjson.loads(loaded) for name, loaded in cursor.fetchall()
        }
        return found


_TABLES = {
    "accounts": """
        SELECT json_build_array(erp_id, name, is_active) FROM connections_ledgeraccount
        WHERE connection_id = %(c)s""",
    "vendors": """
        SELECT json_build_array(erp_id, code, name, is_active) FROM connections_vendor
        WHERE connection_id = %(c)s""",
    "options": """
        SELECT json_build_array(f.erp_id, o.erp_id, o.name, o.is_active)
        FROM connections_fieldoption o JOIN connections_customfield f ON f.id = o.field_id
        WHERE o.connection_id = %(c)s""",
    "mappings": """
        SELECT json_build_array(kind, field_erp_id, ramp_external_id, erp_id)
        FROM connections_mapping WHERE connection_id = %(c)s AND entity_id IS NULL""",
    "fields": """
        SELECT json_build_array(erp_id, name) FROM connections_customfield
        WHERE connection_id = %(c)s""",
    "entities": """
        SELECT json_build_array(ramp_id::text, name, erp_entity, is_mapped, currency)
        FROM connections_entity WHERE connection_id = %(c)s""",
    "profiles": """
        SELECT json_build_array(coalesce(e.ramp_id::text, ''), p.card_liability_account,
            p.bank_account, p.payables_account, p.reimbursement_account, p.transfer_bank_account,
            p.cashback_account, p.fallback_expense_account)
        FROM connections_postingprofile p LEFT JOIN connections_entity e ON e.id = p.entity_id
        WHERE p.connection_id = %(c)s""",
}
"""Each row as an array, in the order of what is made of it."""
_LOAD = " UNION ALL ".join(
    f"SELECT '{name}', coalesce(json_agg(one), '[]')::text FROM ({select}) AS rows(one)"  # noqa: S608
    for name, select in _TABLES.items()
)


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


def _redirect(targets: dict[str, Target], source: str, goal: str) -> None:
    targets[source] = targets.get(goal) or Target(goal, goal)
