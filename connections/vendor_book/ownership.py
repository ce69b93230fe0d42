"""Which side is right where the two differ in a vendor's details (R-40), field by field.

The ERP is, unless somebody says otherwise. Of bank details nobody is: two people decide.
"""

from collections.abc import Mapping

from django.db import transaction

from connections import audit
from connections.models import Connection, FieldOwner, VendorField
from connections.vendor_book.statements import WANTED
from rampbridge.lib.statements import execute

Owner = FieldOwner.Owner

CHOICES = (VendorField.NAME, VendorField.EMAIL, VendorField.COUNTRY)
"""Fields that both sides show us. Ramp shows neither tax ids nor accounts."""


def owners(connection: Connection) -> Mapping[VendorField, Owner]:
    """The owner of each field that has a choice."""
    said = FieldOwner.objects.filter(connection=connection).values_list("field", "owner")
    chosen = {field: Owner(owner) for field, owner in said}
    return {field: chosen.get(field, Owner.ERP) for field in CHOICES}


@transaction.atomic
def set_owner(
    connection: Connection, *, field: VendorField, owner: FieldOwner.Owner, actor: str
) -> None:
    """Say which side is right from now on; what follows from it is noted at once."""
    FieldOwner.objects.update_or_create(
        connection=connection, field=field, defaults={"owner": owner, "actor": actor}
    )
    audit.record(
        actor,
        "vendors.owner",
        f"Set who is right about the {VendorField(field).label.lower()} of vendors:"
        f" {Owner(owner).label}.",
        connection_id=connection.pk,
        subject="vendor field",
        subject_id=field,
    )
    apply(connection)


def apply(connection: Connection) -> int:
    """Hold names back from Ramp, and note what people must decide. Returns the new questions."""
    place = {"connection": connection.pk}
    chosen = owners(connection)
    asked = 0
    for field, owner in chosen.items():
        if owner == Owner.ASK:
            execute(_AGREE_AGAIN[field], place)
            asked += execute(_ASK[field], place)
        else:
            execute(_NO_QUESTION, {**place, "field": field})
    execute(_HOLD[chosen[VendorField.NAME]], place)
    return asked


_RENAMED = "v.ramp_id IS NOT NULL AND v.ramp_name <> '' AND v.name <> v.ramp_name"

_HOLD = {
    Owner.ERP: """
        UPDATE connections_vendor v SET name_is_held = false
        WHERE v.connection_id = %(connection)s AND v.name_is_held""",
    Owner.RAMP: f"""
        UPDATE connections_vendor v SET name_is_held = true
        WHERE v.connection_id = %(connection)s AND {_RENAMED} AND NOT v.name_is_held""",  # noqa: S608
    Owner.ASK: f"""
        UPDATE connections_vendor v SET name_is_held = new.is_held
        FROM (
            SELECT v.id, NOT EXISTS (
                SELECT FROM connections_vendorchange c
                WHERE c.connection_id = v.connection_id AND c.vendor_erp_id = v.erp_id
                  AND c.field = 'name' AND c.state = 'accepted' AND c.after = v.name) AS is_held
            FROM connections_vendor v WHERE v.connection_id = %(connection)s AND {_RENAMED}
        ) new
        WHERE new.id = v.id AND v.name_is_held <> new.is_held""",  # noqa: S608
}
"""Whether Ramp keeps the name it has, by who owns names."""


def _ask(field: str, select: str) -> str:
    """Note each difference that nobody has decided, and of those that are open the newest value."""
    return f"""
        INSERT INTO connections_vendorchange AS c (id, connection_id, vendor_erp_id, field, before,
            after, digest, state, found_at, checked_by, reason, decided_by)
        SELECT gen_random_uuid(), %(connection)s, d.erp_id, '{field}', d.before, d.after, '',
               'found', now(), '', '', ''
        FROM ({select}) d
        WHERE NOT EXISTS (
            SELECT FROM connections_vendorchange made
            WHERE made.connection_id = %(connection)s AND made.vendor_erp_id = d.erp_id
              AND made.field = '{field}' AND made.decided_by <> ''
              AND made.before = d.before AND made.after = d.after)
        ORDER BY d.erp_id
        ON CONFLICT (connection_id, vendor_erp_id, field) WHERE state IN ('found', 'checked')
        DO UPDATE SET before = excluded.before, after = excluded.after, found_at = now()
        WHERE (c.before, c.after) IS DISTINCT FROM (excluded.before, excluded.after)
    """  # noqa: S608  called with constants of this file only


def _linked(column: str) -> str:
    return f"""
        SELECT DISTINCT ON (v.erp_id) v.erp_id, r.{column} AS before, v.{column} AS after
        FROM connections_rampvendor r JOIN connections_vendor v
          ON v.connection_id = r.connection_id AND v.erp_id = r.linked_erp_id
        WHERE r.connection_id = %(connection)s AND r.linked_erp_id <> '' AND {WANTED}
          AND r.{column} <> '' AND v.{column} <> '' AND lower(r.{column}) <> lower(v.{column})
        ORDER BY v.erp_id, r.id
    """  # noqa: S608  called with constants of this file only


_DIFFERENCES = {
    VendorField.NAME: f"""
        SELECT v.erp_id, v.ramp_name AS before, v.name AS after FROM connections_vendor v
        WHERE v.connection_id = %(connection)s AND {_RENAMED} AND {WANTED}""",  # noqa: S608
    VendorField.EMAIL: _linked("email"),
    VendorField.COUNTRY: _linked("country"),
}
_ASK = {field: _ask(field.value, select) for field, select in _DIFFERENCES.items()}

_NO_QUESTION = """
    UPDATE connections_vendorchange SET state = 'rejected', decided_at = now(),
        reason = 'Nobody needs to be asked any more: the field has an owner.'
    WHERE connection_id = %(connection)s AND field = %(field)s AND state IN ('found', 'checked')
"""
_AGREE_AGAIN = {
    field: f"""
        UPDATE connections_vendorchange c SET state = 'rejected', decided_at = now(),
            reason = 'Both sides agree again.'
        WHERE c.connection_id = %(connection)s AND c.field = '{field.value}' AND c.state = 'found'
          AND NOT EXISTS (SELECT FROM ({select}) d WHERE d.erp_id = c.vendor_erp_id)
    """  # noqa: S608
    for field, select in _DIFFERENCES.items()
}
