"""Step 7: say for every old record in use what takes its place in the ERP."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connections.mirror.reading import read_erp
from connections.models import LedgerAccount
from migrations_tool import backup, proofs
from migrations_tool.models import Backup, ConnectionMigration, OldRecord
from migrations_tool.old_chart import collecting, suggesting, version
from migrations_tool.old_chart.coverage import Coverage, coverage, undecided_shares
from migrations_tool.old_chart.listing import STATES, Filter, listed
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Gate, Light, Refused
from migrations_tool.work import Work

COLLECTED = "mapping.collected"
NAMED = 3
"""Conflicts that a gate names."""


class MappingHandler(Handler):
    """Collects the old chart from the backup, matches it, and leaves the rest to people."""

    step = Step.MAPPING

    def check(self, work: Work) -> None:
        """Whether what was collected is of the newest backup, and all targets still exist."""
        archive = _newest_backup(work.migration)
        collected = proofs.newest(work.migration, COLLECTED)
        if collected is None:
            work.say(
                "The old chart has not been collected yet.",
                "Find matches: it is collected and matched then.",
            )
            return
        lost = suggesting.drop_lost(work.migration)
        version.keep_version(work)
        if collected.inputs.get("backup") != archive.number:
            _keep_collected(work, archive, is_good=False)
            work.say(
                f"Backup {archive.number} is newer than what was collected.", "Find matches again."
            )
        elif lost:
            work.say(
                f"{lost} of what was mapped led to records that {work.connection.erp_name} no"
                " longer has.",
                "They are open again: see the list.",
            )
        else:
            work.say(_said(coverage(work.migration)))

    def apply(self, work: Work) -> None:
        """Collect, rank and match. What people decided stays; a repeat takes in what is new."""
        migration = work.migration
        archive = _newest_backup(migration)
        if not LedgerAccount.objects.filter(connection=work.connection).exists():
            work.progress(0, None, f"Reading {work.connection.erp_name} for the first time.")
            read_erp(work.connection, work.erp, full=True, keep=work.keep)
        collecting.collect(work, archive)
        work.progress(0, None, "Adding up what each was used for in twelve months.")
        main = collecting.main_currency(migration, archive)
        collecting.rank(migration, archive, main, now=work.clock())
        suggesting.match_all(migration, told=work.progress)
        _keep_collected(work, archive, is_good=True, main=main)
        version.keep_version(work)
        work.say(_said(coverage(migration)), "Decide about the open ones, most money first.")

    def gates(
        self,
        migration: ConnectionMigration,
        *,
        now: datetime,  # noqa: ARG002  nothing here grows old by itself
    ) -> Sequence[Gate]:
        """From our rows: how much is covered, and what leads to one target by accident."""
        return [_covered(migration), _no_duplicates(migration)]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],
        now: datetime,  # noqa: ARG002
    ) -> dict[str, Any]:
        collected = proofs.newest(migration, COLLECTED)
        currency = currency_of(migration)
        wanted = Filter.of(asked)
        current = version.version_of(migration)
        return {
            "collected": collected,
            "coverage": coverage(migration),
            "wanted": wanted,
            "listed": listed(migration, wanted, after=asked.get("after", ""), currency=currency),
            "kinds": [("", "All kinds"), *OldRecord.Kind.choices],
            "states": STATES.items(),
            "version": current,
            "versions": version.kept_versions(migration, current),
            "currency": currency,
        }


def currency_of(migration: ConnectionMigration) -> tuple[str, int] | None:
    """The main currency and its digits after the point, once the old chart was collected."""
    collected = proofs.newest(migration, COLLECTED)
    if collected is None or "currency" not in collected.result:
        return None
    return collected.result["currency"], collected.result["exponent"]


def _newest_backup(migration: ConnectionMigration) -> Backup:
    archive = backup.latest(migration)
    if archive is None:
        raise Refused(
            "There is no sealed backup yet. Complete step 4 first: the old chart is in it."
        )
    return archive


def _keep_collected(
    work: Work,
    archive: Backup,
    *,
    is_good: bool,
    main: collecting.MainCurrency | None = None,
) -> None:
    migration = work.migration
    main = main or collecting.main_currency(migration, archive)
    covered = coverage(migration)
    others = collecting.other_currencies(archive, main)
    work.evidence(
        COLLECTED,
        f"{covered.records} records of the old chart, from backup {archive.number}."
        if is_good
        else f"Backup {archive.number} is newer than what was collected.",
        is_good=is_good,
        inputs={"backup": archive.number, "checksum": archive.checksum}
        if is_good
        else {"newer_backup": archive.number},
        result={"currency": main.code, "exponent": main.exponent, "others": others},
        counts={part.kind: part.records for part in covered.parts},
    )


def _covered(migration: ConnectionMigration) -> Gate:
    code, title = "mapping.covered", "Everything that was used is mapped or parked"
    collected = proofs.newest(migration, COLLECTED)
    if collected is None:
        return Gate(code, title, Light.UNKNOWN, "Nothing is collected yet.", "Find matches.")
    if not collected.is_good:
        return Gate(
            code, title, Light.RED, collected.text, "Find matches again.", mended_by=Act.APPLY
        )
    found = coverage(migration)
    if found.open == 0:
        return Gate(code, title, Light.GREEN, _said(found))
    return Gate(
        code, title, Light.RED, _said(found), "Map or park the open ones.", mended_here=True
    )


def _no_duplicates(migration: ConnectionMigration) -> Gate:
    code, title = "mapping.no_duplicates", "No two old records lead to one new one by accident"
    shares = undecided_shares(migration)
    if not shares:
        has_rows = bool(coverage(migration).records)
        light = Light.GREEN if has_rows else Light.UNKNOWN
        return Gate(code, title, light, "None do." if has_rows else "Nothing is collected yet.")
    named = ", ".join(f"{name} ({old} old ones)" for name, old in shares[:NAMED])
    more = f" and {len(shares) - NAMED} more" if len(shares) > NAMED else ""
    return Gate(
        code,
        title,
        Light.RED,
        f"They do at {named}{more}.",
        "Look under “Two lead to one”, and map one of each elsewhere, or say why both go there.",
        mended_here=True,
    )


def _said(found: Coverage) -> str:
    """As a sentence: how much is covered, in per cent that never round an open one away."""
    if not found.records:
        return "The old chart has no records."
    if not found.open:
        return "All that was used in twelve months is mapped or parked: 100 %."
    what = "is" if found.open == 1 else "are"
    parts = ", ".join(f"{part.name} {part.shown}" for part in found.parts if part.open)
    return f"{found.open} of those used {what} open. So much of the money is covered: {parts}."
