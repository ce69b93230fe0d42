"""Rates, then the one code field, then its options: each needs the one before it (R-46, R-97)."""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.mirror.conditions import MODELS, WANTED
from connections.mirror.diff import TAX_CODE, TAX_RATE
from connections.models import Mirror
from migrations_tool.models import ConnectionMigration
from migrations_tool.preload import sending
from migrations_tool.wizard import Refused
from migrations_tool.work import Work

KINDS = (TAX_RATE, TAX_CODE)


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the three, as our rows know it."""

    title: str
    there: int
    of: int
    is_locked: bool
    """The one before it is not through."""

    @property
    def is_done(self) -> bool:
        return not self.is_locked and self.there == self.of


def upload(work: Work) -> int:
    """Bring the ERP's taxes to our connection, in their order; how many records Ramp took.

    :raises Refused: if a stage did not get through, so that the next one has nothing to stand on
    """
    rates = sending.send(work, (TAX_RATE,))
    first, *_ = stages(work.migration)
    if not first.is_done:
        raise Refused(
            f"Ramp has {first.there:,} of {first.of:,} tax rates, and the tax codes need all of"
            f" them. {_why_not(work, TAX_RATE)}".strip()
        )
    codes = sending.send(work, (TAX_CODE,), is_read=True)
    return rates.records + codes.records


def stages(migration: ConnectionMigration) -> Sequence[Stage]:
    """A few cheap counts: taxes are dozens."""
    connection = migration.connection
    rates, wanted_rates = _counts(migration, TAX_RATE)
    codes, wanted_codes = _counts(migration, TAX_CODE)
    mirror = Mirror.objects.filter(connection=connection).first()
    has_field = mirror is not None and mirror.tax_field_ramp_id is not None
    needs_field = int(bool(wanted_codes))
    first = Stage("Tax rates", rates, wanted_rates, is_locked=False)
    second = Stage("Tax code field", int(has_field), needs_field, is_locked=not first.is_done)
    third = Stage("Tax codes", codes, wanted_codes, is_locked=not second.is_done)
    return first, second, third


def _counts(migration: ConnectionMigration, kind: str) -> tuple[int, int]:
    wanted = MODELS[kind].objects.filter(WANTED[kind], connection=migration.connection_id)
    in_ramp = wanted.filter(ramp_id__isnull=False, ramp_is_active=True)
    return in_ramp.count(), wanted.count()


def _why_not(work: Work, kind: str) -> str:
    rows = MODELS[kind].objects.filter(connection=work.connection).exclude(refusal="")
    first = rows.order_by("pk").first()
    return f"{first.name}: {first.refusal}" if first is not None else ""
