from syncing.models.database import DatabaseIdentity
from syncing.models.inbox import WebhookEvent
from syncing.models.items import ItemCount, ItemEvent, ItemPayload, SyncItem
from syncing.models.runs import AckBatch, SyncRun
from syncing.models.schedule import Schedule, WorkerBeat

__all__ = [
    "AckBatch",
    "DatabaseIdentity",
    "ItemCount",
    "ItemEvent",
    "ItemPayload",
    "Schedule",
    "SyncItem",
    "SyncRun",
    "WebhookEvent",
    "WorkerBeat",
]
