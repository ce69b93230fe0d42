"""What people ask of a connection: carried out once and again until it is done or refused."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from connections import secrets
from connections.erp.errors import Code
from connections.erp.refusals import refusal
from connections.models import Chore, Connection
from connections.ramp.errors import RampUnauthorised, RampUnreachable
from connections.upkeep import chores
from connections.upkeep.chores import Outcome, Refused
from tests.connections.world import new_connection

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHECK = Chore.Kind.CHECK


@pytest.fixture
def connection() -> Connection:
    return new_connection()


def carry_out(connection: Connection, doer: Callable[[Chore], Outcome]) -> Chore:
    chores.carry_out_due(connection.pk, {CHECK: lambda chore, _: doer(chore)}, now=NOON)
    return Chore.objects.latest("wanted_at")


def failing(error: Exception) -> Callable[[Chore], Outcome]:
    def doer(_: Chore) -> Outcome:
        raise error

    return doer


def test_is_done_once_and_says_what_came_of_it(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    assert chores.connections_due() == [connection.pk]

    chore = carry_out(connection, lambda _: Outcome("All is well.", "trace-7"))

    assert (chore.state, chore.title, chore.trace_id) == ("done", "All is well.", "trace-7")
    assert chore.done_at is not None
    assert chores.connections_due() == []
    assert chores.carry_out_due(connection.pk, {}, now=NOON) == 0


def test_the_same_wish_twice_is_one(connection: Connection) -> None:
    first = chores.want(connection, CHECK, actor="maya")
    second = chores.want(connection, CHECK, actor="li")

    assert first.pk == second.pk
    assert Chore.objects.get().actor == "li"


@pytest.mark.parametrize(
    "error", [RampUnreachable("time-out"), refusal(Code.ERP_UNAVAILABLE, erp="Tryton")]
)
def test_what_time_mends_is_tried_again_later(connection: Connection, error: Exception) -> None:
    chores.want(connection, CHECK, actor="maya")

    chore = carry_out(connection, failing(error))

    assert chore.state == Chore.State.WANTED
    assert chore.title
    assert chores.connections_due() == []
    Chore.objects.update(due_at=Now() - timedelta(seconds=1))
    assert carry_out(connection, lambda _: Outcome("Well.")).state == Chore.State.DONE


def test_what_time_does_not_mend_in_the_end_is_refused(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    Chore.objects.update(attempts=chores.TRIES - 1)

    chore = carry_out(connection, failing(RampUnreachable("time-out")))

    assert (chore.state, chore.title) == ("refused", "Ramp did not answer.")


def test_a_refusal_stands_with_what_to_do(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")

    chore = carry_out(connection, failing(RampUnauthorised("no", trace_id="trace-9")))

    assert chore.state == Chore.State.REFUSED
    assert "does not accept this client id" in chore.title
    assert "Copy both from the app's page" in chore.fix
    assert chore.trace_id == "trace-9"


def test_our_own_refusal_is_not_tried_again(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")

    chore = carry_out(connection, failing(Refused("Not this one.", "Take another.")))

    assert (chore.state, chore.title, chore.fix) == ("refused", "Not this one.", "Take another.")


def test_a_dead_workers_wish_comes_due_again(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    with pytest.raises(KeyboardInterrupt):
        carry_out(connection, failing(KeyboardInterrupt()))  # type: ignore[arg-type]
    assert chores.connections_due() == [], "its lease has not passed"

    Chore.objects.update(due_at=Now() - timedelta(seconds=1))

    assert carry_out(connection, lambda _: Outcome("Well.")).state == Chore.State.DONE


def test_a_wish_made_while_it_is_carried_out_is_carried_out_too(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    seen: list[str] = []

    def doer(chore: Chore) -> Outcome:
        seen.append(chore.actor)
        if len(seen) == 1:
            chores.want(connection, CHECK, actor="li")
        return Outcome("Well.")

    chore = carry_out(connection, doer)

    assert seen == ["maya", "li"]
    assert chore.state == Chore.State.DONE


def test_new_credentials_are_gone_once_they_are_settled(connection: Connection) -> None:
    secret = {"login": "rampbridge", "password": "open sesame"}
    chore = chores.want(
        connection, CHECK, actor="maya", about="erp", secret=secret, hint="rampbridge"
    )
    assert secrets.unproven(chore) == secret
    assert b"open sesame" not in bytes(Chore.objects.get().sealed)

    carry_out(connection, lambda _: Outcome("Taken."))

    assert bytes(Chore.objects.get().sealed) == b""


def test_newer_credentials_replace_those_that_wait(connection: Connection) -> None:
    for password in ("first", "second"):
        chores.want(connection, CHECK, actor="maya", about="erp", secret={"password": password})

    waiting = Chore.objects.get(state=Chore.State.WANTED)
    assert secrets.unproven(waiting) == {"password": "second"}
    assert bytes(Chore.objects.get(state=Chore.State.REFUSED).sealed) == b""


def test_a_mistake_of_our_own_ends_it_with_words(connection: Connection) -> None:
    """Else its page would say for ever that a worker is at it, and let nobody ask again."""
    chores.want(connection, CHECK, actor="maya")

    chore = carry_out(connection, failing(KeyError("oops")))

    assert chore.state == Chore.State.REFUSED
    assert chore.title == "Something went wrong in rampbridge itself."
    assert "oops" not in chore.title + chore.fix


def test_a_deadlock_says_nothing_of_the_wish(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")

    with pytest.raises(OperationalError):
        carry_out(connection, failing(OperationalError("deadlock detected")))

    assert Chore.objects.get().state == Chore.State.WANTED


def test_what_kills_its_worker_each_time_comes_to_an_end(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    Chore.objects.update(attempts=chores.TRIES)

    chore = carry_out(connection, failing(KeyboardInterrupt()))  # type: ignore[arg-type]

    assert chore.state == Chore.State.REFUSED
    assert "never came to an end" in chore.title


def test_nothing_is_done_for_a_customer_that_is_disconnected(connection: Connection) -> None:
    chores.want(connection, CHECK, actor="maya")
    Connection.objects.update(stage=Connection.Stage.CLOSED)

    chore = carry_out(connection, failing(AssertionError()))

    assert (chore.state, chore.title) == (Chore.State.REFUSED, chores.CLOSED)


def test_two_people_who_press_at_once_wait_for_each_other(connection: Connection) -> None:
    with CaptureQueriesContext(database) as asked:
        chores.want(connection, CHECK, actor="maya")

    first = next(one["sql"] for one in asked if "SELECT" in one["sql"])
    assert "connections_connection" in first
    assert first.endswith("FOR NO KEY UPDATE")
