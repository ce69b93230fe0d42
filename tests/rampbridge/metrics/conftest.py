from collections.abc import Iterator

import pytest

from rampbridge.lib import meters


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    """Whatever other tests have counted in this process is not this test's."""
    meters.take()
    yield
    meters.take()
