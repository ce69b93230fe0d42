from syncing.models.buttons import SyncRequest
from syncing.models.database import DatabaseIdentity
from syncing.models.evidence import Attachment
from syncing.models.flows import Flow, Pause, PullCursor
from syncing.models.inbox import WebhookEvent
from syncing.models.items import ItemCount, ItemEvent, ItemPayload, SyncItem
from syncing.models.reconciliation import CardPayment, CardStatement, Reconciliation
from syncing.models.runs import AckBatch, SyncRun
from syncing.models.schedule import Schedule, WorkerBeat

__all__ = [
    "AckBatch",
    "Attachment",
    "CardPayment",
    "CardStatement",
    "DatabaseIdentity",
    "Flow",
    "ItemCount",
    "ItemEvent",
    "ItemPayload",
    "Pause",
    "PullCursor",
    "Reconciliation",
    "Schedule",
    "SyncItem",
    "SyncRequest",
    "SyncRun",
    "WebhookEvent",
    "WorkerBeat",
]
