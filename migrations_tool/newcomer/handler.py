"""Step 6: our connection beside the active one, made and proven (R-93, R-94)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connections.ramp.schemas import AccountingConnection
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.newcomer import making
from migrations_tool.newcomer.making import NOT_INCUMBENT, READ_BACK
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Gate, Refused
from migrations_tool.work import Work

MADE = "connection.made"


class NewConnection(Handler):
    step = Step.CONNECTION

    def check(self, work: Work) -> None:
        """Read our connection back, and who has the seat."""
        migration = work.migration
        if migration.new_connection_id is None:
            raise Refused("Our connection is not made yet. Apply this step first.")
        work.keep()
        seats = work.ramp.all_connections()
        work.keep()
        ours = work.ramp.connection(migration.new_connection_id)
        work.trace_ids.append(work.ramp.last_trace_id)
        if _is_to_be_active(migration):
            _tell_active(work, ours)
        else:
            _tell_inactive(work, ours, seats)

    def plan(self, work: Work) -> None:
        """Say what applying would ask of Ramp."""
        migration = work.migration
        name = work.connection.ramp_provider_name
        work.keep()
        seats = work.ramp.all_connections()
        if _is_fresh(migration):
            text = f"“{name}” takes the seat in Ramp and is active at once."
        elif migration.new_connection_id is not None:
            text = "Nothing is left to do: our connection is made already."
        else:
            active = making.active_among(seats)
            text = (
                f"“{name}” is made as an inactive connection. {active.remote_provider_name} stays"
                " active and is not touched."
            )
        work.evidence(
            "connection.plan",
            text,
            is_good=True,
            result={"connections": [making.shown(one) for one in seats]},
        )
        work.say(text)

    def apply(self, work: Work) -> None:
        """Make it, or find what an earlier try has made; then read it back."""
        migration = work.migration
        if migration.flipped_at is not None:
            raise Refused("The customer has switched to it already. Nothing is left to make.")
        made_before = migration.new_connection_id
        one = making.take_seat(work) if _is_fresh(migration) else making.make(work)
        self.check(work)
        if made_before == one.id:
            work.say(f"Nothing was left to do: “{one.remote_provider_name}” is there.")
        elif _is_fresh(migration):
            work.say(f"“{one.remote_provider_name}” is the active connection in Ramp.")
        else:
            work.say(
                f"“{one.remote_provider_name}” stands beside the active connection, inactive.",
                "Nobody at the customer sees it yet.",
            )

    def undo(self, work: Work) -> None:
        """Give our inactive connection up. Ramp has no call that deletes it, so it stays there."""
        migration = work.migration
        _check_undo(migration)
        given_up = making.let_go(work)
        if given_up is None:
            work.say("There was nothing to take back: no connection was made.")
            return
        text = (
            f"Given up: {given_up}. Ramp documents no way to delete an inactive connection, so it"
            " stays in its list, unused. Nothing is written to it any more."
        )
        result = {"given_up": str(given_up)}
        work.evidence("connection.given_up", text, is_good=True, result=result)
        work.evidence(READ_BACK, text, is_good=False, result=result)
        work.say(
            "Our inactive connection is given up. The active one was not touched.",
            "Ramp documents no way to delete an inactive connection: it stays in Ramp's list,"
            " unused and never offered to anybody. Applying this step again takes it up again.",
        )

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        fix = "Apply this step." if migration.new_connection_id is None else "Check now."
        return [
            gate_of_evidence(
                newest(migration, READ_BACK),
                READ_BACK,
                "Read back from Ramp as linked"
                if _is_fresh(migration)
                else "Read back from Ramp: UNLINKED, of type API, not active",
                now=now,
                fix=fix,
            ),
            gate_of_evidence(
                newest(migration, NOT_INCUMBENT),
                NOT_INCUMBENT,
                "The seat is ours"
                if _is_fresh(migration)
                else "It is another connection than the active one",
                now=now,
                fix=fix,
            ),
        ]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        made = newest(migration, MADE)
        return {
            "label": migration.connection.ramp_provider_name,
            "old_label": migration.old_provider_name,
            "is_fresh": _is_fresh(migration),
            "made": made,
            "read": newest(migration, READ_BACK),
            "given_up": newest(migration, "connection.given_up")
            if migration.new_connection_id is None
            else None,
        }


def _is_fresh(migration: ConnectionMigration) -> bool:
    return migration.path == Path.FRESH


def _is_to_be_active(migration: ConnectionMigration) -> bool:
    return _is_fresh(migration) or migration.flipped_at is not None


def _tell_inactive(
    work: Work, ours: AccountingConnection, seats: Sequence[AccountingConnection]
) -> None:
    wrong = making.what_is_wrong(ours, work.connection.ramp_provider_name)
    if work.connection.ramp_connection_id != ours.id:
        wrong = "The customer's settings name another connection than this migration."
    making.told(work, ours, wrong)
    active = making.active_among(seats)
    is_other = ours.id not in {active.id, work.migration.old_connection_id}
    _keep_other(work, ours, active, is_good=is_other)
    work.say(wrong or "Our connection is as it has to be, and the active one is untouched.")


def _keep_other(
    work: Work, ours: AccountingConnection, active: AccountingConnection, *, is_good: bool
) -> Evidence:
    about = f"{active.remote_provider_name or 'the active connection'} ({active.id})"
    return work.evidence(
        NOT_INCUMBENT,
        f"{ours.id} is another connection than {about}, which is active."
        if is_good
        else f"Ramp shows {about} as active, and it is the same as ours.",
        is_good=is_good,
        inputs={"call": "GET accounting/all-connections"},
        result={"ours": making.shown(ours), "active": making.shown(active)},
    )


def _tell_active(work: Work, ours: AccountingConnection) -> None:
    is_good = ours.is_live and ours.is_api
    name = ours.remote_provider_name
    text = (
        f"Ramp shows “{name}” as linked." if is_good else f"Ramp does not show “{name}” as linked."
    )
    for code in (READ_BACK, NOT_INCUMBENT):
        work.evidence(code, text, is_good=is_good, result=making.shown(ours))
    work.say(text, "" if is_good else "Check again in a minute; then look at it in Ramp.")


def _check_undo(migration: ConnectionMigration) -> None:
    """:raises Refused: if it cannot be given up here any more"""
    if _is_fresh(migration):
        raise Refused(
            "On this path our connection is the active one. Disconnect it on the customer's"
            " settings page if it is to be given up."
        )
    if migration.flipped_at is not None:
        raise Refused(
            "The customer has switched to it. Take back step 11 instead: the customer reconnects"
            " the old provider, and we stop posting."
        )
    if migration.marked_ready_at is not None:
        raise Refused(
            "It is marked ready, so the customer can still switch to it. Take back step 11 first."
        )
