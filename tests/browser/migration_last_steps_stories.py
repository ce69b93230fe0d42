"""The last three steps, and the customer's page, as people meet them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.utils import timezone

from migrations_tool import sharing
from migrations_tool.flip.switching import HELD_BACK
from migrations_tool.hypercare import targets
from migrations_tool.models import (
    BillInFlight,
    CanaryObject,
    CodingComparison,
    ConnectionMigration,
    Evidence,
    OldRecord,
    Report,
    Rule,
    WatchedHour,
)
from migrations_tool.reports_written import closing
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.rollback import after_flip
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Status
from syncing import pauses
from syncing.models import SyncItem
from tests.browser.migration_stories import ALL, LONG_WORD, a_migration, a_run
from tests.factories import LONG_NAME, SyncItemFactory

SWITCH = ALL.index(Step.FLIP)


def waiting() -> ConnectionMigration:
    """Marked ready, and the customer has not switched for three days."""
    migration = _marked()
    _seen(migration, "QuickBooks Online is still active: the customer has not switched yet.")
    sharing.make(migration, "follow", actor="ines.moreau", now=timezone.now())
    return migration


def elsewhere() -> ConnectionMigration:
    """The customer has chosen another name."""
    migration = _marked(LONG_NAME)
    _seen(
        migration,
        f"{LONG_NAME} is active now, not “{migration.connection.ramp_provider_name}”. Ask them to"
        " open Switch Providers again.",
        needs_attention=True,
    )
    return migration


def taken_back() -> ConnectionMigration:
    """It is on its way back to the old provider, and the customer has chosen a third one."""
    migration = _switched()
    _evidence(migration, Step.FLIP, "flip.stopped", "Nothing is posted any more.", is_good=True)
    text = f"{LONG_NAME} is active in Ramp; neither QuickBooks Online nor ours is."
    _evidence(migration, Step.FLIP, after_flip.SEEN, text, is_good=False)
    return migration


def canaries() -> ConnectionMigration:
    """Every state of a canary, two suspects, and something of each list."""
    migration = _switched(long=LONG_WORD)
    migration.steps.filter(step=Step.FLIP).update(status=Status.DONE, done_at=timezone.now())
    migration.steps.filter(step=Step.CUTOVER).update(status=Status.BLOCKED)
    a_run(migration, Step.CUTOVER, Act.APPLY)
    _canary(migration, "transaction", "ACKED", ticked_by="ines.moreau")
    _canary(migration, "reimbursement", "POSTED", erp_number="JV-2026-0117")
    _canary(migration, "bill", "READY")
    wrong = {"ticked_by": "omar.haddad", "objection": f"Booked on the wrong account. {LONG_WORD}"}
    _canary(migration, "transfer", "ACKED", **wrong)
    _suspects(migration)
    _codings(migration)
    _lists(migration)
    return migration


def hypercare() -> ConnectionMigration:
    """Two targets are not met on the third day, and some hours were not watched."""
    migration = _switched()
    now = timezone.now()
    migration.steps.filter(step=Step.CUTOVER).update(status="done", done_at=now - timedelta(days=2))
    hour = now.replace(minute=0, second=0, microsecond=0)
    WatchedHour.objects.bulk_create(
        WatchedHour(migration=migration, hour=hour - timedelta(hours=back), was_met=True)
        for back in range(2, 30)
    )
    for state, count in (("ACKED", 3), ("EXTERNAL", 1), ("FAILED", 1)):
        for _ in range(count):
            _item(migration, "transaction", state)
    _evidence(migration, Step.HYPERCARE, targets.READING, "Errors: 1 of 4.", is_good=False)
    return migration


def finished() -> ConnectionMigration:
    """All is over, and the report is written."""
    migration = canaries()
    closing.write(migration, actor="ines.moreau", now=timezone.now())
    ConnectionMigration.objects.filter(pk=migration.pk).update(state="finished")
    migration.refresh_from_db()
    return migration


def shared() -> tuple[ConnectionMigration, list[str]]:
    """The customer's pages: to follow, to confirm rules, to sign."""
    migration = _marked(LONG_NAME)
    _lists(migration)
    for name, new, state in (("Class", "Department", "mapped"), (LONG_WORD, "", "parked")):
        OldRecord.objects.create(
            migration=migration,
            kind="field",
            old_id=name,
            name=name,
            state=state,
            erp_name=new,
            parked_because="Nobody uses it." if not new else "",
        )
    facts = {"customer": "Harbor", "mapping_version": "b" * 64}
    Report.objects.create(
        migration=migration,
        kind="rehearsal",
        made_at=timezone.now(),
        made_by="ines.moreau",
        facts=facts,
        html="<article class='mig-report'><h2>Rehearsal of Harbor</h2><p>20 objects.</p></article>",
        digest=digest_of(facts),
    )
    now = timezone.now()
    tokens = [
        sharing.make(migration, purpose, actor="ines.moreau", now=now)
        for purpose in ("follow", "rules", "sign")
    ]
    return migration, [f"/m/{token}/" for token in tokens]


def _marked(name: str = "Harbor Coffee Roasters") -> ConnectionMigration:
    migration = a_migration(
        f"last-{uuid4().hex[:6]}",
        name,
        done=ALL[:SWITCH],
        flip_in=2,
        new_connection_id=uuid4(),
        marked_ready_at=timezone.now() - timedelta(days=3),
        statuses={Step.FLIP: Status.WAITING_FOR_CUSTOMER},
    )
    a_run(migration, Step.FLIP, Act.APPLY)
    conditions = [
        {"title": "Ours is an inactive API connection", "is_met": True, "words": "It is."},
        {
            "title": "No other migration is in progress",
            "is_met": False,
            "words": f"{LONG_NAME} is marked ready too.",
            "fix": "Ask the customer which one they mean.",
        },
    ]
    _evidence(
        migration,
        Step.FLIP,
        "flip.preconditions",
        "Read.",
        is_good=True,
        result={"conditions": conditions},
    )
    return migration


def _switched(long: str = "") -> ConnectionMigration:
    migration = _marked(LONG_NAME if long else "Harbor Coffee Roasters")
    migration.flipped_at = timezone.now() - timedelta(days=2)
    migration.save(update_fields=["flipped_at"])
    _seen(migration, "“Tryton by rampbridge” is active and linked.", is_good=True)
    for object_type in SyncItem.ObjectType.values:
        pauses.pause(migration.connection, object_type, HELD_BACK, "rampbridge")
    return migration


def _seen(
    migration: ConnectionMigration,
    text: str,
    *,
    is_good: bool = False,
    needs_attention: bool = False,
) -> None:
    seats = [
        (migration.old_connection_id, "QuickBooks Online", "DIRECT", not is_good),
        (migration.new_connection_id, "Tryton by rampbridge", "API", is_good),
        (uuid4(), LONG_NAME, "API", False),
    ]
    result = {
        "seat": "ours" if is_good else "old",
        "needs_attention": needs_attention,
        "connections": [
            {
                "id": str(given),
                "remote_provider_name": name,
                "connection_type": kind,
                "is_active": is_active,
                "is_ready_to_migrate": kind == "API" and not is_active,
            }
            for given, name, kind, is_active in seats
        ],
    }
    _evidence(migration, Step.FLIP, "flip.switched", text, is_good=is_good, result=result)


def _evidence(
    migration: ConnectionMigration, step: Step, code: str, text: str, *, is_good: bool, **more: Any
) -> None:
    Evidence.objects.create(
        migration=migration,
        step=step,
        code=code,
        at=timezone.now(),
        by="rampbridge",
        is_good=is_good,
        text=text[:500],
        **more,
    )


def _item(migration: ConnectionMigration, kind: str, state: str, **more: Any) -> SyncItem:
    booked = {"erp_id": "17", "posted_at": timezone.now()} if state in ("ACKED", "POSTED") else {}
    failed = {"error_category": "user_actionable"} if state == "FAILED" else {}
    return SyncItemFactory.create(
        connection=migration.connection,
        object_type=kind,
        state=state,
        label=LONG_WORD if kind == "reimbursement" else "Figma",
        **booked,
        **failed,
        **more,
    )


def _canary(
    migration: ConnectionMigration, kind: str, state: str, erp_number: str = "JV-1", **said: str
) -> None:
    CanaryObject.objects.create(
        migration=migration,
        object_type=kind,
        item=_item(migration, kind, state, erp_number=erp_number if state != "READY" else ""),
        chosen_at=timezone.now(),
        ticked_at=timezone.now() if said else None,
        **said,
    )


def _suspects(migration: ConnectionMigration) -> None:
    item = migration.connection.items.first()
    assert item is not None
    suspect = {
        "key": f"{item.pk}:9",
        "item_id": item.pk,
        "label": LONG_WORD,
        "amount": "42.50 USD",
        "why": "The ERP has JV-9 over 42.50 USD of 18 Nov 2026, and it is not ours.",
        "url": "",
    }
    _evidence(
        migration,
        Step.CUTOVER,
        "cutover.duplicates",
        "1 seems to have been booked before, by another.",
        is_good=False,
        result={"suspects": [suspect]},
    )


def _codings(migration: ConnectionMigration) -> None:
    for verdict, now in (("kept", "6200 Software"), ("changed", "6400 Supplies"), ("lost", "")):
        row = {"field": "GL account", "was": "58 Software", "expected": "6200 Software", "now": now}
        CodingComparison.objects.create(
            migration=migration,
            object_type="transaction",
            ramp_id=uuid4(),
            label=LONG_WORD if verdict == "lost" else "Figma",
            verdict=verdict,
            before=[],
            after=[row | {"verdict": verdict}],
            at=timezone.now(),
        )


def _lists(migration: ConnectionMigration) -> None:
    for number, ticked in (("U-103", ""), ("U-104", "ines.moreau")):
        BillInFlight.objects.create(
            migration=migration,
            ramp_id=uuid4(),
            invoice_number=number,
            vendor=LONG_NAME if ticked else "Uline",
            amount_minor=26000,
            currency="USD",
            exponent=2,
            status="APPROVED",
            decision="hold",
            ticked_by=ticked,
            ticked_at=timezone.now() if ticked else None,
        )
    for name, made in (("Uber to 6100 Travel", ""), (LONG_WORD, "omar.haddad")):
        Rule.objects.create(
            migration=migration,
            kind="rule",
            name=name,
            what="Merchant is Uber: GL account 57 Travel",
            entered_by="ines.moreau",
            entered_at=timezone.now(),
            recreated_by=made,
            recreated_at=timezone.now() if made else None,
        )
