"""Grant the wish to have Ramp asked for one object. What it means is told when it is shown."""

import logging
import uuid
from datetime import timedelta

import orjson
from django.conf import settings
from django.contrib.postgres.functions import TransactionNow as Now

from connections.ramp.client import RampClient
from connections.ramp.errors import NotFound, RampError, RampRateLimited, RampUnreachable
from connections.ramp.pages import Page
from syncing.classifier import SyncFailure, classify_ramp
from syncing.kinds import Kind, Standing, kind_of
from syncing.models import Inquiry
from syncing.statements import execute, rows

logger = logging.getLogger(__name__)

CHUNK = 10
LEASE_SECONDS = 120
MOST_TRIES = 4


def answer_due(connection_id: uuid.UUID, ramp: RampClient) -> int:
    """Read what people ask for of one connection. Returns how many inquiries it took up."""
    claimed = rows(
        """
        UPDATE syncing_inquiry q
        SET due_at = now() + %(lease)s * interval '1s', tries = tries + 1
        FROM (
            SELECT id FROM syncing_inquiry
            WHERE connection_id = %(connection)s AND due_at <= now()
            ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        ) next
        WHERE q.id = next.id RETURNING q.id
        """,
        {"connection": connection_id, "lease": LEASE_SECONDS, "limit": CHUNK},
    )
    ids = [id_ for (id_,) in claimed]
    for inquiry in Inquiry.objects.filter(pk__in=ids).order_by("pk"):
        _answer(inquiry, ramp)
    return len(ids)


def cannot_ask(connection_id: uuid.UUID, failure: SyncFailure) -> int:
    """Close the wishes that are due of a connection that Ramp cannot be asked for at all."""
    return execute(
        """
        UPDATE syncing_inquiry
        SET due_at = NULL, answered_at = now(), problem = %(why)s, problem_code = %(code)s
        WHERE connection_id = %(connection)s AND due_at <= now()
        """,
        {"connection": connection_id, "why": failure.title[:300], "code": failure.code[:60]},
    )


def _answer(inquiry: Inquiry, ramp: RampClient) -> None:
    kind = kind_of(inquiry.object_type)
    try:
        body = kind.body(ramp, inquiry.ramp_id)
        inquiry.body, inquiry.is_there = orjson.loads(body), True
        inquiry.is_listed = _is_listed(kind, ramp, body)
    except NotFound:
        inquiry.is_there = False
    except (RampUnreachable, RampRateLimited) as error:
        if inquiry.tries < MOST_TRIES:
            _ask_again(inquiry)
            return
        _give_up(inquiry, error)
    except (RampError, orjson.JSONDecodeError) as error:
        _give_up(inquiry, error)
    inquiry.due_at, inquiry.answered_at = None, Now()
    inquiry.trace_id = ramp.last_trace_id[:100]
    inquiry.save()


def _is_listed(kind: Kind, ramp: RampClient, body: bytes) -> bool | None:
    """Whether Ramp lists it as ready, where the object itself calls it so."""
    page = Page.read(
        b'{"data":[' + body + b'],"page":null}', kind.model, base_url=settings.RAMP_API_URL
    )
    for one in page.items:
        if kind.standing(one) is Standing.READY:
            return kind.is_listed(ramp, one)
    return None


def _ask_again(inquiry: Inquiry) -> None:
    inquiry.due_at = Now() + timedelta(seconds=3 * 2**inquiry.tries)
    inquiry.save(update_fields=["due_at"])


def _give_up(inquiry: Inquiry, error: Exception) -> None:
    if isinstance(error, RampError):
        failure = classify_ramp(error)
        inquiry.problem, inquiry.problem_code = failure.title[:300], failure.code[:60]
        return
    logger.warning("Ramp's answer is no JSON.", extra={"inquiry": inquiry.pk})
    inquiry.problem, inquiry.problem_code = (
        "Ramp answered with something else than JSON.",
        "ramp.odd",
    )
