"""Send what differs: new records in batches, all else one call each.

Around every call there are two commits: before it the batch says what is about to be sent, after it
the rows say what Ramp has taken. No transaction is open during a call.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from connections.mirror import batches, decisions, lookup, ramp_side
from connections.mirror.batches import Sent
from connections.mirror.conditions import actions_due, differing
from connections.mirror.diff import OPTION, WITHDRAWING, Action
from connections.mirror.isolation import Refused, Search, blamed
from connections.mirror.kinds import Mirrored, Options, in_groups
from connections.mirror.neighbourhood import surroundings
from connections.mirror.validation import Surroundings, problem
from connections.models import Connection, MirrorRun, UploadBatch
from connections.ramp.chart import Chart
from connections.ramp.errors import InvalidRequest, NotFound, OutcomeUnknown, SchemaSurprise
from rampbridge.lib import failpoints

MaySend = Callable[[], None]
"""Called before every call that changes something in Ramp; raises if it must not be made."""

_VALIDATED = (Action.CREATE, Action.CHANGE, Action.REACTIVATE, Action.SHOW)
_CHANGES_AT_ONCE = 500
"""Single calls under one batch row."""


@dataclass
class Sender:
    """One run's way to Ramp."""

    connection: Connection
    chart: Chart
    run: MirrorRun | None
    may_send: MaySend
    in_doubt: MaySend
    sent: Sent = field(default_factory=Sent)
    _due: dict[tuple[str, bool], set[str]] = field(default_factory=dict)

    def send(self, kind: Mirrored, action: Action) -> None:
        """Do one thing to all records of a kind that need it.

        :raises RampError: if Ramp is silent, or refuses for another reason than a record's own
        """
        if action.value not in self._actions_due(kind, action):
            return
        self._due.clear()  # what Ramp takes or loses changes what is due next
        around: Surroundings | None = None
        for rows in self._planned(kind, action):
            around = around or surroundings(kind.kind, self.connection.pk)
            good = [row for row in rows if self._is_sound(kind, action, row, around)]
            if not good:
                continue
            if action is Action.CREATE:
                _Upload(self, kind, good).go()
            else:
                self._change_each(kind, action, good)

    def _actions_due(self, kind: Mirrored, action: Action) -> set[str]:
        """What is to be done to records of a kind, asked once for building and once for
        withdrawing as long as nothing is done: mostly there is nothing."""
        about = (kind.kind, action in WITHDRAWING)
        if about not in self._due:
            self._due[about] = actions_due(kind.kind, self.connection.pk)
        return self._due[about]

    def _planned(self, kind: Mirrored, action: Action) -> Iterator[list[Any]]:
        """Rows in batches, each read just before it is sent. Of all others only keys are held."""
        rows = differing(kind.kind, self.connection.pk).filter(action=action.value)
        size = kind.at_once if action is Action.CREATE else _CHANGES_AT_ONCE
        if kind.kind == OPTION:  # one field at a time, and none whose field Ramp does not have
            rows = rows.filter(field__ramp_id__isnull=False)
            keys = list(rows.order_by("field_id", "pk").values_list("pk", "field_id"))
        else:
            keys = [(pk, None) for pk in rows.order_by("pk").values_list("pk", flat=True)]
        for pks in in_groups(keys, size):
            yield list(
                differing(kind.kind, self.connection.pk)
                .filter(action=action.value, pk__in=pks)
                .order_by("pk")
            )

    def _is_sound(self, kind: Mirrored, action: Action, row: Any, around: Surroundings) -> bool:
        found = problem(kind.kind, row, around) if action in _VALIDATED else None
        if found is None:
            return True
        ramp_side.refuse(kind, row, text=found.text, field=found.field, by_ramp=False)
        self.sent.refused += 1
        return False

    def _change_each(self, kind: Mirrored, action: Action, rows: Sequence[Any]) -> None:
        self.may_send()
        batch = batches.begin(self.connection, kind, action, rows, run=self.run)
        is_doubted = False
        for row in rows:
            self.may_send()
            if action is Action.DEACTIVATE and not decisions.stands(row, kind=kind.kind):
                batches.leave_out(batch, row.erp_id)
                continue
            failpoints.hit("before_upload")
            self.sent.calls += 1
            try:
                _perform(kind, action, self.chart, row)
            except NotFound:
                ramp_side.lose(kind, [row.pk])
                batches.progress(batch, refused=1)
            except InvalidRequest as error:
                if not is_doubted:
                    self.in_doubt()
                is_doubted = True
                self._refuse(kind, batch, Refused(row, error.message, "", error.trace_id))
            else:
                failpoints.hit("after_upload")
                self._keep(kind, action, batch, [(row, _columns_after(kind, action, row))])
                failpoints.hit("after_upload_kept")
            batches.called(batch)
        batches.end(batch)

    def _keep(
        self,
        kind: Mirrored,
        action: Action,
        batch: UploadBatch,
        taken: Sequence[tuple[Any, dict[str, Any]]],
    ) -> None:
        with transaction.atomic():
            ramp_side.confirm(kind, [(row.pk, columns) for row, columns in taken])
            batches.progress(batch, taken=len(taken))
        self.sent.count(kind.kind, action.value, len(taken))

    def _refuse(self, kind: Mirrored, batch: UploadBatch, refused: Refused) -> None:
        with transaction.atomic():
            ramp_side.refuse(
                kind, refused.row, text=refused.message, field=refused.field, by_ramp=True
            )
            batches.progress(batch, refused=1)
        self.sent.refused += 1


@dataclass
class _Upload:
    """One batch of new records."""

    sender: Sender
    kind: Mirrored
    rows: Sequence[Any]
    batch: UploadBatch = field(init=False)
    is_doubted: bool = False

    def go(self) -> None:
        self.sender.may_send()
        self.kind.prepare(self.sender.chart, self.sender.connection.pk)
        self.batch = batches.begin(
            self.sender.connection, self.kind, Action.CREATE, self.rows, run=self.sender.run
        )
        refused = Search(self._send).run(self.rows)
        if refused:
            self._look_into(refused)
        words = sorted({one.message for one in refused})
        batches.end(self.batch, detail="\n".join(words[:5]))

    def _send(self, rows: Sequence[Any]) -> None:
        """Send rows as one upload.

        :raises InvalidRequest: if Ramp takes none of them
        """
        self.sender.may_send()
        failpoints.hit("before_upload")
        self.sender.sent.calls += 1
        try:
            taken = self.kind.upload(self.sender.chart, rows)
        except InvalidRequest as error:
            batches.called(self.batch, trace_id=error.trace_id)
            self._doubt(error, rows)
            raise
        except (OutcomeUnknown, SchemaSurprise) as error:
            batches.called(self.batch, trace_id=error.trace_id)
            found = lookup.landed(self.kind, self.sender.chart, rows)
            if not found:
                raise
            self._adopt(found)
            return
        failpoints.hit("after_upload")
        batches.called(self.batch, trace_id=taken.trace_id)
        by_id = {one.id: one for one in taken.rows}
        self._keep([(row, by_id[row.erp_id]) for row in rows if row.erp_id in by_id])
        failpoints.hit("after_upload_kept")

    def _doubt(self, error: InvalidRequest, rows: Sequence[Any]) -> None:
        """Before hundreds of records are blamed for it: nobody knows how Ramp refuses whoever has
        lost the seat (M6).
        """
        if not self.is_doubted and not blamed(error, [row.erp_id for row in rows]):
            self.is_doubted = True
            self.sender.in_doubt()

    def _look_into(self, refused: Sequence[Refused]) -> None:
        """Ramp refuses what it has already, too, and such a record is simply adopted (M2). Whose id
        merely stood in the words of a refusal is sent once more, without believing the words.
        """
        found = lookup.known(self.kind, self.sender.chart, [one.row for one in refused])
        self._adopt(found)
        there = {row.pk for row, _ in found}
        missing = [one for one in refused if one.row.pk not in there]
        doubtful = [one.row for one in missing if not one.is_certain]
        if doubtful:
            missing = [one for one in missing if one.is_certain]
            missing += Search(self._send, trusts_names=False).run(doubtful)
        for one in missing:
            self.sender._refuse(self.kind, self.batch, one)  # noqa: SLF001  its other half

    def _adopt(self, found: Sequence[tuple[Any, Any]]) -> None:
        shown = [(row, self.kind.as_shown(one)) for row, one in found]
        self.sender._keep(self.kind, Action.CREATE, self.batch, shown)  # noqa: SLF001

    def _keep(self, taken: Sequence[tuple[Any, Any]]) -> None:
        columns = [(row, _columns_made(self.kind, row, made)) for row, made in taken]
        self.sender._keep(self.kind, Action.CREATE, self.batch, columns)  # noqa: SLF001


def _perform(kind: Mirrored, action: Action, chart: Chart, row: Any) -> None:
    if action is Action.DEACTIVATE:
        kind.delete(chart, row)
    elif action is Action.HIDE:
        assert isinstance(kind, Options)  # nothing else can be hidden
        kind.hide(chart, row)
    else:
        kind.change(chart, row, reactivate=action is Action.REACTIVATE)


def _columns_after(kind: Mirrored, action: Action, row: Any) -> dict[str, Any]:
    if action is Action.DEACTIVATE:
        return {"ramp_is_active": False}
    if action is Action.HIDE:
        return {"ramp_is_hidden": True}
    return kind.as_sent(row)


def _columns_made(kind: Mirrored, row: Any, made: Any) -> dict[str, Any]:
    """A field that Ramp knew already stays as it was there; all others are as we sent them."""
    if kind.at_once == 1:
        return kind.as_shown(made)
    return kind.as_sent(row) | {"ramp_id": str(made.ramp_id)}
