from syncing.models.alerts import (
    Alert,
    AlertDelivery,
    AlertHour,
    AlertRound,
    AlertRule,
    AlertWatch,
)
from syncing.models.buttons import SyncRequest
from syncing.models.closing import (
    NO_ENTITY,
    CloseDay,
    CloseSnapshot,
    PeriodChange,
    PeriodCount,
    PeriodStamp,
    PeriodStanding,
)
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
from syncing.models.flow_buckets import FlowBucket, FlowEntry, LatencyBucket, Span
from syncing.models.flows import Flow, Pause, PullCursor
from syncing.models.inbox import WebhookEvent
from syncing.models.items import ItemCount, ItemEvent, ItemPayload, ItemTotal, SyncItem
from syncing.models.jobs import Job, JobItem, SavedView, Selection
from syncing.models.reconciliation import CardPayment, CardStatement, Reconciliation
from syncing.models.runs import AckBatch, SyncRun
from syncing.models.samples import (
    BacklogSample,
    CustomerDay,
    FleetSample,
    RecountFinding,
    RecountRound,
    SampleRound,
)
from syncing.models.schedule import Schedule, WorkerBeat
from syncing.models.settling import ErpLook, FormerDocument, Settlement
from syncing.models.shares import ErrorShare, ItemShare
from syncing.models.silent_hosts import SilentHost
from syncing.models.standings import CustomerStanding, FleetRound, StandingChange
from syncing.models.words import ItemWords

__all__ = [
    "NO_ENTITY",
    "AckBatch",
    "Alert",
    "AlertDelivery",
    "AlertHour",
    "AlertRound",
    "AlertRule",
    "AlertWatch",
    "Attachment",
    "BacklogSample",
    "CardPayment",
    "CardStatement",
    "CloseDay",
    "CloseSnapshot",
    "Comment",
    "CustomerDay",
    "CustomerStanding",
    "DatabaseIdentity",
    "ErpLook",
    "ErrorCount",
    "ErrorGroup",
    "ErrorShare",
    "ErrorTotal",
    "FleetRound",
    "FleetSample",
    "Flow",
    "FlowBucket",
    "FlowEntry",
    "FormerDocument",
    "Handling",
    "Incident",
    "Inquiry",
    "ItemCount",
    "ItemEvent",
    "ItemPayload",
    "ItemShare",
    "ItemTotal",
    "ItemWords",
    "Job",
    "JobItem",
    "LatencyBucket",
    "Occurrence",
    "OutsideMark",
    "Pause",
    "PeriodChange",
    "PeriodCount",
    "PeriodStamp",
    "PeriodStanding",
    "PullCursor",
    "Reconciliation",
    "RecountFinding",
    "RecountRound",
    "Ruling",
    "SampleRound",
    "SavedView",
    "Schedule",
    "Selection",
    "Settlement",
    "SilentHost",
    "Span",
    "StandingChange",
    "SyncItem",
    "SyncRequest",
    "SyncRun",
    "WebhookEvent",
    "WorkerBeat",
]
