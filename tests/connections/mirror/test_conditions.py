"""What SQL and Python say of a row must be the same, whatever its columns are."""

import itertools
import uuid
from typing import Any

import pytest
from django.utils import timezone

from connections.mirror import diff
from connections.mirror.conditions import MODELS, WANTED, annotated, differing
from connections.mirror.diff import Decision, InRamp, Record
from connections.mirror.every_kind import EVERY_KIND
from connections.models import Connection, CustomField, DriftDecision
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

_MORE: dict[str, dict[str, list[Any]]] = {
    "account": {"is_postable": [True, False], "ramp_code": ["", "61"]},
    "field": {"is_splittable": [True, False], "display_name": ["", "Team"]},
    "option": {"ramp_is_hidden": [True, False], "ramp_code": ["", "61"]},
    "vendor": {"merged_into": ["", "v2"], "name_is_held": [True, False]},
    "tax_rate": {"ramp_rate": [None, "0.05", "0.06"]},
    "tax_code": {"ramp_rate_erp_ids": [[], ["r1"]]},
}
_FIXED: dict[str, dict[str, Any]] = {
    "field": {"ramp_display_name": "Crew"},
    "tax_rate": {"rate": "0.05"},
    "tax_code": {"rate_erp_ids": ["r1"]},
}


@pytest.mark.parametrize("kind", diff.KINDS)
def test_both_say_the_same_of_every_row(kind: str) -> None:
    connection = new_connection()
    _make_every_row(kind, connection)

    in_sql = dict(differing(kind, connection.pk).values_list("pk", "action"))

    wanted = set(MODELS[kind].objects.filter(WANTED[kind]).values_list("pk", flat=True))
    rows = list(annotated(kind, connection.pk))
    assert len(rows) >= 100
    for row in rows:
        action = diff.action_for(_record(kind, row, is_wanted=row.pk in wanted))
        assert in_sql.get(row.pk) == (action.value if action else None), vars(row)
    assert len(set(in_sql.values())) >= 4, "the rows are of all sorts"


def test_what_ramp_refused_is_left_out_until_it_is_another() -> None:
    connection = new_connection()
    account = MODELS["account"].objects.create(connection=connection, erp_id="1", name="Travel")
    (row,) = differing("account", connection.pk)
    MODELS["account"].objects.update(refused_content=row.digest, refusal="No.")
    assert not differing("account", connection.pk).exists()

    account.name = "Travelling"
    account.save(update_fields=["name"])

    assert differing("account", connection.pk).exists()


def test_an_option_waits_while_the_erp_has_closed_its_field() -> None:
    connection = new_connection()
    field = CustomField.objects.create(connection=connection, erp_id="d", name="D", is_active=False)
    MODELS["option"].objects.create(connection=connection, field=field, erp_id="1", name="One")

    assert not differing("option", connection.pk).exists()


def _make_every_row(kind: str, connection: Connection) -> None:
    more = _MORE[kind]
    field = CustomField.objects.create(connection=connection, erp_id="dept", name="Department")
    states = itertools.product(
        [True, False],
        [None, timezone.now()],
        [None, uuid.uuid4()],
        [True, False],
        ["Travel", "Meals"],
        list(Decision),
        *more.values(),
    )
    for number, (active, gone, ramp_id, in_ramp, name, decision, *rest) in enumerate(states):
        values = dict(zip(more, rest, strict=True)) | _FIXED.get(kind, {})
        if kind == "option":
            values["field"] = field
        MODELS[kind].objects.create(
            connection=connection,
            erp_id=f"r{number}",
            name="Travel",
            is_active=active,
            gone_at=gone,
            ramp_id=ramp_id,
            ramp_is_active=in_ramp,
            ramp_name=name,
            **values,
        )
        if decision:
            DriftDecision.objects.create(
                connection=connection,
                kind=kind,
                erp_id=f"r{number}",
                field_erp_id="dept" if kind == "option" else "",
                action=decision.value,
                actor="ines",
            )


def _record(kind: str, row: Any, *, is_wanted: bool) -> Record:
    sent = EVERY_KIND[kind].as_sent(row)
    columns = sorted(set(sent) - {"ramp_is_active", "ramp_is_hidden", "ramp_required_for"})
    there = InRamp(
        tuple(getattr(row, column) for column in columns),
        row.ramp_is_active,
        getattr(row, "ramp_is_hidden", False),
    )
    return Record(
        kind=kind,
        erp_id=row.erp_id,
        is_wanted=is_wanted,
        content=tuple(sent[column] for column in columns),
        in_ramp=there if row.ramp_id else None,
        decision=Decision(row.decision),
    )
