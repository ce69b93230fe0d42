"""What a decision about one old record would add, before it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count

from connections.mapping_book.suggestions import Candidate
from migrations_tool.models import OldRecord
from migrations_tool.old_chart.coverage import COVERED, LEADING, coverage

Kind = OldRecord.Kind


@dataclass(frozen=True, slots=True)
class Impact:
    """In words, and what leads where already."""

    words: Sequence[str]
    leading: Mapping[str, int]
    """ERP ids to how many other old records lead there."""


def of(row: OldRecord, found: Sequence[Candidate], field_erp_id: str) -> Impact:
    """Three small statements.

    :param found: what may be chosen
    :param field_erp_id: of an option: the ERP's field that its own becomes
    """
    return Impact(_words(row), _leading(row, [one.erp_id for one in found], field_erp_id))


def _words(row: OldRecord) -> list[str]:
    part = next((one for one in coverage(row.migration).parts if one.kind == row.kind), None)
    label = Kind(row.kind).label
    if part is None or not row.uses:
        words = ["Nothing was coded with it in twelve months: the step does not wait for it."]
    elif row.state in COVERED:
        words = [f"Of kind {label} {part.shown} is covered, and stays so with another decision."]
    else:
        after = part.after(row.money_minor)
        words = [f"Of kind {label} {part.shown} is covered so far; with this decision {after}."]
        words.append(_left(part.open - 1))
    if row.kind == Kind.FIELD:
        words.append(_options(row))
    return words


def _left(count: int) -> str:
    if not count:
        return "Nothing of this kind is open then."
    return "One stays open then." if count == 1 else f"{count:,} stay open then."


def _options(field: OldRecord) -> str:
    options = OldRecord.objects.filter(
        migration=field.migration_id, kind=Kind.OPTION, field_old_id=field.old_id
    )
    decided = options.exclude(decided_by="").count()
    lost = f", and {decided} decisions about them are made anew" if decided else ""
    return f"Its options ({options.count()}) follow: they are matched with the new field's{lost}."


def _leading(row: OldRecord, erp_ids: Sequence[str], field_erp_id: str) -> dict[str, int]:
    others = OldRecord.objects.filter(
        migration=row.migration_id,
        kind=row.kind,
        field_erp_id=field_erp_id,
        erp_id__in={*erp_ids, row.erp_id} - {""},
        state__in=LEADING,
    ).exclude(pk=row.pk)
    return dict(others.order_by().values_list("erp_id").annotate(Count("pk")))
