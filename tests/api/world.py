"""A small world in which every operation of the API has something to say."""

from datetime import timedelta
from uuid import uuid4

from django.contrib.auth.models import User

from syncing.bulk import jobs
from syncing.bulk.acts import Act
from syncing.models import Job, SyncItem, SyncRun
from tests.browser.stories import make_item
from tests.factories import ConnectionFactory, ScheduleFactory, now


def tell(owner: User) -> Job:
    """One customer with an item in every state, a run of each outcome, and a job."""
    connection = ConnectionFactory.create(slug="harbor", name="Harbor Coffee")
    ScheduleFactory.create(connection=connection)
    for story in ("queued", "retrying", "failed", "uncertain", "done"):
        make_item(connection, story)
    for minutes, problem in ((5, ""), (60, "Ramp did not answer.")):
        SyncRun.objects.create(
            connection=connection,
            trigger=SyncRun.Trigger.POLL,
            started_at=now() - timedelta(minutes=minutes),
            finished_at=now(),
            problem=problem,
        )
    return jobs.start(
        act=Act.TAG,
        argument={"tag": "month-end"},
        items=SyncItem.objects.all(),
        at_most=100,
        key=uuid4(),
        actor=owner.get_username(),
    )
