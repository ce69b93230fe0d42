"""What a worker does beside its work: it starts and ends soon, for nobody claims meanwhile."""

import gc
import os
from collections.abc import Iterator
from unittest.mock import patch

import pytest
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]  # not in its stubs

from rampbridge.celery import app, leave_programs_alone


@pytest.fixture
def _frozen_again() -> Iterator[None]:
    """As `tests.plugins.garbage` has it for all other tests."""
    yield
    gc.freeze()


@pytest.mark.usefixtures("_frozen_again")
def test_what_it_has_read_is_no_garbage_until_the_end() -> None:
    gc.unfreeze()
    with patch("atexit.register") as at_the_end:
        leave_programs_alone()

    assert gc.get_freeze_count() > 100_000
    at_the_end.assert_called_once_with(gc.freeze)


def test_it_does_not_read_every_page_to_check_it() -> None:
    assert os.environ["CELERY_SKIP_CHECKS"]
    with patch("django.core.checks.run_checks") as checks:
        DjangoWorkerFixup(app).validate_models()

    checks.assert_not_called()
