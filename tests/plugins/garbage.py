"""Look for garbage less often: to go over all that thousands of tests have imported takes its time.

Until the tests are collected nothing is garbage, and what there is by then stays. Python thinks
otherwise, and spends a quarter of the time for collecting tests, and a twelfth of that for running
them, on going over it.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_USUAL = gc.get_threshold()
_SELDOM = (10_000, 10, 10)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    gc.disable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    gc.enable()


@contextmanager
def as_usual() -> Iterator[None]:
    """For tests that measure memory."""
    gc.set_threshold(*_USUAL)
    try:
        yield
    finally:
        gc.set_threshold(*_SELDOM)
