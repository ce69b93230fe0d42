"""Our own parts, for `./run screens`."""

from collections.abc import Iterator

from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("health-empty", "/health/")
    yield Shot("status-empty", "/status", signed_in=False)


def shots() -> Iterator[Shot]:
    yield Shot("health-trouble", "/health/")
    yield Shot("status-trouble", "/status", signed_in=False)
