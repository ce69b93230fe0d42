import psycopg
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from rampbridge.lib.statements import kept_rows, rows


def kept_by_the_database(sql: str) -> int:
    """Statements with this text that the connection's database keeps ready."""
    ((found,),) = rows("SELECT count(*) FROM pg_prepared_statements WHERE statement = %s", [sql])
    return int(found)


@pytest.mark.django_db
class TestKeptRows:
    def test_answers_as_any_statement_does(self) -> None:
        assert kept_rows("SELECT %s::int + 1, %s::text", [1, "%"]) == [(2, "%")]

    def test_is_seen_by_who_logs_statements(self) -> None:
        with CaptureQueriesContext(database) as seen:
            kept_rows("SELECT %s::int * 5", [3])

        assert [one["sql"] for one in seen.captured_queries] == ["SELECT $1::int * 5"]

    def test_is_kept_ready_from_the_second_time_on(self) -> None:
        for value in (1, 2, 3):
            assert kept_rows("SELECT %s::int * 7", [value]) == [(value * 7,)]

        assert kept_by_the_database("SELECT $1::int * 7") == 1

    @pytest.mark.django_db(transaction=True)
    def test_finds_the_rows_although_the_database_was_restarted_since_the_last_request(
        self,
    ) -> None:
        ((backend,),) = kept_rows("SELECT pg_backend_pid()", [])
        with psycopg.connect(**database.get_connection_params(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        database.close_if_unusable_or_obsolete()  # as Django does when a request begins

        ((after,),) = kept_rows("SELECT pg_backend_pid()", [])

        assert after != backend
