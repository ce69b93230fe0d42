"""What a record must be seen beside to be judged: others of its code, its account, its rates.

A statement or two per kind, not per record.
"""

import uuid
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import BooleanField, Case, Count, F, When

from connections.mirror.conditions import MODELS, WANTED
from connections.mirror.diff import ACCOUNT, TAX_CODE, TAX_RATE, VENDOR
from connections.mirror.validation import Surroundings
from connections.models import LedgerAccount, TaxRate

_WITH_OWN_CODES = (ACCOUNT, VENDOR)
"""Kinds whose codes should be nobody else's (R-35). Options of two fields may share one."""


def surroundings(kind: str, connection_id: uuid.UUID) -> Surroundings:
    """Everything that `validation.problem` needs beside the row."""
    return Surroundings(
        holders=_holders(kind, connection_id) if kind in _WITH_OWN_CODES else {},
        accounts=_in_ramp(LedgerAccount, connection_id) if kind == TAX_RATE else (),
        rates=_in_ramp(TaxRate, connection_id) if kind == TAX_CODE else (),
    )


def _holders(kind: str, connection_id: uuid.UUID) -> dict[str, str]:
    """Of each code that several records have: whose it is. Who has it in Ramp keeps it, else it is
    the eldest's.
    """
    has_it = Case(When(ramp_code=F("code"), then=True), default=False, output_field=BooleanField())
    shared = (
        MODELS[kind]
        .objects.filter(WANTED[kind], connection_id=connection_id)
        .exclude(code="")
        .values("code")
        .annotate(
            times=Count("pk"),
            owners=ArrayAgg("erp_id", order_by=[has_it.desc(), "pk"]),
        )
        .filter(times__gt=1)
    )
    return {code: owners[0] for code, owners in shared.values_list("code", "owners")}


def _in_ramp(model: Any, connection_id: uuid.UUID) -> set[str]:
    found = model.objects.filter(
        connection_id=connection_id, ramp_id__isnull=False, ramp_is_active=True
    )
    return set(found.values_list("erp_id", flat=True))
