# ruff: noqa: ARG002  the arguments are those of every step
"""Step 4: keep the old chart and the coding of every object (R-90, R-91)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrations_tool import proofs
from migrations_tool.backup import making, proof, versions
from migrations_tool.backup.old_seat import check_seat
from migrations_tool.backup.panel import panel
from migrations_tool.backup.parts import PartDamaged
from migrations_tool.models import Backup, ConnectionMigration, Evidence
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Gate, Light
from migrations_tool.work import Work

SEALED, VERIFIED, FRESH = "backup.sealed", "backup.verified", "backup.fresh"
_TITLES = {
    SEALED: "A backup is sealed",
    VERIFIED: "It was read back, restored and compared",
    FRESH: "It is not older than the chart",
}
_MAKE = "Make the backup: it is read, proven and sealed."


class BackupHandler(Handler):
    step = Step.BACKUP
    watch_every = timedelta(hours=6)

    def check(self, work: Work) -> None:
        """Read the archive back, and compare its chart with the one in Ramp."""
        backup = versions.latest(work.migration)
        if backup is None:
            work.say("There is no sealed backup yet.", _MAKE)
            return
        _verify(work, backup)
        if work.migration.flipped_at is None:
            check_seat(work)
            making.note_freshness(work, backup)

    def apply(self, work: Work) -> None:
        making.make(work, anew=bool(work.settings.get("anew")))

    def is_watching(self, migration: ConnectionMigration) -> bool:
        """Until the switch: then the chart is no longer the old one's."""
        return migration.flipped_at is None and versions.latest(migration) is not None

    def watch(self, work: Work) -> None:
        backup = versions.latest(work.migration)
        if backup is not None:
            check_seat(work)
            making.note_freshness(work, backup)

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        backup = versions.latest(migration)
        if backup is None:
            return [_missing(migration, code) for code in _TITLES]
        sealed = Gate(SEALED, _TITLES[SEALED], Light.GREEN, _sealed_words(backup))
        gates = [sealed, _verified(migration, backup, now), _fresh(migration, backup, now)]
        taxes = _of(backup, proofs.newest(migration, making.TAXES))
        return [*gates, _taxes(taxes, now)] if taxes else gates

    def panel(
        self, migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        return panel(migration)


def _verify(work: Work, backup: Backup) -> None:
    try:
        proof.verify(work, backup)
    except (proof.NotProven, PartDamaged) as wrong:
        work.evidence(VERIFIED, str(wrong), is_good=False, result={"backup": str(backup.pk)})
        return
    work.evidence(
        VERIFIED,
        f"All parts of version {backup.number} were read back; its checksum is right.",
        is_good=True,
        result={"backup": str(backup.pk)},
        checksum=backup.checksum,
    )


def _missing(migration: ConnectionMigration, code: str) -> Gate:
    """Without a backup nothing is known, unless the last attempt was refused."""
    refused = proofs.newest(migration, VERIFIED) if code == VERIFIED else None
    if refused is not None and not refused.is_good:
        return Gate(
            code,
            _TITLES[code],
            Light.RED,
            refused.text,
            "Make the backup again.",
            mended_by=Act.APPLY,
        )
    return Gate(
        code, _TITLES[code], Light.UNKNOWN, "There is no backup yet.", _MAKE, mended_by=Act.APPLY
    )


def _sealed_words(backup: Backup) -> str:
    total = sum(backup.counts.values())
    return f"Version {backup.number} of {backup.sealed_at:%-d %B %Y}, {total:,} records."


def _verified(migration: ConnectionMigration, backup: Backup, now: datetime) -> Gate:
    evidence = _of(backup, proofs.newest(migration, VERIFIED))
    return proofs.gate_of_evidence(
        evidence,
        VERIFIED,
        _TITLES[VERIFIED],
        now=now,
        fix="Make another version.",
        mended_by=Act.APPLY,
    )


def _fresh(migration: ConnectionMigration, backup: Backup, now: datetime) -> Gate:
    title, again = _TITLES[FRESH], "Make the backup again: it gets a new version."
    if migration.flipped_at is not None:
        words = f"The customer has switched; version {backup.number} is of before."
        return Gate(FRESH, title, Light.GREEN, words)
    evidence = _of(backup, proofs.newest(migration, FRESH))
    if backup.sealed_at is not None and backup.sealed_at + making.GOOD_FOR <= now:
        days = making.GOOD_FOR.days
        words = f"Version {backup.number} is of {backup.sealed_at:%-d %B}: more than {days} days."
        return Gate(FRESH, title, Light.RED, words, "Make another version.", mended_by=Act.APPLY)
    return proofs.gate_of_evidence(evidence, FRESH, title, now=now, fix=again, mended_by=Act.APPLY)


def _taxes(evidence: Evidence, now: datetime) -> Gate:
    """One of a version from before this was asked has no such gate."""
    return proofs.gate_of_evidence(
        evidence,
        making.TAXES,
        "Taxes are in it, or there are none",
        now=now,
        fix="Allow our app in Ramp to read accounting and taxes, then make another version; or have"
        " two people agree that the customer uses none.",
        may_be_waived=True,
    )


def _of(backup: Backup, evidence: Evidence | None) -> Evidence | None:
    """Evidence that is of this version."""
    is_it = evidence is not None and evidence.result.get("backup") == str(backup.pk)
    return evidence if is_it else None
