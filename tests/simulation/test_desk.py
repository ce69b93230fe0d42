"""What a worker of the kill test says of doorbells that broke: all, but what an outage explains."""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest
from django.db import connection as database
from django.db import transaction

from syncing import tasks
from syncing.statements import execute, only_one, rows
from tests.simulation.desk import Desk, noted

pytestmark = pytest.mark.django_db(transaction=True)


Noted = Callable[[Callable[[], None]], list[str]]


def restart() -> None:
    """End our connection from the server's side, as it does when it goes down."""
    with psycopg.connect(**database.get_connection_params(), autocommit=True) as other:
        assert database.connection is not None
        pid = database.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.fixture(autouse=True)
def _connected_anew() -> Iterator[None]:
    yield
    database.close()


@pytest.fixture
def noted_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Noted:
    """Answers a doorbell, and returns what has been noted."""

    def answer(doorbell: Callable[[], None]) -> list[str]:
        monkeypatch.setattr(tasks, "ring", tasks.ring)  # a desk puts its own in its place
        monkeypatch.setattr(tasks, "sweep", doorbell)
        Desk(tmp_path / "errors", Random(7)).answer_all()
        return noted(tmp_path / "errors")

    return answer


def test_a_connection_that_was_cut_is_not_noted(noted_of: Noted) -> None:
    def work() -> None:
        rows("SELECT 1", None)
        restart()
        execute("SELECT 1", None)

    assert noted_of(work) == []


def test_nor_is_it_if_a_lock_was_given_back_on_a_new_connection(noted_of: Noted) -> None:
    """Django drops what breaks in a transaction, so that the database seems never to have gone."""

    def work() -> None:
        with only_one("work"):
            restart()
            with transaction.atomic():
                execute("SELECT 1", None)

    assert noted_of(work) == []


@pytest.mark.parametrize("why", ["deadlock_detected", "query_canceled", "foreign_key_violation"])
def test_what_the_database_refuses_is_noted(noted_of: Noted, why: str) -> None:
    def work() -> None:
        with only_one("work"), transaction.atomic():
            execute(f"DO $$ BEGIN RAISE {why}; END $$", None)

    (told,) = noted_of(work)

    assert why in told


def test_what_breaks_after_an_outage_is_noted(noted_of: Noted) -> None:
    """On the connection that came after, nothing else is excused."""

    def work() -> None:
        with only_one("work"):
            restart()
            database.close()
            execute("SELECT 1 / 0", None)

    (told,) = noted_of(work)

    assert "DivisionByZero" in told


def test_each_exception_is_told_whole(noted_of: Noted) -> None:
    """One that came from another is one, up to the line that says what it was."""

    def work() -> None:
        execute("SELECT 1 / 0", None)

    noted_of(work)
    told = noted_of(work)

    assert len(told) == 2
    assert all(one.startswith("Traceback") for one in told)
    assert all(one.endswith("DataError: division by zero\n") for one in told)
