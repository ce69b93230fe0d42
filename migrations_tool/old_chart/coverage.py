"""How much of what was used is mapped, and where two old records lead to one new one."""

from dataclasses import dataclass, replace

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Sum

from migrations_tool import page_memory
from migrations_tool.models import ConnectionMigration, OldRecord

Kind, State = OldRecord.Kind, OldRecord.State

COVERED = (State.MATCHED, State.MAPPED, State.PARKED)
_NAMES = {
    Kind.ACCOUNT: "GL accounts",
    Kind.FIELD: "fields",
    Kind.OPTION: "field options",
    Kind.VENDOR: "vendors",
    Kind.TAX_CODE: "tax codes",
}
LEADING = (State.MATCHED, State.MAPPED)

_CLASH = Q(state__in=LEADING, shared_because="")
_TWIN = OldRecord.objects.filter(
    _CLASH,
    migration=OuterRef("migration"),
    kind=OuterRef("kind"),
    field_erp_id=OuterRef("field_erp_id"),
    erp_id=OuterRef("erp_id"),
).exclude(pk=OuterRef("pk"))


@dataclass(frozen=True, slots=True)
class Part:
    """Records of one kind."""

    kind: OldRecord.Kind
    records: int
    used: int
    open: int
    """Used, and neither mapped nor parked."""
    money: int
    """Of those that were used, in minor units of the main currency."""
    covered: int

    @property
    def name(self) -> str:
        """Many of the kind, within a sentence."""
        return _NAMES[self.kind]

    @property
    def percent(self) -> float:
        """Of the money; without money, of the records that were used."""
        if self.money:
            return 100 * self.covered / self.money
        return 100 * (self.used - self.open) / self.used if self.used else 100.0

    @property
    def shown(self) -> str:
        """The per cent, in which nothing that is open is rounded away."""
        return "100 %" if not self.open else f"{min(int(self.percent * 10) / 10, 99.9):.1f} %"

    def after(self, money: int) -> str:
        """The per cent once one more that is open now is decided."""
        return replace(self, open=self.open - 1, covered=self.covered + money).shown


@dataclass(frozen=True, slots=True)
class Coverage:
    """All kinds together. One object's money counts once for each kind that it is coded with."""

    parts: list[Part]

    @property
    def records(self) -> int:
        return sum(part.records for part in self.parts)

    @property
    def open(self) -> int:
        return sum(part.open for part in self.parts)


def coverage(migration: ConnectionMigration) -> Coverage:
    """One statement."""
    return page_memory.once(migration, "coverage", lambda: _counted(migration))


def _counted(migration: ConnectionMigration) -> Coverage:
    covered, used = Q(state__in=COVERED), Q(uses__gt=0)
    counted = (
        OldRecord.objects.filter(migration=migration)
        .order_by("kind")
        .values("kind")
        .annotate(
            records=Count("pk"),
            used=Count("pk", filter=used),
            open=Count("pk", filter=used & ~covered),
            money=Sum("money_minor", filter=used, default=0),
            covered=Sum("money_minor", filter=used & covered, default=0),
        )
    )
    return Coverage([_part(**one) for one in counted])


def _part(*, kind: str, **figures: int) -> Part:
    return Part(Kind(kind), **figures)


def with_rivals(records: QuerySet[OldRecord]) -> QuerySet[OldRecord]:
    """Each with `has_rival`: another one leads where it leads, and nobody has decided that so.

    Of several that share a target, one needs no reason; all are shown while a second lacks it.
    """
    return records.annotate(has_rival=_CLASH & Exists(_TWIN))


def rivals(records: QuerySet[OldRecord]) -> QuerySet[OldRecord]:
    """Those that another one leads to the same target as, and nobody has decided that so."""
    return records.filter(_CLASH & Exists(_TWIN))


def undecided_shares(migration: ConnectionMigration) -> list[tuple[str, int]]:
    """Names of the new records that several old ones lead to by accident, and how many do."""
    found = (
        OldRecord.objects.filter(
            migration=migration, state__in=LEADING, shared_because="", erp_id__gt=""
        )
        .order_by("kind", "field_erp_id", "erp_id")
        .values("kind", "field_erp_id", "erp_id")
        .annotate(old=Count("pk"), name=Max("erp_name"))
        .filter(old__gt=1)
    )
    return [(one["name"] or one["erp_id"], one["old"]) for one in found[:50]]
