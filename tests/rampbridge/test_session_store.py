from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rampbridge.session_store import SessionStore


def kept(**values: object) -> str:
    """The key of a session that holds these."""
    session = SessionStore()
    session.update(values)
    session.save()
    assert session.session_key
    return session.session_key


@pytest.mark.django_db
class TestSessionStore:
    def test_holds_what_was_put_into_it(self) -> None:
        assert SessionStore(kept(theme="dark"))["theme"] == "dark"

    def test_is_read_by_one_statement_that_is_counted(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        session = SessionStore(kept(theme="dark"))

        with django_assert_num_queries(1):
            session.load()

    def test_holds_nothing_once_it_has_ended(self) -> None:
        key = kept(theme="dark")
        SessionStore.get_model_class().objects.update(
            expire_date=timezone.now() - timedelta(seconds=1)
        )

        session = SessionStore(key)

        assert session.get("theme") is None
        assert session.session_key is None

    def test_takes_no_key_that_somebody_made_up(self) -> None:
        session = SessionStore("x" * 32)

        session["theme"] = "dark"
        session.save()

        assert session.session_key != "x" * 32
