"""Step 8: the ERP's chart on our connection before anybody has to code with it (R-96)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Value

from connections.mirror import plan as mirror_plan
from connections.mirror.conditions import MODELS
from connections.models import UploadBatch
from connections.models.reference import ReferenceKind
from migrations_tool.models import ConnectionMigration
from migrations_tool.preload import proof, sending
from migrations_tool.preload.sending import KINDS
from migrations_tool.proofs import newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Refused
from migrations_tool.work import Work
from rampbridge.lib.counting import counted

PARITY, PLAN = "preload.parity", "preload.plan"
_REFUSED_SHOWN = 50


class Preload(Handler):
    step = Step.PRELOAD

    def check(self, work: Work) -> None:
        """Count the chart in the ERP, here and in Ramp."""
        parity = proof.prove(work, PARITY)
        if parity.is_given:
            work.say("The chart is the same on all three sides.")
        else:
            work.say(
                f"{parity.total:,} differences. They are listed below.",
                "Mend in the ERP what it refuses, apply this step, and check again.",
            )

    def plan(self, work: Work) -> None:
        """Read the ERP, and say what would be sent."""
        sending.chart_of(work)
        with sending.at_the_chart(work) as keep:
            sending.read_erp(work, keep)
        planned = mirror_plan.pending(work.connection)
        wanted = mirror_plan.Plan(
            {key: records for key, records in planned.counts.items() if key[0] in KINDS}
        )
        counts: dict[str, dict[str, int]] = {}
        for (kind, action), records in wanted.counts.items():
            counts.setdefault(kind, {})[action] = records
        text = (
            f"{counted(wanted.records, 'record')} in about {counted(wanted.calls, 'call')}."
            if wanted.records
            else "Nothing is to be sent: both sides are alike."
        )
        work.evidence(
            PLAN,
            text,
            is_good=True,
            counts=counts,
            result={"calls": wanted.calls, "connection": _named(work.migration)},
        )
        work.say(text)

    def apply(self, work: Work) -> None:
        """Upload what is missing on our connection. Each batch names it."""
        if work.migration.flipped_at is not None:
            raise Refused("The customer has switched: the chart is uploaded by itself now.")
        sent = sending.send(work)
        taken = sum(sum(of_kind.values()) for of_kind in sent.taken.values())
        text = f"Ramp has taken {taken:,} records in {sent.calls:,} calls."
        if sent.refused:
            text += f" {sent.refused:,} {'was' if sent.refused == 1 else 'were'} refused."
        batches = sending.batches_of(work.migration, limit=200)
        work.evidence(
            "preload.sent",
            text,
            is_good=not sent.refused,
            inputs={"connection": _named(work.migration)},
            counts=sent.taken,
            result={
                "calls": sent.calls,
                "refused": sent.refused,
                "trace_ids": [one.trace_id for one in batches if one.trace_id],
            },
        )
        fix = (
            "See below what was refused and why; mend it in the ERP and apply again."
            if sent.refused
            else "Check now, to count the chart on all three sides."
        )
        work.say(text if taken or sent.refused else "Nothing was left to send.", fix)

    def undo(self, work: Work) -> None:
        """Delete on the inactive connection what was made there."""
        if work.migration.marked_ready_at is not None and work.migration.flipped_at is None:
            raise Refused(
                "Our connection is marked ready, so the customer can switch to it any time. Take"
                " back step 11 first."
            )
        gone = sending.take_back(work)
        text = f"{gone:,} records were deleted on the inactive connection."
        work.evidence(PARITY, f"Taken back: {text}", is_good=False, result={"deleted": gone})
        work.say(
            text if gone else "There was nothing to take back.",
            "Options went with their fields. Taxes stay, for Ramp could never bring them back."
            " Nothing of it was ever offered to anybody.",
        )

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        title = "The chart is the same in the ERP, here and in Ramp"
        return [proof.gate_of_parity(migration, PARITY, title, now=now)]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        counted = newest(migration, PARITY)
        return {
            "plan": _planned(migration),
            "parity": counted,
            "counts": proof.shown(counted),
            "differences": [
                {**one, "kind": _label(one["kind"])}
                for one in (counted.result.get("differences", []) if counted else [])[:50]
            ],
            "batches": sending.batches_of(migration, limit=25),
            "refused": _refused(migration),
            "is_inactive": sending.is_inactive(migration),
        }


def _named(migration: ConnectionMigration) -> dict[str, str]:
    """Which connection is meant by every body that is sent."""
    key = "accounting_connection_id"
    return {key: str(migration.new_connection_id)} if sending.is_inactive(migration) else {}


def _planned(migration: ConnectionMigration) -> dict[str, Any] | None:
    evidence = newest(migration, PLAN)
    if evidence is None:
        return None
    rows = [
        {"kind": _label(kind), "action": UploadBatch.Action(action).label, "records": records}
        for kind in KINDS
        for action, records in sorted(evidence.counts.get(kind, {}).items())
    ]
    return {"evidence": evidence, "rows": rows}


def _label(kind: str) -> str:
    return str(ReferenceKind(kind).label)


def _refused(migration: ConnectionMigration) -> list[dict[str, Any]]:
    """Records that Ramp or we refuse, with the field that is wrong. One statement."""
    columns = ("erp_id", "name", "code", "refusal", "refusal_field")
    parts = []
    for place, kind in enumerate(KINDS):
        rows = MODELS[kind].objects.filter(connection=migration.connection_id).exclude(refusal="")
        placed = rows.annotate(place=Value(place)).order_by("pk")
        parts.append(placed.values("place", "pk", *columns)[:_REFUSED_SHOWN])
    refused = parts[0].union(*parts[1:], all=True).order_by("place", "pk")
    return [{"kind": _label(KINDS[one["place"]]), **one} for one in refused[:_REFUSED_SHOWN]]
