"""Doorbells for migrations. What is due stands in the rows; losing a message loses no work."""

import uuid
from typing import Any

from celery import shared_task
from django.utils import timezone

from connections.tasks import ring
from migrations_tool import reviewing, running
from migrations_tool.models import ConnectionMigration


@shared_task(expires=5)
def sweep_migrations(**_: Any) -> None:
    """Ring for every run that waits and everything that is to be looked at again."""
    for run_id in running.due():
        ring(run_step, run_id=str(run_id))
    for watch_id in running.watches_due():
        ring(watch_step, watch_id=str(watch_id))


@shared_task(expires=30)
def review_migrations(**_: Any) -> None:
    """Ring for every open migration whose evidence may have grown old."""
    for migration_id in reviewing.open_ones():
        ring(review_migration, migration_id=str(migration_id))


@shared_task
def review_migration(*, migration_id: str, **_: Any) -> None:
    """Say on each step that is done whether its evidence still holds."""
    migration = ConnectionMigration.objects.select_related("connection").get(pk=int(migration_id))
    reviewing.review(migration, now=timezone.now())


@shared_task
def run_step(*, run_id: str, **_: Any) -> None:
    """Do one act on one step."""
    running.do(uuid.UUID(run_id), clock=timezone.now)


@shared_task
def watch_step(*, watch_id: str, **_: Any) -> None:
    """Look at what a step watches."""
    running.watch(int(watch_id), clock=timezone.now)
