"""What stops a connection: of two sides that are ill neither covers up the other for good."""

import pytest

from syncing import circuit
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.models import Schedule
from tests.factories import ScheduleFactory

pytestmark = pytest.mark.django_db


def failure(code: str) -> SyncFailure:
    return SyncFailure(ErrorCategory.NEEDS_INTEGRATOR, Origin.ERP, code, f"{code} happened.")


@pytest.fixture
def schedule() -> Schedule:
    return ScheduleFactory.create()


class TestBlock:
    def test_what_the_erp_refuses_does_not_cover_up_what_ramp_refuses(
        self, schedule: Schedule
    ) -> None:
        circuit.block(schedule.pk, failure("ramp.unauthorised"), side=circuit.RAMP)

        circuit.block(schedule.pk, failure("erp.auth_expired"), side=circuit.ERP)

        schedule.refresh_from_db()
        assert (schedule.blocked_side, schedule.blocked_code) == ("ramp", "ramp.unauthorised")

    def test_ramps_word_takes_the_place_of_the_erps(self, schedule: Schedule) -> None:
        circuit.block(schedule.pk, failure("erp.auth_expired"), side=circuit.ERP)

        circuit.block(schedule.pk, failure("ramp.unauthorised"), side=circuit.RAMP)

        schedule.refresh_from_db()
        assert schedule.blocked_code == "ramp.unauthorised"

    def test_the_same_again_keeps_its_first_time(self, schedule: Schedule) -> None:
        circuit.block(schedule.pk, failure("erp.auth_expired"), side=circuit.ERP)
        schedule.refresh_from_db()
        first = schedule.blocked_at

        circuit.block(schedule.pk, failure("erp.auth_expired"), side=circuit.ERP)

        schedule.refresh_from_db()
        assert schedule.blocked_at == first
