"""What people ask of a connection: written by pages, claimed and carried out by workers.

A wish is claimed by moving its due time on, so that it comes due again if its worker dies; every
one of them may be done twice. Of the same wish there is one at a time, and each ends: whatever
comes of it stands on a page, or nobody could ask again.
"""

import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import QuerySet
from django.db.models.functions import Now

from connections import audit, secrets
from connections.models import Chore, Connection
from connections.upkeep.problems import EXPECTED, Problem, problem

LEASE = timedelta(minutes=3)
"""Longer than one wish takes, with a minute for Ramp and one for an ERP."""
TRIES = 6
FIRST_WAIT = timedelta(seconds=5)

logger = logging.getLogger(__name__)


CLOSED = "The customer is disconnected. Nothing is done for it any more."
NEVER_ENDED = (
    f"It was begun {TRIES} times and never came to an end.",
    "Try again. If it stays like that, tell rampbridge's developers: the log says more.",
)
OUR_MISTAKE = (
    "Something went wrong in rampbridge itself.",
    "Check what was entered and try again. If it stays like that, tell rampbridge's developers:"
    " the log says more.",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a wish."""

    title: str
    trace_id: str = ""


Doer = Callable[[Chore, datetime], Outcome]
"""Carries out one wish, now; raises one of `problems.EXPECTED` if it cannot."""


class Refused(Exception):
    """It will not be done. The message is fit to show."""

    def __init__(self, title: str, fix: str = "", *, trace_id: str = "") -> None:
        super().__init__(title)
        self.fix = fix
        self.trace_id = trace_id


@transaction.atomic
def want(
    connection: Connection,
    kind: Chore.Kind,
    *,
    actor: str,
    about: str = "",
    secret: Mapping[str, str] | None = None,
    hint: str = "",
    follows: bool = False,
) -> Chore:
    """Write a wish down. The same one again begins anew: with its newest content, at once.

    :param follows: it follows from another wish, so nobody has asked for this one by itself
    """
    _one_at_a_time(connection)
    waiting = Chore.objects.select_for_update().filter(
        connection=connection, kind=kind, about=about, state=Chore.State.WANTED
    )
    found = waiting.first()
    if found is not None and secret is not None:
        _settle(found, Chore.State.REFUSED, "Replaced by newer ones.")
        found = None
    if found is None:
        found = Chore(connection=connection, kind=kind, about=about, actor=actor, hint=hint)
        if secret is not None:
            found.sealed = secrets.sealed_for_later(found, secret)
        found.save(force_insert=True)
    else:
        waiting.update(actor=actor, due_at=Now(), attempts=0)
    if not follows:
        audit.record(
            actor,
            f"connection.{kind}",
            f"Asked for: {Chore.Kind(kind).label}{f', {about}' if about else ''}.",
            connection_id=connection.pk,
            subject="chore",
            subject_id=found.pk,
        )
    return found


def _one_at_a_time(connection: Connection) -> None:
    """Two people may press the same button at once: the second one finds what the first wrote."""
    row = Connection.objects.select_for_update(no_key=True).filter(pk=connection.pk)
    row.values_list("pk", flat=True).get()


def refuse_all(connection: Connection, title: str, *, but: Chore.Kind) -> None:
    """Settle whatever else is still wanted: it will not be done any more."""
    for chore in Chore.objects.filter(connection=connection, state=Chore.State.WANTED).exclude(
        kind=but
    ):
        _settle(chore, Chore.State.REFUSED, title)


def connections_due() -> list[uuid.UUID]:
    """Customers of whom something is wanted now."""
    due = Chore.objects.filter(state=Chore.State.WANTED, due_at__lte=Now())
    return list(due.order_by().values_list("connection_id", flat=True).distinct()[:200])


def carry_out_due(connection_id: uuid.UUID, doers: Mapping[str, Doer], *, now: datetime) -> int:
    """Do all that is wanted of a customer now, oldest first; how much was done."""
    done = 0
    while (chore := _claim(connection_id)) is not None:
        _carry_out(chore, doers[chore.kind], now)
        done += 1
    return done


def _claim(connection_id: uuid.UUID) -> Chore | None:
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE connections_chore
            SET due_at = statement_timestamp() + make_interval(secs => %s), attempts = attempts + 1
            WHERE id = (
                SELECT id FROM connections_chore
                WHERE connection_id = %s AND state = 'wanted' AND due_at <= statement_timestamp()
                ORDER BY wanted_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
            ) RETURNING id
            """,
            [LEASE.total_seconds(), connection_id],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    return Chore.objects.select_related("connection").get(pk=row[0])


def _carry_out(chore: Chore, doer: Doer, now: datetime) -> None:
    if chore.connection.stage == Connection.Stage.CLOSED:
        is_so = chore.kind == Chore.Kind.DISCONNECT  # wished twice
        _settle(chore, Chore.State.DONE if is_so else Chore.State.REFUSED, CLOSED)
    elif chore.attempts > TRIES:
        _settle(chore, Chore.State.REFUSED, *NEVER_ENDED)
    else:
        _try(chore, doer, now)


def _try(chore: Chore, doer: Doer, now: datetime) -> None:
    try:
        outcome = doer(chore, now)
    except Refused as refused:
        _settle(chore, Chore.State.REFUSED, str(refused), refused.fix, trace_id=refused.trace_id)
    except EXPECTED as error:
        found = problem(error)
        trace_id = getattr(error, "trace_id", "")
        if found.will_pass and chore.attempts < TRIES:
            _try_again(chore, found, trace_id)
        else:
            _settle(chore, Chore.State.REFUSED, found.title, found.fix, trace_id=trace_id)
    except (OperationalError, InterfaceError):  # the database's own: nothing of the wish
        raise
    except Exception:
        logger.exception("A wish failed by our own mistake.", extra={"chore": str(chore.pk)})
        _settle(chore, Chore.State.REFUSED, *OUR_MISTAKE)
    else:
        _settle(chore, Chore.State.DONE, outcome.title, trace_id=outcome.trace_id)


def _try_again(chore: Chore, found: Problem, trace_id: str) -> None:
    wait = FIRST_WAIT * 3 ** (chore.attempts - 1)
    _as_claimed(chore).update(
        due_at=Now() + wait, title=found.title[:300], fix=found.fix[:500], trace_id=trace_id[:100]
    )


def _settle(
    chore: Chore, state: Chore.State, title: str, fix: str = "", *, trace_id: str = ""
) -> None:
    _as_claimed(chore).update(
        state=state, title=title[:300], fix=fix[:500], trace_id=trace_id[:100], sealed=b"",
        due_at=None, done_at=Now(),
    )  # fmt: skip


def _as_claimed(chore: Chore) -> QuerySet[Chore]:
    """The row, unless somebody has wished anew meanwhile: that is still to be done."""
    return Chore.objects.filter(pk=chore.pk, state=Chore.State.WANTED, attempts=chore.attempts)


def newest(connection: Connection) -> dict[tuple[str, str], Chore]:
    """The newest wish of each kind and subject, whatever came of it; one query."""
    found: QuerySet[Chore] = (
        Chore.objects.filter(connection=connection)
        .order_by("kind", "about", "-wanted_at", "-pk")
        .distinct("kind", "about")
        .defer("sealed")
    )
    return {(chore.kind, chore.about): chore for chore in found}
