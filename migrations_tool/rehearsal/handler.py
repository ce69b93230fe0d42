"""Step 10: put real objects through the new mapping without posting, explain, and sign."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from connections.mapping_sets import mapping_set
from connections.upkeep import lifecycle
from migrations_tool import backup, proofs
from migrations_tool.flip.preconditions import preconditions, unmet
from migrations_tool.models import (
    Backup,
    ConnectionMigration,
    RehearsedObject,
    Signature,
    StepRun,
)
from migrations_tool.old_chart.translation import translation_of
from migrations_tool.old_chart.version import version_of
from migrations_tool.rehearsal import posts_to, reporting, signing
from migrations_tool.rehearsal.choosing import Chosen, chosen
from migrations_tool.rehearsal.names import Names
from migrations_tool.rehearsal.panel import panel
from migrations_tool.rehearsal.replaying import Stage, basis_of, replay
from migrations_tool.rehearsal.reporting import REPLAYED, ROUTING
from migrations_tool.rehearsal.routing import routed
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Gate, Light, Refused, Status
from migrations_tool.work import Work

PRECONDITIONS = "rehearsal.preconditions"
GOOD_FOR = timedelta(days=1)
"""Completing, and marking ready, look anew in any case."""
Verdict = RehearsedObject.Verdict


class RehearsalHandler(Handler):
    """Rehearses, and says who has signed what."""

    step = Step.REHEARSAL

    def check(self, work: Work) -> None:
        """Ramp's conditions as they are now, the words of errors, and the report if it is due."""
        _keep_routing(work)
        if work.migration.path == Path.MIGRATION and work.migration.flipped_at is None:
            _keep_preconditions(work)
        report = reporting.write_if_ready(work.migration, actor=work.actor, now=work.clock())
        if report is not None:
            work.say(f"The report stands: {report.digest[: signing.SHORT]}.")
        else:
            work.say("There is no report yet.", "Rehearse, and explain what differs.")

    def apply(self, work: Work) -> None:
        """Rehearse what is missing; all of it, if the mapping has changed since."""
        migration, run = work.migration, _run(work)
        archive = backup.latest(migration)
        if archive is None and migration.path == Path.MIGRATION:
            raise Refused("There is no sealed backup yet. Complete step 4: the objects are in it.")
        _learn_entities(work)
        version = version_of(migration)
        kept = posts_to.posts_to(work.connection)  # read first: what changes meanwhile shows
        basis = basis_of(work.connection, version, archive)
        work.place["basis"] = basis
        work.progress(0, None, "Choosing the newest objects of each type.")
        wanted = list(chosen(work, archive))
        stage = Stage(
            migration,
            run,
            mapping_set(work.connection),
            translation_of(migration) if archive else None,
            Names(work.connection),
        )
        _replay_missing(work, stage, wanted, basis)
        _keep_routing(work)
        _keep_replayed(work, version, archive, kept)
        reporting.write_if_ready(migration, actor=work.actor, now=work.clock())
        _say_how_it_went(work)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        """From our rows: nothing is open, both have signed this very report, Ramp is willing."""
        standings = signing.signed(migration)
        gates = [
            _set_up(migration),
            _explained(migration),
            _routing(migration, now),
            _signed(
                standings[Signature.Role.IMPLEMENTER],
                "rehearsal.signed_implementer",
                "The implementer has signed",
                "Read the report and sign it.",
            ),
            _signed(
                standings[Signature.Role.CUSTOMER],
                "rehearsal.signed_customer",
                "The customer has signed",
                "Send the contact the link for signing.",
            ),
        ]
        if migration.path == Path.MIGRATION:
            gates.append(_preconditions(migration, now))
        return gates

    def waits_for(self, migration: ConnectionMigration) -> Status | None:
        """The customer's move once only their signature is missing."""
        report = reporting.newest_report(migration)
        if report is None or _explained(migration).light is not Light.GREEN:
            return None
        standings = signing.signed(migration)
        is_theirs = standings[Signature.Role.IMPLEMENTER].is_good and not (
            standings[Signature.Role.CUSTOMER].is_good
        )
        return Status.WAITING_FOR_CUSTOMER if is_theirs else None

    def panel(
        self, migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        return panel(migration, asked=asked, now=now)


def _run(work: Work) -> StepRun:
    if work.run is None:
        raise Refused("A rehearsal is somebody's act: ask for it on its page.")
    return work.run


def _learn_entities(work: Work) -> None:
    """Objects name their entity. An only one is the ERP's only company; people map several."""
    work.keep()
    lifecycle.map_only_entity(work.connection, work.ramp)


def _replay_missing(work: Work, stage: Stage, wanted: Sequence[Chosen], basis: str) -> None:
    """Those that this run, or an earlier one on the same basis, has put through are left alone."""
    rows = RehearsedObject.objects.filter(migration=work.migration).select_related("run")
    done = {
        (row.object_type, str(row.ramp_id)): row.pk
        for row in rows
        if row.run_id == stage.run.pk
        or (row.run.place.get("basis") == basis and row.verdict != Verdict.HELD)
    }
    seen = []
    for number, one in enumerate(wanted, start=1):
        work.keep()
        key = one.kind.object_type, one.ramp_id
        seen.append(done.get(key) or replay(stage, one).pk)
        work.progress(number, len(wanted), f"Rehearsing: {one.kind.object_type.replace('_', ' ')}")
    rows.exclude(pk__in=seen).delete()


def _keep_replayed(work: Work, version: str, archive: Backup | None, kept: list[list[str]]) -> None:
    rows = reporting.rehearsed(work.migration)
    held = sum(row.verdict == Verdict.HELD for row in rows)
    differ = sum(row.verdict == Verdict.DIFFERS for row in rows)
    work.evidence(
        REPLAYED,
        f"{len(rows)} objects rehearsed: {differ} differ, {held} would be held.",
        is_good=bool(rows),
        inputs={
            "of_each_type": work.migration.rehearse,
            "backup": archive.number if archive else 0,
            "backup_checksum": archive.checksum if archive else "",
            posts_to.KEPT: kept,
        },
        counts={one["type"]: one["all"] for one in reporting.types_of(rows)},
        checksum=version,
    )


def _keep_routing(work: Work) -> None:
    found = routed(erp_name=work.connection.erp_name, contact=settings.SUPPORT_CONTACT)
    faults = [f"{one.category}: {fault}" for one in found for fault in one.faults]
    result = {"routed": [one.to_json() for one in found]}
    last = proofs.newest(work.migration, ROUTING)
    if last is not None and json.dumps(last.result) == json.dumps(result):
        return
    text = "One error of each category reads as it should." if not faults else " ".join(faults)
    work.evidence(ROUTING, text, is_good=not faults, result=result)


def _keep_preconditions(work: Work) -> None:
    work.keep()
    migration = work.migration
    found = preconditions(
        work.ramp.all_connections(),
        migration.new_connection_id,
        old_id=migration.old_connection_id,
        was_marked_by_us=migration.marked_ready_at is not None,
    )
    missing = unmet(found)
    work.evidence(
        PRECONDITIONS,
        missing or "Ramp would let our connection be marked ready now.",
        is_good=not missing,
        result={one.code: {"met": one.is_met, "words": one.words} for one in found},
        good_for=GOOD_FOR,
    )


def _say_how_it_went(work: Work) -> None:
    rows = reporting.rehearsed(work.migration)
    open_ones = sum(reporting.is_open(row) for row in rows)
    if not rows:
        work.say("There is nothing to rehearse: the backup has no object that went through.")
    elif open_ones:
        what = "object needs" if open_ones == 1 else "objects need"
        work.say(f"{len(rows)} objects rehearsed.", f"{open_ones} {what} an explanation.")
    else:
        work.say(f"{len(rows)} objects rehearsed, and nothing is left to explain.", "Sign.")


def _set_up(migration: ConnectionMigration) -> Gate:
    code, title = "rehearsal.posting_accounts", "The posting accounts are chosen"
    if posts_to.has_accounts(migration):
        return Gate(code, title, Light.GREEN, "Those of the card, the bank and cashback.")
    words = "Nobody has said which account stands for the card's liability, the bank and cashback."
    fix = "Choose the posting accounts (the link is below), then rehearse."
    return Gate(code, title, Light.RED, words, fix, mended_here=True)


def _explained(migration: ConnectionMigration) -> Gate:
    code, title = "rehearsal.explained", "Every difference is explained"
    replayed = proofs.newest(migration, REPLAYED)
    if replayed is None:
        return Gate(code, title, Light.UNKNOWN, "Nothing is rehearsed yet.", "Rehearse.")
    if replayed.checksum != version_of(migration):
        said = "The mapping has changed since the rehearsal."
        return Gate(code, title, Light.RED, said, "Rehearse again.", mended_by=Act.APPLY)
    if posts_to.has_changed(migration, replayed):
        said = "Posting accounts, companies or mappings have changed since the rehearsal."
        again = "Rehearse again, and have it signed again."
        return Gate(code, title, Light.RED, said, again, mended_by=Act.APPLY)
    rows = reporting.rehearsed(migration)
    if not rows:
        return Gate(code, title, Light.RED, "Nothing could be rehearsed.", "Make a newer backup.")
    count = sum(reporting.is_open(row) for row in rows)
    if count:
        what = "object differs or would be held, and nobody has said why"
        how = "Explain them below, or map anew."
        what = what if count == 1 else what.replace("object differs", "objects differ")
        return Gate(code, title, Light.RED, f"{count} {what}.", how, mended_here=True)
    return Gate(code, title, Light.GREEN, replayed.text)


def _routing(migration: ConnectionMigration, now: datetime) -> Gate:
    return proofs.gate_of_evidence(
        proofs.newest(migration, ROUTING),
        ROUTING,
        "An error of each category reaches the right people",
        now=now,
        fix="Tell an admin: a text for customers is faulty.",
    )


def _signed(standing: signing.Signed, code: str, title: str, fix: str) -> Gate:
    signature = standing.signature
    if signature is not None and standing.is_good:
        words = f"{signature.name}, report {signature.report_hash[: signing.SHORT]}"
        words += f", {signature.link.way}." if signature.link else "."
        if strange := signing.strange(signature):
            ask = "Ask the contact whether that is right; if not, withdraw the signature."
            return Gate(code, title, Light.WARNING, f"{words} {strange}", ask)
        return Gate(code, title, Light.GREEN, words)
    return Gate(code, title, Light.RED, standing.trouble, fix, mended_here=True)


def _preconditions(migration: ConnectionMigration, now: datetime) -> Gate:
    code, title = PRECONDITIONS, "Ramp's conditions for marking ready are met"
    if migration.marked_ready_at is not None:
        return Gate(code, title, Light.GREEN, "They were: it is marked ready.")
    evidence = proofs.newest(migration, PRECONDITIONS)
    return proofs.gate_of_evidence(evidence, code, title, now=now, fix="Check again then.")
