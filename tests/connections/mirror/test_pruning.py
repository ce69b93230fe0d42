"""Old runs of the chart go, and what they sent stays for longer."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from connections.mirror import pruning
from connections.models import Connection, MirrorRun, UploadBatch
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    found: Connection = ConnectionFactory.create()
    ran(found, days=0)
    return found


def ran(connection: Connection, *, days: int, **changes: Any) -> MirrorRun:
    values = {"trigger": "schedule", "state": "done"} | changes
    run = MirrorRun.objects.create(connection=connection, **values)
    MirrorRun.objects.filter(pk=run.pk).update(started_at=timezone.now() - timedelta(days=days))
    return run


def sent(run: MirrorRun, state: str = "done") -> UploadBatch:
    return UploadBatch.objects.create(
        connection=run.connection, run=run, kind="account", action="create", size=1, state=state
    )


class TestOldRuns:
    def test_go_if_they_sent_nothing(self, connection: Connection) -> None:
        old = ran(connection, days=pruning.QUIET_DAYS + 1)
        young = ran(connection, days=pruning.QUIET_DAYS - 1)

        pruning.prune()

        assert not MirrorRun.objects.filter(pk=old.pk).exists()
        assert MirrorRun.objects.filter(pk=young.pk).exists()

    def test_stay_for_longer_with_what_they_sent(self, connection: Connection) -> None:
        ledger = sent(ran(connection, days=pruning.SENT_DAYS - 1))
        old = ran(connection, days=pruning.SENT_DAYS + 1)
        sent(old)

        pruning.prune()

        assert list(UploadBatch.objects.all()) == [ledger]
        assert not MirrorRun.objects.filter(pk=old.pk).exists()

    @pytest.mark.parametrize("changes", [{"trigger": "migration"}, {"state": "running"}])
    def test_stay_if_they_are_evidence_or_not_over(
        self, connection: Connection, changes: dict[str, str]
    ) -> None:
        run = ran(connection, days=pruning.SENT_DAYS + 1, **changes)

        pruning.prune()

        assert MirrorRun.objects.filter(pk=run.pk).exists()

    def test_stay_if_there_is_no_newer_one(self) -> None:
        run = ran(ConnectionFactory.create(), days=pruning.SENT_DAYS + 1)

        pruning.prune()

        assert MirrorRun.objects.filter(pk=run.pk).exists()

    def test_stay_while_a_batch_is_on_its_way(self, connection: Connection) -> None:
        batch = sent(ran(connection, days=pruning.SENT_DAYS + 1), state="sending")

        pruning.prune()

        assert UploadBatch.objects.filter(pk=batch.pk).exists()
