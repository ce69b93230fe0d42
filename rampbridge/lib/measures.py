"""What processes count and time by themselves. Prometheus shows it with `rampbridge_` in front.

No label ever names a customer: there are ten thousand of them, and figures leave the house.
"""

from rampbridge.lib.meters import Counter, Durations, Meter

CALL_BOUNDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
PAGE_BOUNDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1, 2.5, 5, 10)
PRESS_BOUNDS = (5, 10, 15, 30, 60, 90, 120, 150, 200, 240, 280, 300)
LAG_BOUNDS = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600)

RAMP_REQUESTS = Counter(
    "ramp_requests", "Requests sent to Ramp, by what came back.", ("endpoint", "code")
)
RAMP_SECONDS = Durations(
    "ramp_request_duration_seconds",
    "From sending a request to Ramp to the first byte of its answer, without waiting for leave.",
    ("endpoint",),
    bounds=CALL_BOUNDS,
)
ERP_REQUESTS = Counter(
    "erp_requests", "Requests sent to ERPs, by what came back.", ("adapter", "code_class")
)
ERP_SECONDS = Durations(
    "erp_request_duration_seconds",
    "From sending a request to an ERP to its answer.",
    ("adapter",),
    bounds=CALL_BOUNDS,
)
WEBHOOK_EVENTS = Counter(
    "webhook_events", "Deliveries of Ramp's webhooks, by what they were.", ("type", "result")
)
WEBHOOK_LAG = Durations(
    "webhook_lag_seconds",
    "From the moment that an event names as its own to its receipt.",
    bounds=LAG_BOUNDS,
)
WEB_REQUESTS = Counter(
    "web_requests", "Requests answered by the web processes.", ("kind", "code_class")
)
WEB_SECONDS = Durations(
    "web_request_duration_seconds",
    "From a request to its answer, in the web process.",
    ("kind",),
    bounds=PAGE_BOUNDS,
)
RECOVERIES = Counter(
    "recoveries", "Leases taken over from workers that were not heard of again.", ("point",)
)
UNKNOWN_OUTCOMES = Counter(
    "unknown_outcomes", "Lost answers of ERPs, by how they were settled.", ("adapter", "resolution")
)
BUTTON_REQUESTS = Counter(
    "sync_button_requests", "Presses of Ramp's sync button, by how they were answered.", ("result",)
)
BUTTON_SECONDS = Durations(
    "sync_button_duration_seconds",
    "From the receipt of a press to its last answer.",
    bounds=PRESS_BOUNDS,
)

ALL: tuple[Meter, ...] = (
    RAMP_REQUESTS,
    RAMP_SECONDS,
    ERP_REQUESTS,
    ERP_SECONDS,
    WEBHOOK_EVENTS,
    WEBHOOK_LAG,
    WEB_REQUESTS,
    WEB_SECONDS,
    RECOVERIES,
    UNKNOWN_OUTCOMES,
    BUTTON_REQUESTS,
    BUTTON_SECONDS,
)
