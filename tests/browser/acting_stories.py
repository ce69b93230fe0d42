"""A day on which people act: items owned, tagged and put off, jobs in every state, views."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import uuid4

from syncing import handling, saved_views, selections
from syncing.bulk import jobs, running
from syncing.bulk.acts import Act
from syncing.models import Job, Schedule, SyncItem
from tests.browser import stories
from tests.factories import LONG_NAME, now

ME = "maya.okafor"


def acting() -> None:
    """An ordinary day with everything that people can leave behind on it."""
    stories.ordinary_day()
    Schedule.objects.update(posts_per_second=1.4)
    some = list(SyncItem.objects.filter(state="FAILED").order_by("ready_at"))
    queued = list(
        SyncItem.objects.filter(state="READY").order_by("ready_at").values_list("pk", flat=True)
    )
    handling.assign([some[0].pk, queued[0]], owner=ME, actor=ME)
    handling.assign([some[1].pk], owner="tomas.rivera", actor=ME)
    handling.tag([some[0].pk, some[1].pk], tag="month-end", actor=ME)
    handling.tag([some[0].pk], tag="asked the controller", actor=ME)
    handling.comment(some[0], text="The controller reopens October on Monday.", author=ME)
    handling.snooze(
        queued[-2:], until=now() + timedelta(days=2), reason="Cutover on Monday", actor=ME
    )
    _jobs()
    _views()
    selections.tick(ME, "state=waiting-for-customer", [item.pk for item in some[:3]], on=True)


def _jobs() -> None:
    everything = SyncItem.objects.all()
    waiting = everything.filter(state="READY")
    for act, argument, items in (
        (Act.RETRY, {}, everything.exclude(state__in=["ACKED", "FAILED"])),
        (Act.TAG, {"tag": "quarter end with a rather long tag"}, waiting),
    ):
        _start(act, argument, items)
        while running.run_next():
            pass
    running_job = _start(Act.ASSIGN, {"owner": ME}, everything.filter(state="ACKED"))
    Job.objects.filter(pk=running_job.pk).update(state="running", done=41, started_at=now())
    stopped = _start(Act.SNOOZE, {"until": None, "reason": ""}, everything)
    jobs.stop(stopped, actor="tomas.rivera")


def _start(act: Act, argument: Mapping[str, object], items: object) -> Job:
    return jobs.start(
        act=act,
        argument=argument,
        items=items,  # type: ignore[arg-type]
        at_most=jobs.MOST,
        key=uuid4(),
        actor=ME,
    )


def _views() -> None:
    for name, query, is_team in (
        ("Waiting for customers", "state=waiting-for-customer", True),
        ("Mine", "owner=me", False),
        (LONG_NAME[:80], "customer=northwind-robotics&state=all&type=transaction", True),
    ):
        saved_views.save(
            owner=ME, page="items", query=query, name=name, is_team=is_team, is_pinned=True
        )
