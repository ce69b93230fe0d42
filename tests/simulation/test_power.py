"""The server under the kill test: what is left after a hard stop, and after it fell back."""

from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from syncing import suspect
from tests.simulation.power import Power


def who_and_what(power: Power) -> tuple[str, int, list[int]]:
    """As which server it writes, on which timeline, and what it knows."""
    with psycopg.connect(power.url, autocommit=True) as db:
        ((system, timeline),) = db.execute(suspect.WHO.encode()).fetchall()
        known = db.execute("SELECT number FROM kept ORDER BY number").fetchall()
        return system, timeline, [number for (number,) in known]


def keep(power: Power, number: int) -> None:
    with psycopg.connect(power.url, autocommit=True) as db:
        db.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
        db.execute("INSERT INTO kept VALUES (%s)", [number])


@pytest.mark.matrix("I4", "I5", "I10")
def test_a_server_that_fell_back_is_known_to_be_another_at_its_first_word() -> None:
    """Minutes before its first checkpoint, until which its control file names the old timeline."""
    with TemporaryDirectory(prefix="rb-") as room:
        Path(room).chmod(0o711)
        with Power(Path(room)) as power:
            keep(power, 1)
            remember_who(power)
            before = who_and_what(power)
            power.fail()
            after_failure = who_and_what(power)
            keep(power, 2)
            power.fall_back()
            system, timeline, known = who_and_what(power)
            unnoticed = is_unnoticed(power)
            remember_who(power)
            noticed = not is_unnoticed(power)

    assert after_failure == before
    assert (system, known) == (before[0], [1])
    assert timeline == before[1] + 1
    assert (unnoticed, noticed) == (True, True)


def remember_who(power: Power) -> None:
    """As a sweep does."""
    with psycopg.connect(power.url, autocommit=True) as db:
        db.execute("DROP TABLE IF EXISTS syncing_databaseidentity")
        db.execute(f"CREATE TABLE syncing_databaseidentity AS {suspect.WHO}".encode())


def is_unnoticed(power: Power) -> bool:
    """As each claim asks."""
    with psycopg.connect(power.url, autocommit=True) as db:
        ((found,),) = db.execute(f"SELECT {suspect.IS_UNNOTICED}".encode()).fetchall()
        return bool(found)
