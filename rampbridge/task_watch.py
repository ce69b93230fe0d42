"""What a worker knows of the task at hand, beside the task itself: its trace and its log's context.

Connected to Celery's signals by `rampbridge.celery`. The figures that a worker has counted are
written down here too, after a task; its tables can be imported once Django is set up.
"""

import time
from contextlib import ExitStack
from typing import Any

import structlog
from celery import Task
from celery.signals import (
    before_task_publish,
    task_postrun,
    task_prerun,
    worker_ready,
    worker_shutdown,
)
from django.conf import settings
from django_structlog.celery import signals as log_signals

from rampbridge.lib import tracing

HEADER = "__trace__"


def connect() -> None:
    """Listen, in this process. Once or twice is the same."""
    before_task_publish.connect(_send_along)
    task_prerun.connect(_begin)
    task_postrun.connect(_end)
    worker_ready.connect(_introduce)
    worker_shutdown.connect(_write_the_rest)
    log_signals.bind_extra_task_metadata.connect(_say_whose)


def _send_along(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """The task belongs to the trace of whoever rings."""
    if headers is not None and tracing.is_on():
        carried: dict[str, str] = {}
        tracing.carry(carried)
        headers[HEADER] = carried


def _begin(task: Task[..., Any], **_: Any) -> None:
    if not tracing.is_on():
        return
    stack = ExitStack()
    parent = getattr(task.request, HEADER, None)
    about = {"messaging.system": "celery", "connection": _connection_of(task)}
    stack.enter_context(tracing.span(task.name, "consumer", about, parent=parent))
    task.request.update({"_watch": stack})


def _end(task: Task[..., Any], **_: Any) -> None:
    stack = getattr(task.request, "_watch", None)
    if stack is not None:
        stack.close()
    from rampbridge.metrics.writing import writer

    writer.write_if_due(now=time.monotonic())


def _introduce(sender: Any, **_: Any) -> None:
    from rampbridge.metrics.writing import Self, writer
    from rampbridge.models import Process

    queues = [queue.name for queue in sender.task_consumer.queues]
    writer.introduce(Self(Process.Kind.WORKER, settings.RELEASE, queues))


def _write_the_rest(**_: Any) -> None:
    from rampbridge.metrics.writing import write_down

    write_down()


def _say_whose(task: Task[..., Any], **_: Any) -> None:
    """Every line of the log that a task writes says whose task it is."""
    if connection := _connection_of(task):
        structlog.contextvars.bind_contextvars(connection_id=connection)


def _connection_of(task: Task[..., Any]) -> str:
    return str((task.request.kwargs or {}).get("connection_id", ""))
