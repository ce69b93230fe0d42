"""The client against the pretend Ramp, endpoint by endpoint."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Transaction
from rampbridge.lib.money import Money
from tests.connections.ramp.conftest import Budget, Clock

Spend = Callable[..., Transaction]
SYNCS = "POST /accounting/syncs"


@pytest.fixture
def spend(business: BusinessHandle) -> Spend:
    """Buy something; its coding is complete unless said otherwise."""
    business.upload_chart(
        accounts=[{"id": "6300", "name": "Meals", "classification": "EXPENSE", "code": "6300"}]
    )

    def buy(amount: str = "18.40", *, ready: bool = True) -> Transaction:
        return business.create_transaction(amount, account_code="6300", ready=ready)

    return buy


def report(*ids: str, key: str = "key-1") -> dict[str, object]:
    return {
        "idempotency_key": key,
        "sync_type": "TRANSACTION_SYNC",
        "successful_syncs": [{"id": id_, "reference_id": "JE-1"} for id_ in ids],
    }


class TestBusiness:
    def test_says_whose_credentials_these_are(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        found = ramp.business()

        assert str(found.id) == business.id
        assert found.name == "Harbor Coffee Roasters"

    def test_lists_entities(self, ramp: RampClient) -> None:
        entities = list(ramp.entities())

        assert [entity.is_primary for entity in entities].count(True) == 1
        assert entities[0].currency == "USD"
        assert entities[0].name


class TestConnections:
    def test_takes_the_seat_switches_and_gives_it_up(self, ramp: RampClient) -> None:
        taken = ramp.create_connection(
            remote_provider_name="rampbridge", settings={"vendor_credits_enabled": True}
        )
        switched = ramp.update_connection(taken.id, {"transaction_sync_button_enabled": True})
        ramp.delete_connection()

        assert taken.is_live
        assert taken.connection_type == "API"
        assert switched.settings is not None
        assert switched.settings["transaction_sync_button_enabled"]
        assert switched.settings["vendor_credits_enabled"]
        tombstone = ramp.connection(taken.id)
        assert not tombstone.is_live
        assert tombstone.settings is None
        assert [one.id for one in ramp.all_connections()] == [taken.id]

    def test_takes_it_again(self, ramp: RampClient) -> None:
        taken = ramp.create_connection(remote_provider_name="rampbridge")
        ramp.delete_connection()

        assert ramp.reactivate_connection(taken.id).is_live

    def test_is_told_of_an_incumbent(self, ramp: RampClient, business: BusinessHandle) -> None:
        business.occupy_seat("Somebody Else")

        assert ramp.create_connection(remote_provider_name="x").remote_provider_name == (
            "Somebody Else"
        )

    def test_waits_beside_the_incumbent_until_it_is_marked_ready(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        business.connect_provider()
        waiting = ramp.create_connection(remote_provider_name="rampbridge", is_active=False)

        marked = ramp.mark_ready_to_migrate(waiting.id)

        assert not waiting.is_ready_to_migrate
        assert marked.is_ready_to_migrate
        assert ramp.connection(waiting.id) == marked
        with pytest.raises(errors.InvalidRequest, match="already marked"):
            ramp.mark_ready_to_migrate(waiting.id)

    def test_nothing_to_give_up_is_not_found(self, ramp: RampClient) -> None:
        with pytest.raises(errors.NotFound):
            ramp.delete_connection()


class TestTransactions:
    def test_come_in_pages_with_the_bytes_they_came_in(
        self, ramp: RampClient, spend: Spend
    ) -> None:
        bought = [spend().id for _ in range(5)]

        pages = list(ramp.transactions(sync_status="SYNC_READY", page_size=2))

        assert [len(page.transactions) for page in pages] == [2, 2, 1]
        assert sorted(str(one.id) for page in pages for one in page.transactions) == sorted(bought)
        assert all(str(one.id).encode() in page.raw for page in pages for one in page.transactions)
        assert pages[-1].next_cursor is None

    def test_are_filtered(self, ramp: RampClient, spend: Spend, clock: Clock) -> None:
        spend(ready=False)
        ready = spend()

        found = [
            one for page in ramp.transactions(sync_status="SYNC_READY") for one in page.transactions
        ]
        future = list(ramp.transactions(from_date=clock.now + timedelta(days=1)))

        assert [str(one.id) for one in found] == [ready.id]
        assert future[0].transactions == []

    def test_are_read_with_their_money_and_codings(self, ramp: RampClient, spend: Spend) -> None:
        bought = ramp.transaction(UUID(spend("-18.40").id))

        (line,) = bought.line_items
        assert bought.money == line.money == Money(-1840, "USD", 2)
        assert bought.sync_status == "SYNC_READY"
        assert bought.entity_id is not None
        (account,) = [
            coding for coding in bought.codings(line) if coding.field_external_id == "Category"
        ]
        assert (account.type, account.external_id) == ("GL_ACCOUNT", "6300")

    def test_one_comes_with_its_bytes(self, ramp: RampClient, spend: Spend) -> None:
        bought = spend()

        assert bought.id.encode() in ramp.transaction_body(UUID(bought.id))

    def test_one_that_is_not_there_is_not_found(self, ramp: RampClient) -> None:
        with pytest.raises(errors.NotFound):
            ramp.transaction(uuid4())

    def test_a_path_that_is_not_there_says_nothing_about_the_object(
        self, ramp: RampClient, sim: Simulator, spend: Spend
    ) -> None:
        sim.fault("html_404", "GET /transactions/{transaction_id}")

        with pytest.raises(errors.NoSuchEndpoint):
            ramp.transaction(UUID(spend().id))

    def test_a_malformed_one_costs_nobody_else(
        self, ramp: RampClient, sim: Simulator, spend: Spend
    ) -> None:
        for _ in range(3):
            spend()
        sim.fault("malformed_row", "GET /transactions")

        (page,) = ramp.transactions()

        assert len(page.transactions) == 2
        assert len(page.malformed) == 1
        assert page.malformed[0].reason

    @pytest.mark.parametrize("fault", ["bare_cursor", "no_page"])
    def test_odd_endings_are_understood(
        self, ramp: RampClient, sim: Simulator, spend: Spend, fault: str
    ) -> None:
        for _ in range(4):
            spend()
        sim.fault(fault, "GET /transactions")

        pages = list(ramp.transactions(page_size=2))

        assert len(pages) == (2 if fault == "bare_cursor" else 1)

    @pytest.mark.parametrize(
        ("fault", "kind"),
        [("looping_cursor", errors.SchemaSurprise), ("foreign_cursor", errors.ForeignAddress)],
    )
    def test_cursors_that_lead_astray_are_not_followed(
        self,
        ramp: RampClient,
        sim: Simulator,
        spend: Spend,
        fault: str,
        kind: type[errors.RampError],
    ) -> None:
        for _ in range(6):
            spend()
        sim.fault(fault, "GET /transactions", times=None)

        with pytest.raises(kind):
            list(ramp.transactions(page_size=2))

        assert sim.calls["GET /transactions"] <= 3


class TestSyncs:
    def test_a_report_is_taken(
        self, ramp: RampClient, spend: Spend, business: BusinessHandle
    ) -> None:
        bought = spend()

        result = ramp.post_syncs(report(bought.id))

        assert str(UUID(result.sync_id)) == result.sync_id
        assert str(UUID(result.trace_id)) == result.trace_id
        assert ramp.transaction(UUID(bought.id)).sync_status == "SYNCED"
        assert business.ledger()

    def test_a_failure_is_taken(self, ramp: RampClient, spend: Spend) -> None:
        bought = spend()

        ramp.post_syncs(
            {
                "idempotency_key": "k",
                "sync_type": "TRANSACTION_SYNC",
                "failed_syncs": [{"id": bought.id, "error": {"message": "Reopen the period."}}],
            }
        )

        assert ramp.transaction(UUID(bought.id)).sync_status == "SYNC_READY"

    def test_who_is_not_ready_is_named(self, ramp: RampClient, spend: Spend) -> None:
        ready, not_ready = spend(), spend(ready=False)

        with pytest.raises(errors.NotReadyForSync) as caught:
            ramp.post_syncs(report(ready.id, not_ready.id))

        assert caught.value.ids == (not_ready.id,)
        assert ramp.transaction(UUID(ready.id)).sync_status == "SYNC_READY"

    def test_a_key_is_good_once(self, ramp: RampClient, spend: Spend) -> None:
        ramp.post_syncs(report(spend().id))

        with pytest.raises(errors.KeyAlreadyUsed):
            ramp.post_syncs(report(spend().id))

    def test_without_a_seat_there_is_no_report(self, ramp: RampClient, spend: Spend) -> None:
        bought = spend()
        ramp.delete_connection()

        with pytest.raises(errors.NoConnection):
            ramp.post_syncs(report(bought.id))

    def test_an_empty_report_is_our_mistake(self, ramp: RampClient, spend: Spend) -> None:
        spend()

        with pytest.raises(errors.InvalidRequest) as caught:
            ramp.post_syncs(report())

        assert "successful_syncs" in caught.value.fields

    @pytest.mark.parametrize("fault", ["lost_answer", "hang_up_after"])
    def test_a_lost_answer_is_not_taken_for_a_refusal(
        self, ramp: RampClient, sim: Simulator, spend: Spend, fault: str
    ) -> None:
        bought = spend()
        sim.fault(fault, SYNCS)

        with pytest.raises(errors.OutcomeUnknown):
            ramp.post_syncs(report(bought.id))

        assert ramp.transaction(UUID(bought.id)).sync_status == "SYNCED"

    def test_an_answer_in_words_unknown_means_it_was_taken(
        self, ramp: RampClient, sim: Simulator, spend: Spend
    ) -> None:
        bought = spend()
        sim.fault("not_json", SYNCS)

        with pytest.raises(errors.SchemaSurprise):
            ramp.post_syncs(report(bought.id))

        assert ramp.transaction(UUID(bought.id)).sync_status == "SYNCED"

    def test_too_many_requests_carry_their_wait(
        self, ramp: RampClient, sim: Simulator, spend: Spend, budget: Budget
    ) -> None:
        sim.fault("answer", SYNCS, status=429)

        with pytest.raises(errors.RampRateLimited):
            ramp.post_syncs(report(spend().id))

        assert budget.frozen_for == [10]

    def test_objects_are_marked_ready(self, ramp: RampClient, spend: Spend) -> None:
        bought = spend(ready=False)

        ramp.ready_to_sync([UUID(bought.id)])

        assert ramp.transaction(UUID(bought.id)).sync_status == "SYNC_READY"


class TestWebhooks:
    def test_are_created_verified_listed_and_deleted(
        self, sim: Simulator, ramp: RampClient
    ) -> None:
        received: list[httpx.Request] = []

        def receive(request: httpx.Request) -> httpx.Response:
            received.append(request)
            return httpx.Response(200)

        sim.courier._client = httpx.Client(transport=httpx.MockTransport(receive))
        webhook = ramp.create_webhook(
            endpoint_url="https://rampbridge.test/hooks",
            event_types=["transactions.ready_to_sync"],
            additional_headers={"X-Ours": "value"},
        )
        sim.deliver_webhooks()
        challenge = httpx.Response(200, content=received[0].content).json()["challenge"]

        ramp.verify_webhook(webhook.id, challenge=challenge)
        (listed,) = ramp.webhooks()
        ramp.delete_webhook(webhook.id)

        assert webhook.secret.get_secret_value()
        assert not webhook.is_active
        assert received[0].headers["X-Ours"] == "value"
        assert listed.is_active
        assert listed.secret.get_secret_value() == ""
        assert ramp.webhooks() == []

    def test_a_wrong_challenge_is_refused(self, ramp: RampClient) -> None:
        webhook = ramp.create_webhook(
            endpoint_url="https://rampbridge.test/hooks",
            event_types=["transactions.ready_to_sync"],
        )

        with pytest.raises(errors.RampError):
            ramp.verify_webhook(webhook.id, challenge="wrong")
