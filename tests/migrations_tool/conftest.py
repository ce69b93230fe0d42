"""A customer to be migrated."""

from collections.abc import Iterator

import pytest

from tests.migrations_tool.world import World, migrating


@pytest.fixture
def world(db: None) -> Iterator[World]:
    with migrating() as ready:
        yield ready
