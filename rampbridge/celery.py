"""The Celery app. Its messages are doorbells: losing all of them loses no work."""

import atexit
import gc
import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_ready
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu import Queue

from rampbridge import logs, task_watch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rampbridge.settings")
# Django's checks read every page and form there is: half of what a worker takes to start, and a
# quarter of its memory for good. They are the web processes' and the tests' to run.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")

SWEEP_SECONDS = 2.0
CHART_SWEEP_SECONDS = 5.0
LOOK_AROUND_SECONDS = 60.0
FLEET_SECONDS = 3.0
BACKLOG_SECONDS = 20.0
MIGRATIONS_SECONDS = 2.0

app = Celery("rampbridge")
app.config_from_object("django.conf:settings", namespace="CELERY")
# A queue without a key of its own gets the default one, and with it everybody's messages.
app.conf.task_queues = tuple(
    Queue(name, routing_key=name)
    for name in (
        "button",  # somebody waits for it
        "export",  # spend on its way to an ERP, and word of it back to Ramp
        "chart",  # reference data from an ERP to Ramp
    )
)
app.conf.task_routes = {  # all others: export
    "connections.tasks.*": {"queue": "chart"},
    "migrations_tool.tasks.*": {"queue": "chart"},
    "syncing.tasks.answer_sync_request": {"queue": "button"},
    "syncing.tasks.answer_looks": {"queue": "button"},
    "syncing.tasks.answer_inquiries": {"queue": "button"},
    "syncing.tasks.reconcile_connection": {"queue": "chart"},
    "syncing.tasks.send_evidence": {"queue": "chart"},
    "syncing.tasks.create_vendors": {"queue": "chart"},
    "syncing.tasks.look_after": {"queue": "chart"},
    "syncing.tasks.keep_backlog": {"queue": "chart"},
}
# All that beat does. What is due stands in the database, so any number of beats may run, and a
# ring that finds every worker busy is worth nothing once the next one follows.
app.conf.beat_schedule = {
    "sweep": {
        "task": "syncing.tasks.sweep",
        "schedule": SWEEP_SECONDS,
        "options": {"expires": 5 * SWEEP_SECONDS},
    },
    "chart-sweep": {
        "task": "connections.tasks.sweep",
        "schedule": CHART_SWEEP_SECONDS,
        "options": {"expires": 2 * CHART_SWEEP_SECONDS},
    },
    "fleet": {
        "task": "syncing.tasks.keep_fleet_up",
        "schedule": FLEET_SECONDS,
        "options": {"expires": 2 * FLEET_SECONDS},
    },
    "migrations": {
        "task": "migrations_tool.tasks.sweep_migrations",
        "schedule": MIGRATIONS_SECONDS,
        "options": {"expires": 5 * MIGRATIONS_SECONDS},
    },
    "review-migrations": {
        "task": "migrations_tool.tasks.review_migrations",
        "schedule": LOOK_AROUND_SECONDS,
        "options": {"expires": LOOK_AROUND_SECONDS},
    },
    "alerts": {
        "task": "syncing.tasks.watch_alerts",
        "schedule": LOOK_AROUND_SECONDS,
        "options": {"expires": LOOK_AROUND_SECONDS},
    },
    "backlog": {
        "task": "syncing.tasks.keep_backlog",
        "schedule": BACKLOG_SECONDS,
        "options": {"expires": BACKLOG_SECONDS},
    },
    "look-around": {
        "task": "syncing.tasks.look_around",
        "schedule": LOOK_AROUND_SECONDS,
        "options": {"expires": LOOK_AROUND_SECONDS},
    },
}
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
task_watch.connect()


@setup_logging.connect
def keep_our_logs(**_: Any) -> None:
    """Celery leaves the logs alone when something listens to this signal."""
    logs.configure(settings.LOGGING)


@worker_ready.connect
def leave_programs_alone(**_: Any) -> None:
    """What has been read by now stays until the end. Nobody need look whether it is garbage: not
    every few thousand objects, and not once more before the process may end, which takes a second
    in which no other worker claims."""
    gc.freeze()
    atexit.register(gc.freeze)
