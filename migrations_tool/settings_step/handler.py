"""Step 9: taxes in their order, vendor credits, and switches of our connection (R-97)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db.models import F

from connections.models import Switch
from connections.services import NotVerified
from connections.upkeep import switches
from migrations_tool.models import ConnectionMigration
from migrations_tool.preload import proof, sending
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.settings_step import taxes, wishes
from migrations_tool.settings_step.usage import Usage, used
from migrations_tool.settings_step.wishes import CREATION, CREDITS, DETECTED, Desired
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Light, Refused
from migrations_tool.work import Work

READ_BACK, PLAN, TAXES = "settings.read_back", "settings.plan", "settings.taxes"
NOT_USED = "No tax code was used in twelve months, so there is nothing to set up."


class Settings(Handler):
    step = Step.SETTINGS

    def check(self, work: Work) -> None:
        """Read taxes and switches back from Ramp."""
        _ours(work)
        usage = used(work.migration, now=work.clock())
        wrong = _tax_trouble(work, usage)
        work.keep()
        shown = {one.name: one for one in switches.read_back(work.connection, work.ramp)}
        work.trace_ids.append(work.ramp.last_trace_id)
        rows = [_row(one, shown.get(one.name)) for one in wishes.desired(work.migration, usage)]
        wrong += [
            f"{one['label']} is {_on(one['found'])} and is to be {_on(one['on'])}."
            for one in rows
            if one["found"] is not one["on"]
        ]
        text = " ".join(wrong) if wrong else "Taxes and switches are in Ramp as they are to be."
        work.evidence(
            READ_BACK,
            text,
            is_good=not wrong,
            inputs={"usage": usage.to_json()},
            result={"switches": rows, "stages": _stages(work.migration)},
        )
        work.say(text, "Apply this step." if wrong else "")

    def plan(self, work: Work) -> None:
        """Say what was used, and how everything is to stand."""
        _ours(work)
        usage = used(work.migration, now=work.clock())
        rows = [_row(one, None) for one in wishes.desired(work.migration, usage)]
        on = [str(one["label"]) for one in rows if one["on"]]
        text = (
            f"{usage.taxed:,} objects had a tax code: taxes are set up."
            if usage.taxed
            else NOT_USED
        )
        text += f" On: {', '.join(on) if on else 'none of the switches'}."
        work.evidence(
            PLAN,
            text,
            is_good=True,
            inputs={"usage": usage.to_json()},
            result={"switches": rows, "stages": _stages(work.migration)},
        )
        work.say(text)

    def apply(self, work: Work) -> None:
        """Taxes first, then what was used is switched on; all of it is read back."""
        _ours(work)
        usage = used(work.migration, now=work.clock())
        taken = taxes.upload(work) if usage.taxed else 0
        turned = _turn(work, wishes.desired(work.migration, usage))
        self.check(work)
        did = [f"{taken:,} tax records were sent." if taken else "", *turned]
        words = " ".join(one for one in did if one) or "Nothing was left to do."
        proven = newest(work.migration, READ_BACK)
        is_good = proven is not None and proven.is_good
        work.say(words, "" if is_good or proven is None else proven.text)

    def undo(self, work: Work) -> None:
        """Switch off what was switched on. Taxes stay: Ramp could never bring them back."""
        migration = work.migration
        if not sending.is_inactive(migration):
            raise Refused(
                "Our connection is active: people work with it. Use the switches on the customer's"
                " settings page."
            )
        _ours(work)
        off = [Desired(one, on=False, why="Taken back.") for one in (CREDITS, CREATION)]
        turned = _turn(work, off)
        text = " ".join(turned) or "Nothing was on."
        Switch.objects.filter(
            connection=work.connection, name__in=[CREDITS, CREATION], wanted_by=DETECTED
        ).update(wanted=None, wanted_by="", wanted_at=None)
        work.evidence(READ_BACK, f"Taken back. {text}", is_good=False)
        work.say(text, "Taxes stay on the inactive connection: Ramp has no way to bring them back.")

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        title = "Taxes, vendor credits and switches read back as they are to be"
        proven = newest(migration, READ_BACK)
        gate = gate_of_evidence(proven, READ_BACK, title, now=now, fix="Apply this step.")
        if not gate.is_open or migration.flipped_at is not None:
            return [gate]
        names = [CREDITS, CREATION, *wishes.BUTTONS]
        ours = Switch.objects.filter(connection=migration.connection_id, name__in=names)
        differing = ours.filter(wanted__isnull=False).exclude(wanted=F("found")).order_by("name")
        if drifted := differing.first():
            words = f"{drifted} is {_on(drifted.found)} in Ramp and is to be {_on(drifted.wanted)}."
            return [Gate(READ_BACK, title, Light.RED, words, "Apply this step.")]
        return [gate]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        newest_of = [one for code in (READ_BACK, PLAN) if (one := newest(migration, code))]
        known = [one for one in newest_of if one.inputs.get("usage")]
        if not known:
            return {"usage": None}
        usage = Usage(**max(known, key=lambda one: one.at).inputs["usage"])
        found = {one.name: one for one in Switch.objects.filter(connection=migration.connection_id)}
        rows = [
            _row(one, found.get(one.name)) | {"can_choose": one.name in {CREDITS, CREATION}}
            for one in wishes.desired(migration, usage)
        ]
        return {
            "usage": usage,
            "not_used": NOT_USED,
            "stages": taxes.stages(migration),
            "switches": rows,
            "parity": proof.shown(newest(migration, TAXES)),
        }


def _ours(work: Work) -> None:
    """:raises Refused: if there is no connection of ours that everybody means"""
    sending.chart_of(work)
    if work.migration.new_connection_id != work.connection.ramp_connection_id:
        raise Refused("Our connection is not made yet. Do step 6 first.")


def _tax_trouble(work: Work, usage: Usage) -> list[str]:
    """What is wrong with the taxes in Ramp, in words."""
    if not usage.taxed:
        return []
    parity = proof.prove(work, TAXES, taxes.KINDS)
    if not any(sides["erp"] for sides in parity.counts.values()):
        return [
            f"{usage.taxed:,} objects had a tax code, and {work.connection.erp_name} lists none."
            " Set up its taxes, then apply this step."
        ]
    if parity.is_given:
        return []
    first = parity.differences[0]
    return [f"{parity.total:,} tax records differ, first {first.name}: {first.words}"]


def _turn(work: Work, wanted: Sequence[Desired]) -> list[str]:
    """Bring Ramp's switches to what is wanted, one after the other; what was done, in words."""
    work.keep()
    shown = {one.name: one for one in switches.read_back(work.connection, work.ramp)}
    done = []
    for one in wanted:
        switch = shown[one.name]
        by = switch.wanted_by if switch.wanted is one.on and switch.wanted_by else DETECTED
        if switch.wanted is not one.on:
            switch = switches.wish(work.connection, one.name, on=one.on, actor=by)
        if switch.found is one.on:
            continue
        work.keep()
        try:
            switches.turn(switch, work.ramp)
        except NotVerified as error:
            raise Refused(str(error)) from error
        work.trace_ids.append(work.ramp.last_trace_id)
        done.append(f"{one.label} is {_on(one.on)}.")
    return done


def _row(one: Desired, found: Switch | None) -> dict[str, Any]:
    return {
        "name": str(one.name.value),
        "label": one.label,
        "on": one.on,
        "why": one.why,
        "found": found.found if found is not None else None,
    }


def _stages(migration: ConnectionMigration) -> list[dict[str, Any]]:
    return [asdict(one) | {"is_done": one.is_done} for one in taxes.stages(migration)]


def _on(value: object) -> str:
    return "not known" if value is None else "on" if value else "off"
