"""Steps 6, 8 and 9 of a migration, before, under way and done, as their pages show them."""

from datetime import timedelta
from uuid import UUID

from connections.models import (
    CustomField,
    FieldOption,
    LedgerAccount,
    MirrorRun,
    Switch,
    UploadBatch,
    Vendor,
)
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.steps import Step
from tests.browser.migration_stories import a_migration
from tests.factories import now

OURS = UUID("7d3c1a52-5b0e-4d62-9a3e-2f6f1f0c9d11")
TRACE = "f2b1d6c0a4e84b0f9d2c7715e0a3b6c8"


def nothing_yet() -> ConnectionMigration:
    return a_migration("harbor-coffee", "Harbor Coffee Roasters", done=[Step.PLAN], flip_in=70)


def under_way() -> ConnectionMigration:
    """Made and filled, with a record that Ramp refuses and one that somebody renamed there."""
    migration = a_migration(
        "harbor-coffee",
        "Harbor Coffee Roasters",
        done=[Step.PLAN, Step.ACCESS, Step.BACKUP, Step.CONNECTION],
        flip_in=70,
        new_connection_id=OURS,
    )
    _made(migration)
    _chart(migration)
    _batches(migration)
    _say(
        migration,
        Step.PRELOAD,
        "preload.plan",
        "12,412 records in about 27 calls.",
        counts={"account": {"create": 212, "hide": 3}, "vendor": {"create": 12_197}},
    )
    _say(
        migration,
        Step.PRELOAD,
        "preload.parity",
        "2 records differ.",
        is_good=False,
        counts={
            "account": {"erp": 212, "ours": 212, "ramp": 212},
            "option of department": {"erp": 31, "ours": 31, "ramp": 31},
            "vendor": {"erp": 12_197, "ours": 12_197, "ramp": 12_196},
        },
        result={
            "checksums": {
                "account": {"erp": "a", "ours": "a", "ramp": "b"},
                "option of department": {"erp": "c", "ours": "c", "ramp": "c"},
                "vendor": {"erp": "d", "ours": "d", "ramp": "e"},
            },
            "differences": [
                {
                    "kind": "account",
                    "field": "",
                    "erp_id": "6100",
                    "name": "6100 Travel",
                    "words": "Ramp has it as “6100 Trips”. Apply this step.",
                },
                {
                    "kind": "vendor",
                    "field": "",
                    "erp_id": "72",
                    "name": "Uline",
                    "words": "Its name is not accepted. (name)",
                },
            ],
            "total": 2,
        },
        checksum="9f" * 32,
    )
    _switches(migration, found=False)
    _usage(migration, taxed=1840)
    return migration


def done() -> ConnectionMigration:
    """All alike, and nothing of taxes was used."""
    migration = a_migration(
        "harbor-coffee",
        "Harbor Coffee Roasters",
        done=[Step.PLAN, Step.ACCESS, Step.BACKUP, Step.CONNECTION, Step.MAPPING, Step.PRELOAD],
        flip_in=70,
        new_connection_id=OURS,
    )
    _made(migration)
    same = {"erp": 212, "ours": 212, "ramp": 212}
    _say(
        migration,
        Step.PRELOAD,
        "preload.parity",
        "212 records are the same in the ERP, here and in Ramp.",
        counts={"account": same},
        result={
            "checksums": {"account": {"erp": "a", "ours": "a", "ramp": "a"}},
            "differences": [],
            "total": 0,
            "chart_at": "",
        },
        checksum="9f" * 32,
    )
    _switches(migration, found=True)
    _usage(migration, taxed=0)
    return migration


def _made(migration: ConnectionMigration) -> None:
    name = migration.connection.ramp_provider_name
    _say(migration, Step.CONNECTION, "connection.made", f"Made beside the active one: “{name}”.")
    _say(
        migration,
        Step.CONNECTION,
        "connection.read_back",
        f"Ramp shows “{name}” as UNLINKED, of type API, not active.",
    )
    _say(
        migration,
        Step.CONNECTION,
        "connection.not_the_incumbent",
        f"{OURS} is another connection than QuickBooks Online.",
    )


def _chart(migration: ConnectionMigration) -> None:
    connection = migration.connection
    LedgerAccount.objects.create(connection=connection, erp_id="6100", code="6100", name="Travel")
    field = CustomField.objects.create(connection=connection, erp_id="department", name="Dept")
    FieldOption.objects.create(connection=connection, field=field, erp_id="ENG", name="Engineering")
    Vendor.objects.create(
        connection=connection,
        erp_id="72",
        name="Uline",
        refusal="Its name is not accepted.",
        refusal_field="name",
    )


def _batches(migration: ConnectionMigration) -> None:
    connection = migration.connection
    run = MirrorRun.objects.create(
        connection=connection, trigger=MirrorRun.Trigger.MIGRATION, actor="ines.moreau"
    )
    for kind, size, taken, state in (
        ("account", 212, 212, UploadBatch.State.DONE),
        ("option", 31, 31, UploadBatch.State.DONE),
        ("vendor", 500, 499, UploadBatch.State.PARTLY),
        ("vendor", 500, 0, UploadBatch.State.SENDING),
    ):
        UploadBatch.objects.create(
            connection=connection,
            run=run,
            kind=kind,
            action=UploadBatch.Action.CREATE,
            field_erp_id="department" if kind == "option" else "",
            size=size,
            taken=taken,
            calls=9 if taken == 499 else 1,
            state=state,
            content="0" * 64,
            trace_id=TRACE if taken else "",
        )


def _switches(migration: ConnectionMigration, *, found: bool) -> None:
    Switch.objects.create(
        connection=migration.connection,
        name=Switch.Name.VENDOR_CREDITS,
        wanted=True,
        wanted_by="the migration wizard",
        found=found,
    )


def _usage(migration: ConnectionMigration, *, taxed: int) -> None:
    usage = {"source": "backup 2", "taxed": taxed, "credits": 14, "with_vendor": 912}
    _say(
        migration,
        Step.SETTINGS,
        "settings.plan",
        "Taxes are set up. On: Vendor credits.",
        inputs={"usage": usage},
    )


def _say(
    migration: ConnectionMigration,
    step: Step,
    code: str,
    text: str,
    *,
    is_good: bool = True,
    **more: object,
) -> None:
    Evidence.objects.create(
        migration=migration,
        step=step,
        code=code,
        at=now() - timedelta(minutes=12),
        by="ines.moreau",
        is_good=is_good,
        text=text,
        trace_ids=[TRACE],
        app_version="2026.11",
        **more,
    )
