"""The gates of step 12. Few statements, and nothing is called."""

from collections.abc import Sequence
from datetime import datetime

from migrations_tool.cutover import codings, what_is_left
from migrations_tool.cutover.acts import READ
from migrations_tool.models import CanaryObject, ConnectionMigration
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.steps import Act
from migrations_tool.wizard import Gate, Light
from syncing.models import SyncItem
from syncing.states import ItemState


def gates(migration: ConnectionMigration, now: datetime) -> Sequence[Gate]:
    return (
        _canary(migration),
        gate_of_evidence(
            newest(migration, "cutover.duplicates"),
            "cutover.duplicates",
            "Nothing is booked twice",
            now=now,
            fix="Look at each one below: reverse the second document, or say why it is none.",
            mended_here=True,
        ),
        _codings(migration, now),
        _bills(migration),
        _rules(migration),
    )


def _canary(migration: ConnectionMigration) -> Gate:
    code, title = "cutover.canary", "One object of each type was looked at in the ERP"
    found = what_is_left.sent(migration)
    if problem := next((words for one in found if (words := _problem(one))), None):
        return Gate(code, title, Light.RED, *problem)
    if missing := _without_canary(migration, found):
        said = f"Ready, and none has gone yet: {', '.join(missing)}."
        return Gate(code, title, Light.UNKNOWN, said, "Send the first ones.", mended_by=Act.APPLY)
    if not found:
        said = "Nothing is ready in Ramp yet, so nothing could be tried."
        fix = "Ask the customer to mark one object of each type ready, then send the first ones."
        return Gate(code, title, Light.UNKNOWN, said, fix, may_be_waived=True)
    waiting = [_label(one) for one in found if one.ticked_at is None]
    if waiting:
        said = f"Waits for somebody to look: {', '.join(waiting)}."
        fix = "Open each in the ERP, then tick it."
        return Gate(code, title, Light.UNKNOWN, said, fix, mended_here=True)
    return Gate(code, title, Light.GREEN, f"Ticked: {', '.join(_label(one) for one in found)}.")


def _problem(one: CanaryObject) -> tuple[str, str] | None:
    """What is wrong with a canary, and what to do."""
    if one.objection:
        words = f"{_label(one)}: {one.ticked_by} objects: {one.objection}"
        return words, "Mend the mapping or the ERP, reverse the document, and send another one."
    if one.reversed_at is not None:
        return f"{_label(one)}: its document was reversed.", "Send another one."
    item = one.item
    if item is not None and item.state in {ItemState.FAILED, ItemState.REVIEW, ItemState.MISMATCH}:
        return f"{_label(one)}: {item.error_title or 'It needs a person.'}", item.error_fix
    return None


def _without_canary(migration: ConnectionMigration, found: Sequence[CanaryObject]) -> list[str]:
    """Types that have something ready and have sent nothing."""
    sent = {one.object_type for one in found}
    return [
        SyncItem.ObjectType(one).label
        for one, is_ready, _ in what_is_left.types(migration)
        if is_ready and one not in sent
    ]


def _codings(migration: ConnectionMigration, now: datetime) -> Gate:
    code, title = "cutover.codings", "What became of codings was measured and read"
    measured = newest(migration, code)
    if measured is None or measured.is_good:
        return gate_of_evidence(measured, code, title, now=now)
    read = newest(migration, READ)
    if read is not None and read.checksum == measured.checksum == codings.checksum(migration):
        return Gate(code, title, Light.GREEN, f"{measured.text} Read by {read.by}.")
    fix = "Read the list below, have lost codings set anew in Ramp, and acknowledge it."
    return Gate(code, title, Light.RED, measured.text, fix, mended_here=True)


def _bills(migration: ConnectionMigration) -> Gate:
    code, title = "cutover.bills", "What was decided about bills in flight is done"
    bills = what_is_left.bills(migration)
    count = len(bills)
    left = sum(one.ticked_at is None and one.gone_at is None for one in bills)
    if not count:
        return Gate(code, title, Light.GREEN, "No bill was in flight.")
    if left:
        words = f"Not ticked off yet: {left} of {count}."
        fix = "Tick each bill below."
        return _to_tick(code, title, words, fix, left)
    return Gate(code, title, Light.GREEN, f"All done: {count}.")


def _rules(migration: ConnectionMigration) -> Gate:
    code, title = "cutover.rules", "Rules are made anew in Ramp"
    rules = what_is_left.rules(migration)
    count, left = len(rules), sum(one.recreated_at is None for one in rules)
    if not count:
        return Gate(code, title, Light.GREEN, "There was no rule to make anew.")
    if left:
        words = f"Not made anew yet: {left} of {count}."
        fix = "Make each in Ramp, then tick it."
        return _to_tick(code, title, words, fix, left)
    return Gate(code, title, Light.GREEN, f"All are made anew: {count}.")


def _to_tick(code: str, title: str, words: str, fix: str, left: int) -> Gate:
    return Gate(code, title, Light.RED, words, fix, may_be_waived=True, left=left, mended_here=True)


def _label(one: CanaryObject) -> str:
    return SyncItem.ObjectType(one.object_type).label
