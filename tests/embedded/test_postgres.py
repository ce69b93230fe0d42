import pytest
from django.db import connection


@pytest.mark.django_db
def test_runs_a_real_postgresql_that_tests_can_reach() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        (version,) = cursor.fetchone()

    assert int(version) >= 150000
