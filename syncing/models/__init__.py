from syncing.models.buttons import SyncRequest
from syncing.models.database import DatabaseIdentity
from syncing.models.desk import Comment, Handling, Inquiry, OutsideMark
from syncing.models.errors import (
    ErrorCount,
    ErrorGroup,
    ErrorTotal,
    Incident,
    Occurrence,
    Ruling,
)
from syncing.models.evidence import Attachment
from syncing.models.flows import Flow, Pause, PullCursor
from syncing.models.inbox import WebhookEvent
from syncing.models.items import ItemCount, ItemEvent, ItemPayload, ItemTotal, SyncItem
from syncing.models.jobs import Job, JobItem, SavedView, Selection
from syncing.models.reconciliation import CardPayment, CardStatement, Reconciliation
from syncing.models.runs import AckBatch, SyncRun
from syncing.models.schedule import Schedule, WorkerBeat
from syncing.models.settling import ErpLook, FormerDocument, Settlement
from syncing.models.standings import CustomerStanding, FleetRound, StandingChange
from syncing.models.words import ItemWords

__all__ = [
    "AckBatch",
    "Attachment",
    "CardPayment",
    "CardStatement",
    "Comment",
    "CustomerStanding",
    "DatabaseIdentity",
    "ErpLook",
    "ErrorCount",
    "ErrorGroup",
    "ErrorTotal",
    "FleetRound",
    "Flow",
    "FormerDocument",
    "Handling",
    "Incident",
    "Inquiry",
    "ItemCount",
    "ItemEvent",
    "ItemPayload",
    "ItemTotal",
    "ItemWords",
    "Job",
    "JobItem",
    "Occurrence",
    "OutsideMark",
    "Pause",
    "PullCursor",
    "Reconciliation",
    "Ruling",
    "SavedView",
    "Schedule",
    "Selection",
    "Settlement",
    "StandingChange",
    "SyncItem",
    "SyncRequest",
    "SyncRun",
    "WebhookEvent",
    "WorkerBeat",
]
