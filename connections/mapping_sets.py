"""Load everything that documents of one connection are translated with, in one statement."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from typing import Any, TypeVar

import orjson
from django.db import connection as database

from connections.mappings import EntityTarget, MappingSet, Profile, Target, TaxPart, TaxTarget
from connections.models import Connection, MappingKind

Key = TypeVar("Key")
Found = TypeVar("Found", bound=Target | TaxTarget)


def mapping_set(connection: Connection) -> MappingSet:
    """The mappings of a connection as they stand now; one statement however large the chart is.

    Records that have left the ERP's lists count as closed. A vendor that was merged into another
    one leads to that one.
    """
    found = _load(connection)
    accounts = {erp_id: Target(erp_id, name, active) for erp_id, name, active in found["accounts"]}
    coded = [(code, Target(erp_id, name, on)) for erp_id, code, name, on in found["vendors"]]
    vendors = {target.erp_id: target for _, target in coded}
    heirs = _heirs(dict(found["merged"]), vendors)
    options = {
        (field, erp_id): Target(erp_id, name, active)
        for field, erp_id, name, active in found["options"]
    }
    tax_codes = {
        erp_id: TaxTarget(erp_id, name, tuple(_tax_part(*part) for part in parts), active)
        for erp_id, name, active, parts in found["tax_codes"]
    }
    chart = _Chart(accounts, options, vendors | heirs, tax_codes)
    general = _Chart({}, {}, {}, {})
    own: dict[str, _Chart] = defaultdict(lambda: _Chart({}, {}, {}, {}))
    for entity, kind, field, source, goal in found["mappings"]:
        _redirect(own[entity] if entity else general, chart, kind, field, source, goal)
    everyones = MappingSet(
        accounts=accounts | general.accounts,
        options=options | general.options,
        vendors=chart.vendors | general.vendors,
        vendor_codes=_only_ones([(code, one) for code, one in coded if code], heirs),
        vendor_names=_only_ones([(one.name.casefold(), one) for _, one in coded], heirs),
        tax_codes=tax_codes | general.tax_codes,
        fields=dict(found["fields"]),
        entities={ramp_id: EntityTarget(*rest) for ramp_id, *rest in found["entities"]},
        profiles=_profiles({ramp_id: Profile(*rest) for ramp_id, *rest in found["profiles"]}),
    )
    return replace(everyones, own={entity: _before(one, everyones) for entity, one in own.items()})


@dataclass(frozen=True, slots=True)
class _Chart:
    """Where codings lead, of all kinds."""

    accounts: dict[str, Target]
    options: dict[tuple[str, str], Target]
    vendors: dict[str, Target]
    tax_codes: dict[str, TaxTarget]


def _redirect(into: _Chart, chart: _Chart, kind: str, field: str, source: str, goal: str) -> None:
    """Take one mapping in. A tax code of which no rate is known leads nowhere."""
    match kind:
        case MappingKind.GL_ACCOUNT:
            into.accounts[source] = chart.accounts.get(goal) or Target(goal, goal)
        case MappingKind.VENDOR:
            into.vendors[source] = chart.vendors.get(goal) or Target(goal, goal)
        case MappingKind.TAX_CODE:
            if goal in chart.tax_codes:
                into.tax_codes[source] = chart.tax_codes[goal]
        case _:
            into.options[field, source] = chart.options.get((field, goal)) or Target(goal, goal)


def _before(own: _Chart, everyones: MappingSet) -> MappingSet:
    """The same with the mappings of one entity before the general ones; nothing is copied."""
    return replace(
        everyones,
        accounts=_Layers(own.accounts, everyones.accounts),
        options=_Layers(own.options, everyones.options),
        vendors=_Layers(own.vendors, everyones.vendors),
        tax_codes=_Layers(own.tax_codes, everyones.tax_codes),
    )


class _Layers(Mapping[Key, Found]):
    """Two mappings read as one, the first before the second."""

    def __init__(self, first: Mapping[Key, Found], second: Mapping[Key, Found]) -> None:
        self._first, self._second = first, second

    def __getitem__(self, key: Key) -> Found:
        return self._first[key] if key in self._first else self._second[key]

    def __iter__(self) -> Iterator[Key]:
        return iter({**self._second, **self._first})

    def __len__(self) -> int:
        return len({*self._second, *self._first})


def _tax_part(erp_id: str, name: str, rate: str, account: str) -> TaxPart:
    return TaxPart(erp_id, name, Decimal(rate), account)


def _profiles(found: dict[str, Profile]) -> dict[str, Profile]:
    """What an entity's profile leaves empty is as in the general one."""
    general = found.get("")
    if general is None:
        return found
    return {ramp_id: _filled(profile, general) for ramp_id, profile in found.items()}


def _filled(profile: Profile, general: Profile) -> Profile:
    names = (one.name for one in fields(Profile))
    return Profile(**{name: getattr(profile, name) or getattr(general, name) for name in names})


def _heirs(merged: dict[str, str], vendors: dict[str, Target]) -> dict[str, Target]:
    """The last heir of each vendor that was merged; none where that is unknown, or a circle."""
    found = {}
    for erp_id in merged:
        heir, passed = erp_id, {erp_id}
        while heir in merged and merged[heir] not in passed:
            heir = merged[heir]
            passed.add(heir)
        if heir not in merged and heir in vendors:
            found[erp_id] = vendors[heir]
    return found


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
        SELECT json_build_array(erp_id, name, is_active AND gone_at IS NULL)
        FROM connections_ledgeraccount
        WHERE connection_id = %(c)s""",
    "vendors": """
        SELECT json_build_array(erp_id, code, name,
            is_active AND gone_at IS NULL AND merged_into = '')
        FROM connections_vendor WHERE connection_id = %(c)s""",
    "merged": """
        SELECT json_build_array(erp_id, merged_into) FROM connections_vendor
        WHERE connection_id = %(c)s AND merged_into <> ''""",
    "options": """
        SELECT json_build_array(f.erp_id, o.erp_id, o.name,
            o.is_active AND o.gone_at IS NULL)
        FROM connections_fieldoption o JOIN connections_customfield f ON f.id = o.field_id
        WHERE o.connection_id = %(c)s""",
    "mappings": """
        SELECT json_build_array(coalesce(e.ramp_id::text, ''), m.kind, m.field_erp_id,
            m.ramp_external_id, m.erp_id)
        FROM connections_mapping m LEFT JOIN connections_entity e ON e.id = m.entity_id
        WHERE m.connection_id = %(c)s""",
    "tax_codes": """
        SELECT json_build_array(c.erp_id, c.name,
            c.is_active AND c.gone_at IS NULL AND bool_and(r.is_active AND r.gone_at IS NULL),
            json_agg(json_build_array(r.erp_id, r.name, r.rate::text, r.account_erp_id)
                ORDER BY part.place))
        FROM connections_taxcode c
        CROSS JOIN jsonb_array_elements_text(c.rate_erp_ids) WITH ORDINALITY
            AS part(erp_id, place)
        LEFT JOIN connections_taxrate r
            ON r.connection_id = c.connection_id AND r.erp_id = part.erp_id
        WHERE c.connection_id = %(c)s
        GROUP BY c.id HAVING bool_and(r.rate IS NOT NULL)""",
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


def _only_ones(
    pairs: Sequence[tuple[str, Target]], heirs: Mapping[str, Target]
) -> dict[str, Target]:
    """By key, without the keys that several active records share: which is meant, nobody says.

    An inactive record does not stand in the way of an active one. A merged one gives its key to its
    heir, unless others have the same.
    """
    found: dict[str, list[Target]] = defaultdict(list)
    inherited: dict[str, dict[str, Target]] = defaultdict(dict)
    for key, target in pairs:
        if heir := heirs.get(target.erp_id):
            inherited[key][heir.erp_id] = heir
        else:
            found[key].append(target)
    for key, some in inherited.items():
        found.setdefault(key, list(some.values()))
    chosen = {
        key: [one for one in targets if one.is_active] or targets for key, targets in found.items()
    }
    return {key: targets[0] for key, targets in chosen.items() if len(targets) == 1}
