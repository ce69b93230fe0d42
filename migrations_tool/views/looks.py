"""How steps, gates, runs and migrations look: icon and word, never colour alone."""

from collections.abc import Mapping

from migrations_tool.models import ConnectionMigration, StepRun, Waiver
from migrations_tool.wizard import LABELS, Light, Status
from syncing.queries.words import Look

_STATUS: Mapping[Status, tuple[str, str, str]] = {
    Status.NOT_LOOKED_AT: ("neutral", "circle", "Nobody has looked at it yet."),
    Status.IN_PROGRESS: ("work", "circle-dot", "Somebody has looked at it; it is not done."),
    Status.WAITING_FOR_CUSTOMER: ("customer", "user", "The move is the customer's."),
    Status.WAITING_FOR_RAMP: ("retry", "hourglass", "The move is Ramp's."),
    Status.BLOCKED: ("person", "octagon-alert", "A condition is not met."),
    Status.DONE: ("done", "circle-check", "Every condition was met or waived."),
    Status.STALE: (
        "uncertain",
        "triangle-alert",
        "It was done, but what it rests on is too old or was overtaken. Check it again.",
    ),
    Status.SKIPPED: ("neutral", "circle-slash", "Two people agreed to skip it."),
    Status.NOT_NEEDED: ("neutral", "circle-dashed", "This path has no use for it."),
}
STATUS_LOOKS: Mapping[Status, Look] = {
    status: Look(LABELS[status], tone, icon, meaning)
    for status, (tone, icon, meaning) in _STATUS.items()
}
LIGHT_LOOKS: Mapping[Light, Look] = {
    Light.GREEN: Look("Met", "done", "circle-check"),
    Light.RED: Look("Not met", "person", "circle-alert"),
    Light.UNKNOWN: Look("Not checked", "neutral", "circle-dashed"),
    Light.WARNING: Look("Warning", "customer", "triangle-alert"),
    Light.WAIVED: Look("Waived", "uncertain", "scale"),
}
MIGRATION_LOOKS: Mapping[str, Look] = {
    ConnectionMigration.State.OPEN: Look("Under way", "work", "circle-dot"),
    ConnectionMigration.State.FINISHED: Look("Finished", "done", "circle-check"),
    ConnectionMigration.State.ABANDONED: Look("Abandoned", "neutral", "ban"),
    ConnectionMigration.State.ROLLED_BACK: Look("Rolled back", "customer", "undo-2"),
}
WAIVER_LOOKS: Mapping[str, Look] = {
    Waiver.State.ASKED: Look("Waits for a second person", "customer", "hourglass"),
    Waiver.State.GRANTED: Look("Granted", "uncertain", "scale"),
    Waiver.State.REFUSED: Look("Refused", "neutral", "ban"),
    Waiver.State.LAPSED: Look("Overtaken", "neutral", "ban"),
}
RUN_LOOKS: Mapping[str, Look] = {
    StepRun.State.WAITING: Look("Waiting for a worker", "neutral", "clock"),
    StepRun.State.RUNNING: Look("Running", "work", "loader"),
    StepRun.State.DONE: Look("Done", "done", "circle-check"),
    StepRun.State.REFUSED: Look("Refused", "customer", "hand"),
    StepRun.State.FAILED: Look("Failed", "person", "octagon-alert"),
}
EVIDENCE_LOOKS: Mapping[bool, Look] = {
    True: Look("Seen", "done", "circle-check"),
    False: Look("Not seen", "person", "circle-alert"),
}
EVIDENCE_STALE = Look("Seen, too long ago", "uncertain", "triangle-alert")
