"""The closing report says everything, twice, and cannot be changed afterwards."""

import re
from datetime import UTC, datetime

import pytest

from migrations_tool import services
from migrations_tool.models import (
    CodingComparison,
    ConnectionMigration,
    Evidence,
    Report,
    Signature,
    Waiver,
)
from migrations_tool.reports_written import closing
from migrations_tool.reports_written.digests import digest_of
from migrations_tool.steps import Path, Step
from tests.factories import ConnectionFactory, SyncItemFactory

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


@pytest.fixture
def migration() -> ConnectionMigration:
    connection = ConnectionFactory.create(name="Sakura Foods 株式会社")
    started = services.start(connection, path=Path.MIGRATION, actor="ines", now=NOW)
    Waiver.objects.create(
        migration=started,
        step=Step.DRAIN,
        gate="drain.zero_twice",
        reason="One claim stays; it is paid by hand.",
        state="granted",
        asked_by="ines",
        asked_at=NOW,
        decided_by="omar",
        decided_at=NOW,
    )
    Signature.objects.create(
        migration=started,
        role="customer",
        name="花子 Sato",
        at=NOW,
        report_hash="a" * 64,
        mapping_version="b" * 64,
    )
    Evidence.objects.create(
        migration=started,
        step=Step.BACKUP,
        code="backup.sealed",
        at=NOW,
        by="ines",
        is_good=True,
        text="Sealed.",
        checksum="c" * 64,
    )
    CodingComparison.objects.create(
        migration=started,
        object_type="transaction",
        ramp_id="00000000-0000-4000-8000-000000000001",
        label="<Figma & Co>",
        verdict="lost",
        before=[],
        after=[],
        at=NOW,
    )
    return started


def test_it_names_steps_evidence_waivers_and_signatures(migration: ConnectionMigration) -> None:
    report = closing.write(migration, actor="ines", now=NOW)

    for told in (
        "Sakura Foods 株式会社",
        "Rehearsal and sign-off",
        "backup.sealed",
        "c" * 64,
        "One claim stays; it is paid by hand.",
        "omar, 21 Nov 2026",
        "花子 Sato",
        "0 kept, 0 changed, 1 lost",
        "&lt;Figma &amp; Co&gt;",
    ):
        assert told in report.html
    assert bytes(report.pdf).startswith(b"%PDF")


def test_it_speaks_in_peoples_words_and_sets_numbers_to_the_right(
    migration: ConnectionMigration,
) -> None:
    SyncItemFactory.create(
        connection=migration.connection, state="FAILED", error_category="user_actionable"
    )
    counts = {"bill": {"not_ready": {"count": 3, "amounts": {}}}}
    Evidence.objects.create(
        migration=migration,
        step=Step.INVENTORY,
        code="inventory.counted",
        at=NOW,
        by="ines",
        is_good=True,
        text="Counted.",
        counts=counts,
    )

    html = closing.write(migration, actor="ines", now=NOW).html

    assert "FAILED" not in html
    assert "Not posted" in html
    assert "not_ready" not in html
    assert "Not ready" in html
    assert re.search(r'<td class="wrap num"\s+data-label="Count">3</td>', html)


def test_its_hash_is_over_its_facts(migration: ConnectionMigration) -> None:
    report = closing.write(migration, actor="ines", now=NOW)

    assert report.digest == digest_of(report.facts)
    assert report.digest in report.html


def test_the_same_again_is_the_same_report(migration: ConnectionMigration) -> None:
    first = closing.write(migration, actor="ines", now=NOW)

    assert closing.write(migration, actor="omar", now=NOW) == first


def test_it_cannot_be_changed(migration: ConnectionMigration) -> None:
    report = closing.write(migration, actor="ines", now=NOW)

    with pytest.raises(Exception, match="Cannot update"):
        Report.objects.filter(pk=report.pk).update(html="")
