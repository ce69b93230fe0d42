"""Where documents go beside what their codings say: posting accounts, companies, own mappings.

People sign for these too, though no coding names them: they are kept with each rehearsal.
"""

from collections.abc import Sequence

from connections.models import Connection, Entity, PostingProfile
from migrations_tool import page_memory
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.rehearsal.names import Names
from rampbridge.lib.statements import rows

KEPT = "posts_to"
"""Among the inputs of a rehearsal's evidence."""
_ACCOUNT = "_account"

_NOW = """
SELECT coalesce(e.ramp_id::text, ''), told.key, told.value
FROM connections_postingprofile p LEFT JOIN connections_entity e ON e.id = p.entity_id
CROSS JOIN LATERAL jsonb_each_text(to_jsonb(p) - '{id,connection_id,entity_id}'::text[]) AS told
WHERE p.connection_id = %(connection)s AND told.value <> ''
UNION ALL
SELECT ramp_id::text, 'company', erp_entity FROM connections_entity
WHERE connection_id = %(connection)s AND is_mapped
UNION ALL
SELECT '', 'mappings', coalesce(max(number), 0)::text FROM connections_mappingrevision
WHERE connection_id = %(connection)s
ORDER BY 1, 2, 3
"""


def posts_to(connection: Connection) -> list[list[str]]:
    """Entity (empty: all), what, and the ERP's id of it. One statement."""
    return [list(row) for row in rows(_NOW, {"connection": connection.pk})]


def has_accounts(migration: ConnectionMigration) -> bool:
    """Whether somebody has chosen posting accounts; without them nothing can be booked."""
    found = PostingProfile.objects.filter(connection_id=migration.connection_id)
    return page_memory.once(migration, "posting accounts", found.exists)


def has_changed(migration: ConnectionMigration, replayed: Evidence) -> bool:
    """Whether objects would be booked elsewhere than they were rehearsed. After the switch that is
    daily business, and no rehearsal's."""
    if migration.flipped_at is not None or KEPT not in replayed.inputs:
        return False
    now = page_memory.once(migration, KEPT, lambda: posts_to(migration.connection))
    return bool(replayed.inputs[KEPT] != now)


def printed(
    connection: Connection, kept: Sequence[Sequence[str]], names: Names
) -> list[dict[str, str]]:
    """The posting accounts as a report says them."""
    entities = {
        str(ramp_id): name
        for ramp_id, name in Entity.objects.filter(connection=connection).values_list(
            "ramp_id", "name"
        )
    }
    return [
        {
            "entity": entities.get(entity, entity) or "All entities",
            "what": what.removesuffix(_ACCOUNT).replace("_", " ").capitalize(),
            "account": names.account(erp_id),
        }
        for entity, what, erp_id in kept
        if what.endswith(_ACCOUNT)
    ]
