"""Filters that the lists of all synced objects have in common, as tests of one row."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.records import Synced, SyncStatus
from connections.ramp_simulator.tables import SyncedTable

S = TypeVar("S", bound=Synced)
Test = Callable[[S], bool]


def candidates(table: SyncedTable[S], call: Call, *, has_sync_ready: bool = True) -> Iterable[S]:
    """The rows of the sync status asked for; `sync_ready` is its older name, where there is one."""
    status = call.choice("sync_status", tuple(SyncStatus))
    if status is None and has_sync_ready and call.flag("sync_ready"):
        status = SyncStatus.SYNC_READY
    if status is None:
        return table.of(call.business)
    return table.in_status(call.business, SyncStatus(status)).values()


def older_sync_tests(call: Call, *names: str) -> list[Test[Synced]]:
    """`has_no_sync_commits` and `sync_ready`, which `sync_status` supersedes."""
    if "sync_status" in call.query:
        return []
    tests: list[Test[Synced]] = []
    if "has_no_sync_commits" in names and call.flag("has_no_sync_commits"):
        tests.append(lambda row: not row.commits)
    if "sync_ready" in names and call.flag("sync_ready") is False:
        tests.append(lambda row: row.sync_status is not SyncStatus.SYNC_READY)
    return tests


def change_tests(call: Call) -> list[Test[Synced]]:
    tests: list[Test[Synced]] = []
    if synced_after := call.moment("synced_after"):
        tests.append(lambda row: row.synced_at is not None and row.synced_at >= synced_after)
    if updated_after := call.moment("updated_after"):
        tests.append(lambda row: row.updated_at >= updated_after)
    return tests


def entity_tests(call: Call) -> list[Test[Synced]]:
    entity = call.uuid("entity_id")
    return [lambda row: row.entity_id == entity] if entity else []


def requested_tests(call: Call) -> list[Test[Synced]]:
    """What someone asked for with the sync button, and has no answer yet."""
    is_asked = call.flag("requested_to_sync")
    return [lambda row: row.sync_request_id is not None] if is_asked else []
