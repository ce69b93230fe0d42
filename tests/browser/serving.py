"""Serve the site to a browser from the test's own process, static files as they lie in the tree."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright._impl._api_structures import SetCookieParam  # the public module leaves it out

from rampbridge.sessions import SEEN_AT, SIGNED_IN_AT
from tests.factories import now

PLAIN_STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]


@contextmanager
def plain_static_files() -> Iterator[None]:
    """Neither collected nor hashed files are needed."""
    with override_settings(STORAGES=PLAIN_STORAGES):
        yield


class _Server(ThreadedWSGIServer):
    """Knows how many connections it has: a request may wait on one of them and not be read yet."""

    connected = 0
    changed = Condition()

    def process_request(self, request: Any, client_address: Any) -> None:
        self._count(1)
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._count(-1)

    @classmethod
    def _count(cls, more: int) -> None:
        with cls.changed:
            cls.connected += more
            cls.changed.notify_all()


class _Site(LiveServerThread):
    server_class = _Server


def wait_until_idle() -> None:
    """For what closed pages had still asked, or it would meet the emptying of the tables."""
    with _Server.changed:
        _Server.changed.wait_for(lambda: _Server.connected == 0, timeout=30)


@contextmanager
def serving() -> Iterator[str]:
    """The site on a free port; gives its address."""
    thread = _Site("127.0.0.1", StaticFilesHandler)
    thread.daemon = True
    with override_settings(MIDDLEWARE=MIDDLEWARE):  # no longer: other tests want all of it
        thread.start()
        thread.is_ready.wait()
    if thread.error:
        raise thread.error
    try:
        yield f"http://127.0.0.1:{thread.port}"
    finally:
        thread.terminate()


def session_cookie(user: User, address: str) -> SetCookieParam:
    """The cookie of somebody who has just signed in."""
    session = SessionStore()
    moment = int(now().timestamp())
    session.update(
        {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
            SIGNED_IN_AT: moment,
            SEEN_AT: moment,
        }
    )
    session.create()
    return {
        "name": settings.SESSION_COOKIE_NAME,
        "value": str(session.session_key),
        "domain": urlsplit(address).hostname or "",
        "path": "/",
    }
