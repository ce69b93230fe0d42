"""The rules of `diff` as SQL, so that only rows that differ are ever loaded.

A test holds the two together: whatever the columns of a row are, both say the same of it.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import MD5, Cast, Coalesce, Concat

from connections.mirror.diff import (
    ACCOUNT,
    FIELD,
    OPTION,
    TAX_CODE,
    TAX_RATE,
    VENDOR,
    Action,
    Decision,
)
from connections.models import (
    CustomField,
    DriftDecision,
    FieldOption,
    LedgerAccount,
    TaxCode,
    TaxRate,
    Vendor,
)

MODELS: Mapping[str, Any] = {
    ACCOUNT: LedgerAccount,
    FIELD: CustomField,
    OPTION: FieldOption,
    VENDOR: Vendor,
    TAX_RATE: TaxRate,
    TAX_CODE: TaxCode,
}

_IN_ERP = Q(is_active=True, gone_at=None)
WANTED: Mapping[str, Q] = dict.fromkeys(MODELS, _IN_ERP) | {
    ACCOUNT: _IN_ERP & Q(is_postable=True),
    VENDOR: _IN_ERP & Q(merged_into=""),
}
_NAME, _CODE = ~Q(name=F("ramp_name")), ~Q(code=F("ramp_code"))
DIFFERS: Mapping[str, Q] = {
    ACCOUNT: _NAME | _CODE,
    FIELD: (
        _NAME
        | (~Q(display_name="") & ~Q(display_name=F("ramp_display_name")))
        | ~Q(is_splittable=F("ramp_is_splittable"))
    ),
    OPTION: _NAME | _CODE,
    VENDOR: (Q(name_is_held=False) & _NAME) | _CODE,
    TAX_RATE: _NAME | ~Q(rate=F("ramp_rate")),
    TAX_CODE: _NAME | ~Q(rate_erp_ids=F("ramp_rate_erp_ids")),
}
"""Whether what both sides have is not the same. What Ramp has no call to change is not compared:
the class of an account, what a field is required for."""

_MORE_CONTENT: Mapping[str, tuple[str, ...]] = {
    ACCOUNT: ("classification",),
    FIELD: ("display_name", "is_splittable"),
    TAX_RATE: ("rate", "account_erp_id"),
    TAX_CODE: ("rate_erp_ids",),
}

THERE = Q(ramp_id__isnull=False)
ACTIVE = THERE & Q(ramp_is_active=True)
_HIDDEN = Q(ramp_is_hidden=True)
_NOBODY = Q(pk__in=[])


def is_hidden(kind: str) -> Q:
    """Only options can be hidden (contract C6)."""
    return _HIDDEN if kind == OPTION else _NOBODY


def differing(kind: str, connection_id: uuid.UUID) -> QuerySet[Any]:
    """Rows about which something is to be done: with `action`, `digest` and `decision`.

    What Ramp refused is left out until its content is another (R-32).
    """
    return _differing(kind).filter(connection_id=connection_id)


def annotated(kind: str, connection_id: uuid.UUID) -> QuerySet[Any]:
    """All rows of a kind, with `digest` of their content and the open `decision` about each."""
    return _annotated(kind).filter(connection_id=connection_id)


def actions_due(kind: str, connection_id: uuid.UUID) -> set[str]:
    """What is to be done to records of a kind: mostly nothing, so this is asked all the time."""
    return {action for (action,) in _actions_due(kind).rows(connection_id)}


SOMEBODY = uuid.UUID(int=0)
"""Stands for the customer in a query that is made a `Prepared`."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement about one customer, put together once: the ORM takes longer to do that than the
    database to answer.
    """

    statement: str
    parameters: Sequence[Any]

    @classmethod
    def of(cls, query: QuerySet[Any]) -> "Prepared":
        """What a query about `SOMEBODY` asks."""
        statement, parameters = query.query.sql_with_params()
        return cls(statement, parameters)

    def rows(self, connection_id: uuid.UUID) -> list[tuple[Any, ...]]:
        """The answer for a customer. One statement."""
        mine = [connection_id if each == SOMEBODY else each for each in self.parameters]
        with connection.cursor() as cursor:
            cursor.execute(self.statement, mine)
            found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


@cache
def _actions_due(kind: str) -> Prepared:
    rows = differing(kind, SOMEBODY).order_by()
    return Prepared.of(rows.values_list("action", flat=True).distinct())


@cache
def _differing(kind: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = _annotated(kind).annotate(action=action(kind))
    return rows.exclude(action=None)


@cache
def _annotated(kind: str) -> QuerySet[Any]:
    rows: QuerySet[Any] = MODELS[kind].objects.all()
    if kind == OPTION:
        rows = rows.select_related("field")
    told: QuerySet[Any] = rows.annotate(digest=_digest(kind), decision=_decision(kind))
    return told


def action(kind: str) -> Case:
    """What is to be done about a row; null for nothing. As `diff.action_for` has it."""
    wanted, hidden = WANTED[kind], is_hidden(kind)
    build = wanted & (Q(refused_content="") | ~Q(refused_content=F("digest")))
    withdraw = ~wanted & ACTIVE & (Q(refused_content="") | ~Q(refused_content=F("digest")))
    has_field = Q(field__is_active=True, field__gone_at=None) if kind == OPTION else Q()
    touched = ~Q(decision=Decision.LEAVE)
    whens = [
        When(build & Q(ramp_id=None) & has_field, then=Value(Action.CREATE.value)),
        When(build & ACTIVE & ~hidden & DIFFERS[kind], then=Value(Action.CHANGE.value)),
        When(build & THERE & Q(ramp_is_active=False) & touched, then=Value("reactivate")),
        When(withdraw & Q(decision=Decision.DEACTIVATE), then=Value(Action.DEACTIVATE.value)),
    ]
    if kind == OPTION:
        whens += [
            When(build & ACTIVE & hidden & touched, then=Value(Action.SHOW.value)),
            When(withdraw & ~hidden & touched, then=Value(Action.HIDE.value)),
        ]
    return Case(*whens, default=None, output_field=CharField(null=True))


def _digest(kind: str) -> Combinable:
    """Of everything that is sent, so that what was refused can be told from what is new."""
    wanted = Case(When(WANTED[kind], then=Value("+")), default=Value("-"))
    parts: list[Combinable] = [wanted, F("name"), F("code")]
    parts += [Cast(column, CharField()) for column in _MORE_CONTENT.get(kind, ())]
    separated = [part for each in parts for part in (each, Value("\x1f"))]
    return MD5(Concat(*separated, output_field=CharField()))


def _decision(kind: str) -> Combinable:
    about = DriftDecision.objects.filter(
        connection_id=OuterRef("connection_id"),
        kind=kind,
        erp_id=OuterRef("erp_id"),
        field_erp_id=OuterRef("field__erp_id") if kind == OPTION else "",
        done_at=None,
    )
    return Coalesce(Subquery(about.values("action")[:1]), Value(""), output_field=CharField())
