"""Where a document's coding differs from what the object was coded with, both named, by line."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from connections.erp.records import DocKind, Document, Line
from connections.mapping_book.suggestions import folded
from connections.ramp.schemas import Coded, LineItem, Selection
from connections.ramp.spend import Bill, VendorCredit
from migrations_tool.models import OldRecord
from migrations_tool.old_chart.labels import label_of
from migrations_tool.old_chart.translation import KIND_OF_TYPE, Goal, Translation
from syncing.posting.lines import codings_of

Kind, State = OldRecord.Kind, OldRecord.State
NOTHING = "nothing"


class Namer(Protocol):
    """What the ERP's records are called."""

    def account(self, erp_id: str) -> str: ...
    def option(self, field: str, erp_id: str) -> str: ...
    def tax_code(self, erp_id: str) -> str: ...
    def vendor(self, erp_id: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Difference:
    """One coding that is another one in the document."""

    line: int
    """Counts from 1; 0 is the whole object."""
    field: str
    before: str
    after: str
    why: str = ""
    """What the mapping says to it. Empty: a person has to explain it."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def differences(
    one: Any, document: Document, translation: Translation, names: Namer
) -> list[Difference]:
    """Of an object as Ramp had it, coded with the old chart, and the document that it makes now.

    Types that are not coded, such as transfers, differ in nothing.
    """
    found: list[Difference] = []
    if document.party and isinstance(one, Coded):
        found += _of_vendor(one, document, translation, names)
    if not isinstance(one, Coded) or document.kind == DocKind.BILL_PAYMENT:
        return found
    lines = lines_of(one) or (LineItem(),)
    coded = [line for line in document.lines if not line.tax_of]
    for number, (line, made) in enumerate(zip(lines, coded, strict=False), start=1):
        found += _of_line(number, codings_of(one, line), made, translation, names)
    return found


def lines_of(one: Coded) -> Sequence[LineItem]:
    """The lines that the mappers make the document's lines of, in their order."""
    if isinstance(one, Bill | VendorCredit):
        return one.lines
    return getattr(one, "line_items", ())


def _of_line(
    number: int,
    codings: Sequence[Selection],
    made: Line,
    translation: Translation,
    names: Namer,
) -> Iterator[Difference]:
    has_account = False
    for coding in codings:
        kind = KIND_OF_TYPE.get(coding.type, Kind.OPTION)
        of = coding.field_external_id if kind == Kind.OPTION else ""
        goal = translation.goal(kind, coding.external_id, of)
        match kind:
            case Kind.ACCOUNT if not has_account:
                has_account = True
                yield from _told(
                    number, "GL account", coding, goal, made.account, names.account(made.account)
                )
            case Kind.TAX_CODE if coding.external_id:
                code = made.tax_code
                yield from _told(number, "Tax code", coding, goal, code, names.tax_code(code))
            case Kind.OPTION if coding.external_id:
                yield from _of_option(number, coding, goal, made, names)
    if not has_account:
        yield Difference(number, "GL account", "no GL account", names.account(made.account))


def _of_option(
    number: int, coding: Selection, goal: Goal | None, made: Line, names: Namer
) -> Iterator[Difference]:
    field = goal.field_erp_id if goal else ""
    value = made.dimensions.get(field, "")
    info = coding.category_info
    title = (info.name if info else "") or coding.field_external_id
    yield from _told(number, title, coding, goal, value, names.option(field, value))


def _told(
    number: int, field: str, coding: Selection, goal: Goal | None, made: str, called: str
) -> Iterator[Difference]:
    before = goal.label if goal else label_of(coding.external_code, coding.name)
    leads_there = goal is not None and bool(goal.erp_id) and goal.erp_id == made
    if leads_there and goal is not None and goal.state == State.MATCHED:
        return
    if leads_there and _is_called_the_same(before, called):
        return
    intended = goal is not None and (leads_there or goal.state == State.PARKED)
    why = goal.why if goal is not None and intended else ""
    yield Difference(number, field, before, called if made else NOTHING, why)


def _is_called_the_same(before: str, called: str) -> bool:
    """But for a code that only the new one has."""
    return folded(before) in (folded(called), folded(called.partition(" ")[2]))


def _of_vendor(
    one: Coded, document: Document, translation: Translation, names: Namer
) -> Iterator[Difference]:
    """Of the object as a whole: whom it is from."""
    called = names.vendor(document.party)
    merchants = (
        coding
        for line in (LineItem(), *lines_of(one))
        for coding in codings_of(one, line)
        if coding.type == "MERCHANT" and coding.external_id
    )
    coding = next(merchants, None)
    if coding is None and isinstance(one, Bill):
        vendor = one.vendor
        coding = Selection(external_id=vendor.remote_id, name=vendor.remote_name or vendor.name)
    if coding is None or folded(coding.name) == folded(called):
        return
    goal = translation.goal(Kind.VENDOR, coding.external_id)
    yield from _told(0, "Vendor", coding, goal, document.party, called)
