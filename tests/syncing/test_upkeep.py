"""What a connection's upkeep means for items: a lost seat stops them, new credentials free them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest

from connections import clients
from connections.erp.adapters.in_memory import InMemoryErp
from connections.models import Chore, Connection, HealthCheck, Switch
from connections.secrets import NoCredential
from connections.upkeep import chores, onboarding
from syncing import circuit, polling, tasks, upkeep
from syncing.models import Schedule
from syncing.queries.onboarding import facts
from tests.factories import ConnectionFactory, ScheduleFactory
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def customer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Customer]:
    """A live customer whose seat is ours, with its clients in place of real ones."""
    customer = Customer()
    seat = customer.business.connection
    assert seat is not None
    customer.connection.ramp_connection_id = UUID(seat.id)
    customer.connection.ramp_provider_name = seat.name
    customer.connection.save()
    monkeypatch.setattr(clients, "ramp_client", lambda *_, **__: customer.ramp)
    monkeypatch.setattr(clients, "erp_adapter", lambda _: InMemoryErp())
    yield customer
    customer.sim.close()


def blocked() -> str:
    return Schedule.objects.get().blocked_title


class TestALostSeat:
    def test_stops_everything_and_says_why(self, customer: Customer) -> None:
        """R-09: nothing may be booked that could not be reported."""
        customer.business.occupy_seat("QuickBooks Online", "DIRECT")

        upkeep.check_sides(customer.connection, now=NOON)

        assert "QuickBooks Online" in blocked()
        assert Schedule.objects.get().blocked_code == "ramp.no_connection"

    def test_stays_although_lists_can_be_read(self, customer: Customer) -> None:
        customer.business.occupy_seat("QuickBooks Online", "DIRECT")
        upkeep.check_sides(customer.connection, now=NOON)

        run = polling.pull(
            customer.connection, customer.ramp, trigger="manual", now=NOON, jitter=0.5
        )

        assert run is not None
        assert "QuickBooks Online" in blocked()

    def test_is_over_once_the_seat_is_ours_again(self, customer: Customer) -> None:
        ours = customer.connection.ramp_connection_id
        assert ours is not None
        customer.ramp.delete_connection()
        upkeep.check_sides(customer.connection, now=NOON)
        assert "no longer linked" in blocked()
        customer.ramp.reactivate_connection(ours)

        upkeep.check_sides(customer.connection, now=NOON)

        assert blocked() == ""
        assert HealthCheck.objects.get(side="ramp").is_ok


class TestLookAfter:
    def test_carries_out_what_is_wanted_and_looks_at_both_sides(self, customer: Customer) -> None:
        Switch.objects.create(
            connection=customer.connection, name=Switch.Name.VENDOR_CREDITS, wanted=True
        )
        chores.want(
            customer.connection, Chore.Kind.SWITCH, actor="maya", about=Switch.Name.VENDOR_CREDITS
        )

        tasks.look_after(connection_id=str(customer.connection.pk))

        chore = Chore.objects.get()
        assert (chore.state, chore.title) == ("done", "Ramp shows it on.")
        assert Switch.objects.get(name=Switch.Name.VENDOR_CREDITS).found is True
        assert HealthCheck.objects.filter(is_ok=True).count() == 2

    def test_refuses_a_button_that_nobody_could_answer(self, customer: Customer) -> None:
        """R-82: how fast the ERP is was never measured."""
        name = Switch.Name.TRANSACTION_BUTTON
        Switch.objects.create(connection=customer.connection, name=name, wanted=True)
        chores.want(customer.connection, Chore.Kind.SWITCH, actor="maya", about=name)

        upkeep.look_after(customer.connection, now=NOON)

        chore = Chore.objects.get()
        assert (chore.state, chore.title) == ("refused", "The button was not switched on.")
        assert "not measured yet" in chore.fix
        assert not Switch.objects.get(name=name).found

    def test_says_what_is_missing_when_a_side_cannot_be_asked(
        self, customer: Customer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def missing(_: Connection) -> InMemoryErp:
            raise NoCredential("There are no ERP credentials yet.")

        monkeypatch.setattr(clients, "erp_adapter", missing)

        upkeep.look_after(customer.connection, now=NOON)

        row = HealthCheck.objects.get(side="erp")
        assert (row.is_ok, row.title) == (False, "There are no ERP credentials yet.")

    def test_looks_no_more_at_who_is_disconnected(self, customer: Customer) -> None:
        chores.want(customer.connection, Chore.Kind.DISCONNECT, actor="maya")

        upkeep.look_after(customer.connection, now=NOON)

        customer.connection.refresh_from_db()
        assert customer.connection.stage == Connection.Stage.CLOSED
        assert customer.business.connection is None
        assert not HealthCheck.objects.exists()


class TestGoLive:
    def test_is_refused_while_steps_are_missing(self) -> None:
        connection = ConnectionFactory.create(stage=Connection.Stage.SETTING_UP)
        chores.want(connection, Chore.Kind.GO_LIVE, actor="maya")

        chores.carry_out_due(connection.pk, upkeep.DOERS, now=NOON)

        chore = Chore.objects.get()
        assert chore.state == Chore.State.REFUSED
        assert "Posting accounts" in chore.fix
        connection.refresh_from_db()
        assert connection.stage == Connection.Stage.SETTING_UP


def test_every_kind_of_wish_has_somebody_who_does_it() -> None:
    assert set(upkeep.DOERS) == set(Chore.Kind)


def test_new_credentials_lift_what_the_old_ones_stopped() -> None:
    schedule = ScheduleFactory.create(blocked_code="ramp.unauthorised", blocked_side="ramp",
                                      blocked_title="Refused.", blocked_at=NOON)  # fmt: skip

    circuit.credentials_changed(schedule.connection_id, circuit.RAMP)

    schedule.refresh_from_db()
    assert schedule.blocked_title == ""


def test_the_facts_of_a_customer_take_few_statements(
    django_assert_max_num_queries: pytest.FixtureRequest,
) -> None:
    connection = ConnectionFactory.create()

    with django_assert_max_num_queries(14):  # type: ignore[operator]
        found = facts(connection)

    assert onboarding.steps(found)[0].status is onboarding.Status.TO_DO


class TestDisconnect:
    def test_closes_a_customer_whose_credentials_never_worked(self) -> None:
        connection = ConnectionFactory.create(stage="setting_up", ramp_connection_id=None)
        chores.want(connection, Chore.Kind.DISCONNECT, actor="maya")

        upkeep.look_after(connection, now=NOON)

        connection.refresh_from_db()
        assert connection.stage == Connection.Stage.CLOSED
        assert Chore.objects.get().title == "Closed. It was never connected in Ramp."

    def test_ends_what_else_was_wished(self, customer: Customer) -> None:
        """Else somebody's wish to go live would open the customer again."""
        chores.want(customer.connection, Chore.Kind.DISCONNECT, actor="maya")
        chores.want(customer.connection, Chore.Kind.GO_LIVE, actor="li")

        upkeep.look_after(customer.connection, now=NOON)

        customer.connection.refresh_from_db()
        assert customer.connection.stage == Connection.Stage.CLOSED
        wish = Chore.objects.get(kind=Chore.Kind.GO_LIVE)
        assert (wish.state, wish.title) == (Chore.State.REFUSED, chores.CLOSED)

    def test_is_not_undone_by_whoever_goes_live_meanwhile(self, customer: Customer) -> None:
        stale = Connection.objects.get(pk=customer.connection.pk)
        Connection.objects.update(stage=Connection.Stage.CLOSED)

        upkeep.begin(stale, now=NOON)

        stale.refresh_from_db()
        assert stale.stage == Connection.Stage.CLOSED

    def test_wished_twice_is_done_and_not_refused(self, customer: Customer) -> None:
        Connection.objects.update(stage=Connection.Stage.CLOSED)
        chores.want(customer.connection, Chore.Kind.DISCONNECT, actor="maya")

        upkeep.look_after(customer.connection, now=NOON)

        assert Chore.objects.get().state == Chore.State.DONE
