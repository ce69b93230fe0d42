"""Whether this process lives, and whether it can do its work. Open to all, and says no more."""

from collections.abc import Callable, Iterator

import structlog
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError as BrokerError

from rampbridge.celery import app

BROKER_TIMEOUT = 2

log = structlog.get_logger(__name__)


class NotReady(Exception):
    """A part does not work. The message is fit to show to anyone."""


@require_safe
@never_cache
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """This process answers. If not, restart it."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Everything this process needs answers. If not, send it no requests."""
    problems = dict(_problems())
    status = "not ready" if problems else "ok"
    return JsonResponse({"status": status, "problems": problems}, status=503 if problems else 200)


def _problems() -> Iterator[tuple[str, str]]:
    for name, check in CHECKS.items():
        try:
            check()
        except NotReady as problem:
            log.warning("not_ready", part=name, problem=str(problem), cause=repr(problem.__cause__))
            yield name, str(problem)


def _check_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise NotReady("The database does not answer.") from error


def _check_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
    except DatabaseError as error:
        raise NotReady("Cannot be read while the database does not answer.") from error
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise NotReady(f"{len(waiting)} are not applied. Run: manage.py migrate")


def check_broker() -> None:
    """:raises NotReady: if the broker does not answer within two seconds"""
    try:
        with app.connection_for_read(connect_timeout=BROKER_TIMEOUT) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=BROKER_TIMEOUT)
    except BrokerError as error:
        raise NotReady(
            "The message broker does not answer; new work waits for the next sweep."
        ) from error


CHECKS: dict[str, Callable[[], None]] = {
    "database": _check_database,
    "migrations": _check_migrations,
    "broker": check_broker,
}
