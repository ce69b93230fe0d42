"""Runs: each pull of everything that Ramp has ready for one customer."""

from datetime import datetime
from typing import Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from rampbridge.lib.keyset import keyset_page
from syncing.api.access import READ
from syncing.api.filters import NothingThere, Paging, chosen_customer, refuse_others
from syncing.api.schemas import CustomerRef, Id, address_of
from syncing.models import SyncRun

router = Router(tags=["Runs"])


class RunFilter(Schema):
    customer: str = Field("", max_length=80, description="By its name in addresses.")
    trigger: SyncRun.Trigger | None = Field(None, description="What set it off.")
    state: Literal["", "running", "done", "problem"] = ""


class RunOut(Schema):
    id: int
    customer: CustomerRef
    trigger: str
    actor: str = Field(description="Who asked for it; empty: rampbridge.")
    state: Literal["running", "done", "problem"]
    started_at: datetime
    finished_at: datetime | None
    pages: int = Field(description="Pages of Ramp's lists that were read.")
    seen: int
    new: int
    changed: int
    calls: int = Field(description="Calls to Ramp.")
    problem: str
    trace_id: str = Field(description="Ramp's, for its support.")
    url: str

    @classmethod
    def of(cls, run: SyncRun) -> "RunOut":
        same = ("id", "trigger", "actor", "pages", "seen", "new", "changed", "calls", "problem")
        times = ("trace_id", "started_at", "finished_at")
        return cls(
            **{name: getattr(run, name) for name in (*same, *times)},
            customer=CustomerRef.of(run.connection),
            url=address_of("run", run.pk),
            state=_state(run),
        )


class RunPage(Schema):
    items: list[RunOut]
    next: str | None


@router.get("", auth=READ, response=RunPage, summary="List runs")
def list_runs(request: HttpRequest, chosen: Query[RunFilter], paging: Query[Paging]) -> RunPage:
    """The newest first."""
    refuse_others(request.GET, {**RunFilter.model_fields, **Paging.model_fields})
    runs = SyncRun.objects.select_related("connection")
    customer = chosen_customer(chosen.customer)
    if customer:
        runs = runs.filter(connection=customer)
    if chosen.trigger:
        runs = runs.filter(trigger=chosen.trigger)
    match chosen.state:
        case "problem":
            runs = runs.exclude(problem="")
        case "done":
            runs = runs.filter(problem="", finished_at__isnull=False)
        case "running":
            runs = runs.filter(problem="", finished_at=None)
        case "":
            pass
    page = keyset_page(
        runs, field="started_at", after=paging.cursor(), size=paging.limit, newest_first=True
    )
    return RunPage(
        items=[RunOut.of(run) for run in page.rows], next=str(page.next) if page.next else None
    )


@router.get("/{id}", auth=READ, response=RunOut, summary="Show one run")
def show_run(request: HttpRequest, id: Id) -> RunOut:  # noqa: A002  as in the address
    """How far it is, or what came of it."""
    run = SyncRun.objects.select_related("connection").filter(pk=id).first()
    if run is None:
        raise NothingThere(f"There is no run {id}.")
    return RunOut.of(run)


def _state(run: SyncRun) -> Literal["running", "done", "problem"]:
    if run.problem:
        return "problem"
    return "done" if run.finished_at else "running"
