"""Fixtures for every test, and what happens to browser tests where there is no browser."""

import os
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import pytest
from django.conf import settings
from django.core.signals import request_finished
from django.db.backends.base.creation import TEST_DATABASE_PREFIX

from rampbridge.celery import app
from tests.browsers import CHROMIUM_MISSING, find_chromium
from tests.plugins import emptying, migrated
from tests.plugins.embedded_postgres import IS_OURS

BROWSER_TESTS = Path(__file__).parent / "browser"
KILL_TESTS = Path(__file__).parent / "simulation"
_TRYTON = {"tryton_server", "side"}
"""Fixtures that start one."""


@pytest.fixture(scope="session", autouse=True)
def _broker_in_memory() -> Iterator[None]:
    """Ringing a doorbell works in every test, and nobody hears it."""
    memory = "memory://"
    app.conf.update(broker_url=memory, broker_read_url=memory, broker_write_url=memory)
    yield
    app.close()


@pytest.fixture(scope="session", autouse=True)
def _no_web_process() -> None:
    """A test that serves pages makes no web process of this one: it would write its figures every
    few seconds, in whichever test that falls into."""
    from rampbridge import wsgi

    request_finished.disconnect(wsgi.write_figures)


@pytest.fixture(scope="session", autouse=True)
def _tables_emptied_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patcher:
        if IS_OURS in os.environ:
            emptying.install(patcher)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Before Django takes its test database and applies what it lacks, restore one."""
    if IS_OURS in os.environ:
        tested = settings.DATABASES["default"]
        name = tested["TEST"]["NAME"] or TEST_DATABASE_PREFIX + tested["NAME"]
        migrated.restore_into(os.environ["TEST_DATABASE_URL"], name)


def pytest_configure() -> None:
    """What only makes tests slow, or needs `collectstatic`, is done more simply in them."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True


def pytest_report_header() -> str:
    return CHROMIUM_MISSING if _skips_browser_tests() else f"chromium: {find_chromium()}"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    browser_tests = [item for item in items if BROWSER_TESTS in item.path.parents]
    for item in browser_tests:
        item.add_marker(pytest.mark.browser)
        if _skips_browser_tests():
            item.add_marker(pytest.mark.skip(reason=CHROMIUM_MISSING))
    items[:] = _spread(items)


def _spread(items: list[pytest.Item]) -> list[pytest.Item]:
    """Long tests first in the share of each process, small ones last.

    Each process begins with an equal share, and whoever is done takes over from the end of
    another's: so Tryton is started in one of them, the browser in another, and all come to their
    end together.
    """
    shares = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    with_tryton = {item.path for item in items if _TRYTON & {*getattr(item, "fixturenames", ())}}
    tryton = [item for item in items if item.path in with_tryton]
    browser = [item for item in items if BROWSER_TESTS in item.path.parents]
    kills = [item for item in items if KILL_TESTS in item.path.parents]
    long: list[list[pytest.Item]] = [[] for _ in range(shares)]
    for number, group in enumerate((tryton, browser, kills)):
        long[number % shares].extend(group)
    small = _others(items, long)
    spread: list[pytest.Item] = []
    for number, first in enumerate(long, start=1):
        end = len(items) * number // shares
        spread += [*first, *islice(small, max(0, end - len(spread) - len(first)))]
    return [*spread, *small]


def _others(items: list[pytest.Item], taken: list[list[pytest.Item]]) -> Iterator[pytest.Item]:
    known = set(chain.from_iterable(taken))
    return (item for item in items if item not in known)


def _skips_browser_tests() -> bool:
    # CI installs Chromium, so there a missing one is a fault to be seen, not a reason to skip.
    return find_chromium() is None and os.environ.get("CI") != "true"
