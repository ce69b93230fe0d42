"""The lines of the book as they stand, read and written. Callers hold the connection's lock."""

from collections.abc import Collection, Sequence
from collections.abc import Mapping as Mapped

from connections.mapping_book.changes import ONLY_COMPANY, Change, Key
from connections.mapping_book.targets import PURPOSES
from connections.models import Connection, Entity, Mapping, MappingKind, PostingProfile

BATCH = 1000


def standing(connection: Connection, keys: Collection[Key]) -> dict[Key, str]:
    """Where each of the lines leads now; those that lead nowhere are left out. Three queries."""
    found: dict[Key, str] = {}
    ids = {key.external_id for key in keys if key.kind in _OWN_ROWS}
    for row in _rows(connection, ids):
        found[key_of(row)] = row.erp_id
    if any(key.kind == MappingKind.ENTITY for key in keys):
        found.update(_entities(connection))
    if any(key.kind == MappingKind.PROFILE for key in keys):
        found.update(_purposes(connection))
    wanted = set(keys)
    return {key: erp_id for key, erp_id in found.items() if key in wanted}


def everything(connection: Connection) -> dict[Key, str]:
    """Where every line of the book leads. Three queries, however long the book is."""
    found = {key_of(row): row.erp_id for row in _rows(connection, None)}
    return found | _entities(connection) | _purposes(connection)


def names(connection: Connection) -> dict[Key, str]:
    """What Ramp calls each line that has a row of its own. One query."""
    return {key_of(row): row.ramp_name for row in _rows(connection, None) if row.ramp_name}


def write(connection: Connection, changes: Sequence[Change], *, actor: str, reason: str) -> None:
    """Make the lines stand as the changes say. Each line occurs once among them."""
    own = [change for change in changes if change.kind in _OWN_ROWS]
    entities = {str(one.ramp_id): one for one in Entity.objects.filter(connection=connection)}
    _write_rows(connection, own, entities, actor=actor, reason=reason)
    for change in changes:
        if change.kind == MappingKind.ENTITY:
            _write_entity(entities[change.ramp_external_id], change.after)
    purposes: dict[str, dict[str, str]] = {}
    for change in changes:
        if change.kind == MappingKind.PROFILE:
            column = purposes.setdefault(change.entity_ramp_id, {})
            column[change.ramp_external_id] = change.after
    for ramp_id, columns in purposes.items():
        _write_profile(connection, entities.get(ramp_id), columns)


_OWN_ROWS = frozenset(MappingKind.values) - {MappingKind.ENTITY, MappingKind.PROFILE}


def _rows(connection: Connection, ids: Collection[str] | None) -> list[Mapping]:
    """All of them, or those of some external ids."""
    if ids is not None and not ids:
        return []
    rows = Mapping.objects.filter(connection=connection).select_related("entity")
    return list(rows if ids is None else rows.filter(ramp_external_id__in=ids))


def key_of(row: Mapping) -> Key:
    """Which line a row is. The entity must be loaded."""
    entity = str(row.entity.ramp_id) if row.entity else ""
    return Key(row.kind, entity, row.field_erp_id, row.ramp_external_id)


def _entities(connection: Connection) -> dict[Key, str]:
    mapped = Entity.objects.filter(connection=connection, is_mapped=True)
    return {
        Key(MappingKind.ENTITY, "", "", str(ramp_id)): erp_entity or ONLY_COMPANY
        for ramp_id, erp_entity in mapped.values_list("ramp_id", "erp_entity")
    }


def _purposes(connection: Connection) -> dict[Key, str]:
    profiles = PostingProfile.objects.filter(connection=connection).select_related("entity")
    return {
        Key(MappingKind.PROFILE, str(one.entity.ramp_id) if one.entity else "", "", purpose): erp_id
        for one in profiles
        for purpose in PURPOSES
        if (erp_id := getattr(one, purpose))
    }


def _write_rows(
    connection: Connection,
    changes: Sequence[Change],
    entities: Mapped[str, Entity],
    *,
    actor: str,
    reason: str,
) -> None:
    known = {key_of(row): row for row in _rows(connection, {c.ramp_external_id for c in changes})}
    gone, old, new = [], [], []
    for change in changes:
        row = known.get(change.key)
        if not change.after:
            gone += [row.pk] if row else []
            continue
        if row is None:
            row = Mapping(
                connection=connection,
                entity=entities.get(change.entity_ramp_id),
                kind=change.kind,
                field_erp_id=change.field_erp_id,
                ramp_external_id=change.ramp_external_id,
            )
            new.append(row)
        else:
            old.append(row)
        row.erp_id, row.changed_by = change.after, actor
        row.reason = change.reason or reason
        row.ramp_name = change.ramp_name or row.ramp_name
    Mapping.objects.filter(pk__in=gone).delete()
    Mapping.objects.bulk_create(new, batch_size=BATCH)
    columns = ["erp_id", "changed_by", "reason", "ramp_name", "changed_at"]
    Mapping.objects.bulk_update(old, columns, batch_size=BATCH)


def _write_entity(entity: Entity, after: str) -> None:
    entity.erp_entity = "" if after == ONLY_COMPANY else after
    entity.is_mapped = bool(after)
    entity.save(update_fields=["erp_entity", "is_mapped"])


def _write_profile(
    connection: Connection, entity: Entity | None, columns: Mapped[str, str]
) -> None:
    profile = PostingProfile.objects.filter(connection=connection, entity=entity).first()
    profile = profile or PostingProfile(connection=connection, entity=entity)
    for purpose, erp_id in columns.items():
        setattr(profile, purpose, erp_id)
    if any(getattr(profile, purpose) for purpose in PURPOSES):
        profile.save()
    elif profile.pk:
        profile.delete()
