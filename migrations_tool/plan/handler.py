"""The plan: what both sides show, and what people have agreed on."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from connections.erp.periods import TellsPeriods
from migrations_tool.inventory.tables import TYPES
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.plan import days, usage
from migrations_tool.plan.paths import take
from migrations_tool.plan.people import ROLES, can_switch
from migrations_tool.plan.seats import Seat, seat_among
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import NOT_NEEDED, Path, Step, definition
from migrations_tool.wizard import Gate, Light
from migrations_tool.work import Work

SEAT, ERP = "plan.seat", "plan.erp"
PATHS: Mapping[str, str] = {
    Path.MIGRATION: "Migration: ours is prepared beside the active one, then they change places.",
    Path.FRESH: "Fresh connection: the seat is free for us, so nothing has to be moved.",
}


class Plan(Handler):
    step = Step.PLAN

    def check(self, work: Work) -> None:
        """Read who has the seat and how the ERP is; set the path; propose a day."""
        work.keep()
        seats = work.ramp.all_connections()
        seat = seat_among(
            seats,
            ours=work.connection.ramp_connection_id,
            label=work.connection.ramp_provider_name,
        )
        starts = _look_at_erp(work)
        work.keep()
        entities = [
            {"id": str(one.id), "name": one.name, "currency": one.currency}
            for one in work.ramp.entities()
        ]
        now = work.clock()
        used = usage.types_used(work.ramp, since=now - usage.SPAN, keep=work.keep)
        work.trace_ids.append(work.ramp.last_trace_id)
        verdict = take(work.migration, seat)
        _propose(work.migration, starts, now)
        work.evidence(
            SEAT,
            verdict.words,
            is_good=verdict.is_good,
            result={
                "path": seat.path,
                "fix": verdict.fix,
                "is_ours": seat.is_ours,
                "holder": _facts(seat),
                "connections": len(seats),
                "entities": entities,
                "types": used,
                "period_starts": [day.isoformat() for day in starts],
            },
        )
        work.say(verdict.words, verdict.fix)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        seen = newest(migration, SEAT)
        erp = newest(migration, ERP)
        return (
            _seat_gate(migration, seen, now),
            gate_of_evidence(
                erp,
                ERP,
                f"{migration.connection.erp_name} answers",
                now=now,
                fix=erp.result.get("fix", "") if erp else "",
            ),
            _day_gate(migration, _period_starts(seen), now),
            _people_gate(migration),
            _contact_gate(migration),
        )

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        seen = newest(migration, SEAT)
        seat = seen.result if seen else {}
        erp = newest(migration, ERP)
        return {
            "seen": seen,
            "seat": seat,
            "path_words": PATHS[migration.path],
            "not_needed": [
                definition(one) for one in Step if one in NOT_NEEDED[Path(migration.path)]
            ],
            "types": [
                (label, seat["types"][name])
                for name, label in TYPES.items()
                if name in seat.get("types", {})
            ],
            "erp_seen": erp,
            "roles": ROLES,
            "values": values_of(migration),
            "errors": {},
        }


def values_of(migration: ConnectionMigration) -> dict[str, Any]:
    """What stands in the form: what was agreed, or else what is proposed."""
    day = migration.flip_on or migration.period_starts_on
    return {
        "flip_on": day.isoformat() if day else "",
        "implementer": migration.implementer,
        "supporter": migration.supporter,
        "contact_name": migration.contact_name,
        "contact_email": migration.contact_email,
        "contact_role": migration.contact_role,
        "hypercare_days": migration.hypercare_days,
    }


def _look_at_erp(work: Work) -> list[date]:
    """Keep how the ERP is.

    :returns: first days of its periods; none if it does not tell
    """
    work.keep()
    health = work.erp.health()
    name = work.connection.erp_name
    if health.problem is not None:
        problem = health.problem
        work.evidence(ERP, problem.title, is_good=False, result={"fix": problem.fix})
        return []
    about = " ".join(part for part in (health.company, health.version) if part)
    closed = health.closed_until
    work.evidence(
        ERP,
        f"{name} answers as {about}." if about else f"{name} answers.",
        is_good=True,
        result={
            "company": health.company,
            "version": health.version,
            "closed_until": closed.isoformat() if closed else "",
        },
    )
    if not isinstance(work.erp, TellsPeriods):
        return []
    work.keep()
    return sorted(work.erp.period_starts())


def _propose(migration: ConnectionMigration, starts: Sequence[date], now: datetime) -> None:
    today = _today(migration, now)
    migration.period_starts_on = days.proposed(today, starts)
    migration.save(update_fields=["period_starts_on"])


def _facts(seat: Seat) -> dict[str, Any]:
    holder = seat.holder
    if holder is None:
        return {}
    linked = holder.created_at or holder.last_linked_at
    return {
        "id": str(holder.id),
        "name": holder.remote_provider_name,
        "type": holder.connection_type,
        "linked_at": linked.isoformat() if linked else "",
    }


def _seat_gate(migration: ConnectionMigration, seen: Evidence | None, now: datetime) -> Gate:
    title = "Path confirmed by Ramp"
    fix = seen.result.get("fix", "") if seen else ""
    gate = gate_of_evidence(seen, SEAT, title, now=now, fix=fix)
    if seen is None or not seen.is_good or migration.flipped_at:
        return gate
    if seen.result["path"] != migration.path:
        return Gate(
            SEAT, title, Light.RED, "The path was changed since Ramp was asked.", "Check now."
        )
    return gate


def _day_gate(migration: ConnectionMigration, starts: Sequence[date], now: datetime) -> Gate:
    code, title, day = "plan.day", "Day of the switch", migration.flip_on
    if day is None:
        fix = "Agree on a day with the customer and enter it below."
        return Gate(code, title, Light.RED, "No day is chosen yet.", fix, mended_here=True)
    today = _today(migration, now)
    if day < today and migration.flipped_at is None:
        words = f"{day:%-d %B %Y} has passed, and the customer has not switched."
        return Gate(code, title, Light.RED, words, "Agree on another day.", mended_here=True)
    if not days.is_boundary(day, starts):
        words = f"No period begins on {day:%-d %B %Y}: its spend would be split over both sides."
        fix = "Choose the first day of a period, or tell the customer's accountant."
        return Gate(code, title, Light.WARNING, words, fix)
    if day < today + days.AHEAD and migration.flipped_at is None:
        words = f"{day:%-d %B %Y} is less than {days.AHEAD.days} days ahead."
        fix = "Two to three months are usual. Make sure that all steps fit in."
        return Gate(code, title, Light.WARNING, words, fix)
    words = f"{day:%-d %B %Y}, the first day of a period."
    return Gate(code, title, Light.GREEN, words)


def _people_gate(migration: ConnectionMigration) -> Gate:
    code, title = "plan.people", "People responsible"
    owners = {"implementer": migration.implementer, "supporter": migration.supporter}
    missing = [role for role, name in owners.items() if not name]
    if missing:
        words = f"Nobody is named as {' and '.join(missing)}."
        return Gate(code, title, Light.RED, words, "Name them below.", mended_here=True)
    words = f"{migration.implementer} implements, {migration.supporter} supports."
    return Gate(code, title, Light.GREEN, words)


def _contact_gate(migration: ConnectionMigration) -> Gate:
    code, title = "plan.contact", "The customer's contact can switch providers"
    name, role = migration.contact_name, migration.contact_role
    if not (name and migration.contact_email):
        words = "It is not known who switches at the customer."
        fix = "Enter their name and e-mail address below."
        return Gate(code, title, Light.RED, words, fix, mended_here=True)
    allowed = can_switch(role)
    if allowed is None:
        words = f"{name}'s role in Ramp is not known. Only an admin or the owner can switch."
        fix = "Ask them: Ramp shows it under Settings, People. Then enter it below."
        return Gate(code, title, Light.WARNING, words, fix)
    label = dict(ROLES)[role]
    if not allowed:
        words = f"{name} is {label} in Ramp, and cannot switch providers."
        fix = "Ask for an admin or the owner, or have the role changed in Ramp."
        return Gate(code, title, Light.RED, words, fix, mended_here=True)
    return Gate(code, title, Light.GREEN, f"{name} is {label} in Ramp.")


def _period_starts(seen: Evidence | None) -> list[date]:
    listed = seen.result.get("period_starts", []) if seen else []
    return [date.fromisoformat(day) for day in listed]


def _today(migration: ConnectionMigration, now: datetime) -> date:
    return now.astimezone(ZoneInfo(migration.connection.time_zone)).date()
