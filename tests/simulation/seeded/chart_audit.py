"""What must be true of a chart: of what the ERP has, what our rows say, and what Ramp shows."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connections.erp.records import Master, MasterKind
from connections.mirror import plan
from connections.mirror.conditions import MODELS
from connections.mirror.diff import ACCOUNT, FIELD, OPTION, VENDOR
from connections.models import AuditLine, DriftDecision, Mirror, MirrorRun, UploadBatch
from syncing.statements import rows
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book

KINDS: Mapping[MasterKind, str] = {
    MasterKind.ACCOUNT: ACCOUNT,
    MasterKind.DIMENSION: FIELD,
    MasterKind.DIMENSION_VALUE: OPTION,
    MasterKind.VENDOR: VENDOR,
}
PERSON = "somebody"
"""Whoever has pages of ours open."""
Touched = tuple[str, str, str]
"""A customer's slug, a kind, and the ERP's id of a record."""
_MADE_IN_RAMP = "S"
"""What ids begin with that no ERP has."""


def refused(company: Company) -> Iterator[tuple[str, str, str]]:
    """Kind, field and id of what Ramp has refused and is not sent again by itself."""
    for kind in KINDS.values():
        field = "field__erp_id" if kind == OPTION else "connection__slug"
        found = MODELS[kind].objects.filter(connection=company.connection)
        for field_id, erp_id in found.exclude(refused_content="").values_list(field, "erp_id"):
            yield kind, field_id if kind == OPTION else "", erp_id


def alike(company: Company) -> Mapping[str, list[str]]:
    """By kind: records that all agree on. What somebody changes of them in Ramp is drift, then."""
    seen = _Seen.of(company)
    return {kind: list(_alike(seen, kind)) for kind in KINDS.values()}


def _alike(seen: "_Seen", kind: str) -> Iterator[str]:
    for erp_id, master in seen.masters[kind].items():
        row, shown = seen.rows[kind].get(erp_id), seen.shown[kind].get(erp_id, [None])[0]
        is_mirrored = row and shown and shown.is_active and not row.refusal
        is_open = (kind, erp_id) in seen.decided
        if is_mirrored and _is_wanted(master) and _has_field(row, kind) and not is_open:
            yield erp_id


_GONE = " UNION ALL ".join(
    f"SELECT '{kind}', erp_id FROM {MODELS[kind]._meta.db_table}"
    " WHERE connection_id = %(id)s AND gone_at IS NOT NULL"
    for kind in KINDS.values()
)


def check_gone(company: Company, book: Book) -> None:
    """Nothing is taken for gone that the ERP still lists."""
    listed = {(KINDS[of], erp_id) for of, erp_id in company.erp.books.masters if of in KINDS}
    for kind, erp_id in rows(_GONE, {"id": company.connection.pk}):
        if (kind, erp_id) in listed:
            book.breaks("M5", f"{kind} {erp_id} is taken for gone, and the ERP has it")


def check_told(company: Company, changed: Collection[Touched], book: Book, *, since: float) -> None:
    """What somebody changed in Ramp is shown as that, once it was read back and until it is as the
    ERP has it again."""
    mirror = Mirror.objects.get(connection=company.connection)
    mine = [one for one in changed if one[0] == company.slug]
    read_at, pushed_at = mirror.last_verified_at, mirror.last_push_at
    if not mine or not read_at or read_at.timestamp() < since:
        return
    if pushed_at and read_at < pushed_at:
        return
    told = {
        (kind, one.erp_id)
        for kind in {kind for _, kind, _ in mine}
        for one in plan.drift(company.connection, kind=kind, what=plan.CHANGED_IN_RAMP)
    }
    for _, kind, erp_id in mine:
        if (kind, erp_id) not in told:
            book.breaks("drift", f"{kind} {erp_id} was changed in Ramp, and nobody is told")
        book.ends["drift told"] += 1


def check_audit(company: Company, done: int, begun: int, book: Book) -> None:
    """INV14: there is one line for each act of a person; whoever died over one may have left it."""
    lines = AuditLine.objects.filter(connection_id=company.connection.pk, actor=PERSON).count()
    if not done <= lines <= begun:
        book.breaks("INV14", f"{lines} lines tell of {done} acts, of {begun} that were begun")


def check(
    company: Company,
    book: Book,
    withdrawn: Collection[Touched],
    *,
    but: Collection[Touched] | None = None,
) -> None:
    """Compare all three.

    :param withdrawn: what people did not want to be offered any more
    :param but: what somebody changed in Ramp; None: that was read back
    """
    audit = _Audit(company, book, _Seen.of(company), withdrawn, but or ())
    audit.check()
    if but is None:
        audit.check_strangers()
    _check_runs(company, book)


def _check_runs(company: Company, book: Book) -> None:
    connection = company.connection
    for batch in UploadBatch.objects.filter(connection=connection):
        book.ends[f"upload {batch.state}"] += 1
        if batch.state == UploadBatch.State.SENDING:
            book.breaks("INV6", f"an upload hangs: {batch} {batch.erp_ids}")
    for run in MirrorRun.objects.filter(connection=connection):
        book.ends[f"refresh {run.state}"] += 1
        if run.state == MirrorRun.State.RUNNING:
            book.breaks("INV6", "a refresh hangs")
        if run.state == MirrorRun.State.FAILED and not (run.title and run.fix):
            book.breaks("INV12", "a refresh has failed, and says not why")


@dataclass(frozen=True, slots=True)
class _Seen:
    """One customer's chart on the three sides, by kind and the ERP's id."""

    masters: Mapping[str, Mapping[str, Master]]
    rows: Mapping[str, Mapping[str, Any]]
    shown: Mapping[str, Mapping[str, list[Any]]]
    decided: Mapping[tuple[str, str], str]

    @classmethod
    def of(cls, company: Company) -> "_Seen":
        masters: dict[str, dict[str, Master]] = {kind: {} for kind in KINDS.values()}
        for (of, erp_id), master in company.erp.books.masters.items():
            if of in KINDS:
                masters[KINDS[of]][erp_id] = master
        shown: dict[str, dict[str, list[Any]]] = {kind: {} for kind in KINDS.values()}
        for kind, records in company.business.charted().items():
            for record in records if kind in shown else ():
                shown[kind].setdefault(record.external_id, []).append(record)
        open_ones = DriftDecision.objects.filter(connection=company.connection, done_at=None)
        ours = {}
        for kind in KINDS.values():
            found = MODELS[kind].objects.filter(connection=company.connection)
            found = found.select_related("field") if kind == OPTION else found
            ours[kind] = {row.erp_id: row for row in found}
        decided = {(one.kind, one.erp_id): one.action for one in open_ones}
        return cls(masters, ours, shown, decided)


@dataclass(frozen=True, slots=True)
class _Audit:
    company: Company
    book: Book
    seen: _Seen
    withdrawn: Collection[Touched]
    but: Collection[Touched]

    def check(self) -> None:
        for kind in KINDS.values():
            masters, ours = self.seen.masters[kind], self.seen.rows[kind]
            shown = self.seen.shown[kind]
            for erp_id, times in Counter({one: len(shown[one]) for one in shown}).items():
                if times > 1:
                    self._break(kind, erp_id, f"is in Ramp {times} times")
            for erp_id in masters.keys() | ours.keys():
                if (self.company.slug, kind, erp_id) in self.but:
                    continue
                record = shown.get(erp_id, [None])[0]
                self._check_one(kind, erp_id, masters.get(erp_id), ours.get(erp_id), record)

    def _check_one(
        self, kind: str, erp_id: str, master: Master | None, row: Any, shown: Any
    ) -> None:
        if row is None:
            self._break(kind, erp_id, "is in the ERP, and nobody here knows it")
            return
        self.book.ends[f"{kind} {_state(master, row, shown)}"] += 1
        self._check_read(kind, erp_id, master, row)
        self._check_belief(kind, erp_id, row, shown)
        if master is not None and _is_wanted(master) and _has_field(row, kind):
            self._check_wanted(kind, erp_id, row, shown)
        else:
            self._check_unwanted(kind, erp_id, row, shown)

    def _check_read(self, kind: str, erp_id: str, master: Master | None, row: Any) -> None:
        """What our row says of the ERP."""
        if master is None:
            if row.gone_at is None:
                self._break(kind, erp_id, "is gone from the ERP, and not here")
        elif row.gone_at is not None:
            self._break(kind, erp_id, "is taken for gone")
        elif (row.name, row.code, row.is_active) != (master.name, master.code, master.active):
            self._break(kind, erp_id, f"is {master} in the ERP, and {row} here")

    def _check_belief(self, kind: str, erp_id: str, row: Any, shown: Any) -> None:
        """What our row says of Ramp."""
        if (shown is None) != (row.ramp_id is None):
            self._break(kind, erp_id, f"is {shown} in Ramp, and {row.ramp_id} here")
        elif shown is not None:
            ours = [row.ramp_name, row.ramp_code, row.ramp_is_active]
            theirs = [shown.name, shown.code or "", shown.is_active]
            if kind == OPTION:
                ours.append(row.ramp_is_hidden)
                theirs.append(shown.is_hidden)
            if ours != theirs:
                self._break(kind, erp_id, f"is {theirs} in Ramp, and we think {ours}")

    def _check_wanted(self, kind: str, erp_id: str, row: Any, shown: Any) -> None:
        """Nothing that the ERP has, and that items may be coded with, is missing in Ramp."""
        if row.refusal or self.seen.decided.get((kind, erp_id)):
            return
        if shown is None:
            self._break(kind, erp_id, "is not in Ramp, and nothing says why")
        elif not shown.is_active or getattr(shown, "is_hidden", False):
            self._break(kind, erp_id, "is not offered in Ramp")
        elif (shown.name, shown.code or "") != (row.name, row.code):
            self._break(kind, erp_id, f"is called {shown.code} {shown.name} in Ramp")

    def _check_unwanted(self, kind: str, erp_id: str, row: Any, shown: Any) -> None:
        """What the ERP has closed is hidden, or before people; nobody else takes it away."""
        decided = self.seen.decided.get((kind, erp_id))
        if shown is None or row.refusal:
            return
        if not shown.is_active:
            if (self.company.slug, kind, erp_id) not in self.withdrawn:
                self._break(kind, erp_id, "was deactivated, and nobody has decided that")
        elif decided == DriftDecision.Action.DEACTIVATE:
            self._break(kind, erp_id, "is offered still, and was decided to be deactivated")
        elif kind == OPTION and not shown.is_hidden and not decided:
            self._break(kind, erp_id, "is offered in Ramp, and closed in the ERP")
        elif kind != OPTION and not decided:
            asked = plan.drift(self.company.connection, kind=kind, text=erp_id)
            if not any(one.erp_id == erp_id and one.needs_decision for one in asked):
                self._break(kind, erp_id, "is closed in the ERP, and nobody is asked")

    def check_strangers(self) -> None:
        counted = Mirror.objects.get(connection=self.company.connection).strangers
        made = [
            one
            for erp_id, (one, *_) in self.seen.shown[ACCOUNT].items()
            if erp_id.startswith(_MADE_IN_RAMP) and one.is_active
        ]
        if counted.get(ACCOUNT, 0) != len(made):
            self._break(ACCOUNT, "", f"by hand: {len(made)}, and {counted} are told of")

    def _break(self, kind: str, erp_id: str, what: str) -> None:
        self.book.breaks("chart", f"{self.company.slug}: {kind} {erp_id} {what}")


def _is_wanted(master: Master) -> bool:
    return master.active and master.postable


def _has_field(row: Any, kind: str) -> bool:
    """Options go where their field is."""
    return kind != OPTION or bool(row.field.is_active and row.field.gone_at is None)


def _state(master: Master | None, row: Any, shown: Any) -> str:
    """What became of a record, for the counters."""
    if row.refusal:
        return "refused"
    if shown is None:
        return "not in Ramp"
    if master is None or not _is_wanted(master):
        return "closed, offered" if shown.is_active else "closed"
    return "mirrored"
