import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from rampbridge.sessions import POLL_HEADER, SessionLifetimeMiddleware, note_sign_in

MINUTES = 60
HOURS = 60 * MINUTES


@pytest.fixture
def session() -> SessionStore:
    return SessionStore()


def visit(session: SessionStore, *, poll: bool = False) -> HttpRequest:
    """One request by someone who is signed in, through the middleware."""
    headers = {POLL_HEADER: "1"} if poll else {}
    request = RequestFactory().get("/", headers=headers)
    request.session = session
    request.user = User(username="support")
    SessionLifetimeMiddleware(lambda _: HttpResponse())(request)
    return request


def sign_in(session: SessionStore) -> None:
    request = RequestFactory().get("/")
    request.session = session
    note_sign_in(request)


@pytest.mark.django_db
class TestSessionLifetime:
    def test_lasts_while_someone_works(self, session: SessionStore) -> None:
        with time_machine.travel(0.0, tick=False) as clock:
            sign_in(session)
            for _ in range(20):
                clock.shift(29 * MINUTES)
                assert visit(session).user.is_authenticated

    def test_ends_after_half_an_hour_of_nothing(self, session: SessionStore) -> None:
        with time_machine.travel(0.0, tick=False) as clock:
            sign_in(session)
            clock.shift(31 * MINUTES)

            assert isinstance(visit(session).user, AnonymousUser)

    def test_is_not_kept_alive_by_a_page_that_polls(self, session: SessionStore) -> None:
        with time_machine.travel(0.0, tick=False) as clock:
            sign_in(session)
            for _ in range(10):
                clock.shift(3 * MINUTES)
                visit(session, poll=True)
            clock.shift(2 * MINUTES)

            assert isinstance(visit(session).user, AnonymousUser)

    def test_ends_after_twelve_hours_of_work(self, session: SessionStore) -> None:
        with time_machine.travel(0.0, tick=False) as clock:
            sign_in(session)
            for _ in range(12 * 3):
                clock.shift(20 * MINUTES)
                assert visit(session).user.is_authenticated
            clock.shift(1)

            assert isinstance(visit(session).user, AnonymousUser)

    def test_browsers_keep_no_page_of_someone_signed_in(self, session: SessionStore) -> None:
        sign_in(session)
        request = RequestFactory().get("/")
        request.session, request.user = session, User(username="support")

        response = SessionLifetimeMiddleware(lambda _: HttpResponse())(request)

        assert response["Cache-Control"] == "no-store"
