from collections import Counter
from typing import Any

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.records import Transaction
from connections.ramp_simulator.scenario_data import MIGRATING
from connections.ramp_simulator.scenarios import NoSuchScenario
from connections.ramp_simulator.traffic import Traffic
from tests.connections.ramp_simulator.side import NOON, Client, ManualClock

BUSINESSES = [
    "harbor-coffee",
    "northwind-robotics",
    "atelier-lumiere",
    "sakura-foods",
    "pennine-outdoor",
    "blue-mesa-solar",
    "verde-clinics",
]


def play(name: str, seed: int = 1, scale: float = 1) -> Simulator:
    return Simulator.with_scenario(name, seed=seed, scale=scale, clock=ManualClock())


@pytest.fixture(scope="module")
def demo() -> Simulator:
    return play("demo")


@pytest.fixture(scope="module")
def ready(demo: Simulator) -> list[Transaction]:
    return [row for business in demo.businesses() for row in business.transactions("SYNC_READY")]


class TestTheDemo:
    def test_has_seven_businesses_busy_and_quiet_and_one_to_move(self, demo: Simulator) -> None:
        ready = {
            business.key: len(business.transactions("SYNC_READY")) for business in demo.businesses()
        }

        assert list(ready) == [*BUSINESSES, MIGRATING]
        assert sum(ready.values()) >= 700
        assert max(ready.values()) > 5 * min(ready.values())

    def test_begins_on_the_first_of_last_month_and_ends_now(self, ready: list[Transaction]) -> None:
        dates = [row.accounting_date for row in ready]

        assert min(dates) >= NOON.replace(month=2, day=1, hour=0)
        assert max(dates) <= NOON
        assert {date.month for date in dates} == {2, 3}

    def test_speaks_several_currencies(self, ready: list[Transaction]) -> None:
        assert {row.currency for row in ready} == {"USD", "EUR", "GBP", "JPY"}

    @pytest.mark.parametrize("key", BUSINESSES)
    def test_has_every_special_case_in_every_business(self, demo: Simulator, key: str) -> None:
        rows = demo.business(key).transactions("SYNC_READY")

        assert any(len(row.lines) > 1 for row in rows)
        assert any(row.minor < 0 and row.original_transaction_id for row in rows)
        assert any(row.original_currency not in {None, row.currency} for row in rows)
        assert any(line.account_code is None for row in rows for line in row.lines)
        assert any(line.account_code == "6999" for row in rows for line in row.lines)

    def test_is_mostly_coded_well(self, ready: list[Transaction]) -> None:
        well = [
            row
            for row in ready
            if all(line.account_code not in {None, "6999"} for line in row.lines)
        ]

        assert len(well) / len(ready) > 0.9

    def test_also_has_spend_that_is_not_ready(self, demo: Simulator) -> None:
        rows = [row for business in demo.businesses() for row in business.transactions()]

        states = Counter((row.state, row.sync_status.value) for row in rows)
        assert states["CLEARED", "NOT_SYNC_READY"] > 50
        assert states["PENDING", "NOT_SYNC_READY"] == states["DECLINED", "NOT_SYNC_READY"] == 8

    def test_adds_up_line_by_line(self, demo: Simulator) -> None:
        for business in demo.businesses():
            for row in business.transactions():
                assert sum(line.converted_minor or 0 for line in row.lines) == row.minor
                original = row.minor if row.original_minor is None else row.original_minor
                assert sum(line.minor for line in row.lines) == original

    def test_refunds_go_to_the_card_that_paid(self, demo: Simulator) -> None:
        rows = {row.id: row for row in demo.world.transactions.all()}
        refunds = [row for row in rows.values() if row.original_transaction_id]

        assert refunds
        for refund in refunds:
            bought = rows[refund.original_transaction_id or ""]
            assert (refund.person_id, refund.minor) == (bought.person_id, -bought.minor)


class TestTheDemoBesidesPurchases:
    @pytest.mark.parametrize("key", BUSINESSES)
    def test_pays_people_back_in_every_way(self, demo: Simulator, key: str) -> None:
        rows = demo.business(key).reimbursements("SYNC_READY")

        assert {row.direction for row in rows} == {"BUSINESS_TO_USER", "USER_TO_BUSINESS"}
        assert {row.kind for row in rows} >= {
            "OUT_OF_POCKET",
            "MILEAGE",
            "PER_DIEM",
            "PAYBACK_FULL",
        }
        assert any(len(row.lines) > 1 for row in rows)
        assert any(row.original_currency not in {None, row.currency} for row in rows)
        assert any(row.minor < 0 for row in rows)
        assert any(line.account_code is None for row in rows for line in row.lines)

    def test_also_has_claims_that_are_not_ready(self, demo: Simulator) -> None:
        rows = demo.business("harbor-coffee").reimbursements("NOT_SYNC_READY")

        assert [row.state for row in rows] == ["DRAFT", "PENDING", "REJECTED"]

    def test_adds_up_line_by_line(self, demo: Simulator) -> None:
        for row in demo.world.reimbursements.all():
            assert sum(line.converted_minor or 0 for line in row.lines) == row.minor
            original = row.minor if row.original_minor is None else row.original_minor
            assert sum(line.minor for line in row.lines) == original

    @pytest.mark.parametrize("key", BUSINESSES)
    def test_pays_the_card_every_month_for_each_entity(self, demo: Simulator, key: str) -> None:
        business = demo.business(key)
        [statement] = business.statements()
        paid = [row for row in business.transfers() if row.status == "COMPLETED"]

        assert len(paid) == 2 * len(statement.sections)
        for section in statement.sections:
            before, after = (row for row in paid if row.entity_id == section.entity_id)
            assert (before.minor, after.minor) == (section.opening, section.ending)
            assert before.statement_id == statement.id
            assert before.created_at < statement.end <= after.created_at

    def test_has_a_statement_of_last_month_over_everything_in_it(self, demo: Simulator) -> None:
        for business in demo.businesses():
            [statement] = business.statements()
            rows = [
                row
                for row in business.transactions()
                if row.state == "CLEARED" and row.user_transaction_time.month == 2
            ]

            spent = sum(row.minor for row in rows)
            back = sum(row.minor for row in business.cashbacks())
            owed = sum(one.charges - one.credits for one in statement.sections)
            assert {row.id for row in rows} <= {line.id for line in statement.lines}
            assert owed == spent - back

    def test_has_payments_on_their_way_before_they_are_due(self) -> None:
        clock = ManualClock(NOON.replace(day=3))
        demo = Simulator.with_scenario("demo", clock=clock)

        for business in demo.businesses():
            on_their_way = [row for row in business.transfers() if row.status != "COMPLETED"]
            assert on_their_way
            assert all(row.created_at <= clock.now for row in on_their_way)

    def test_has_one_payment_that_came_back(self, demo: Simulator) -> None:
        came_back = [row for row in demo.world.transfers.all() if row.status == "RETURNED_BY_RDFI"]

        assert [row.business for row in came_back] == ["blue-mesa-solar"]

    def test_is_of_moderate_size(self, demo: Simulator) -> None:
        entries = Counter(entry["object_type"] for entry in demo.ledger())

        assert 100 < entries.total() - entries["transaction"] < 320


class TestTheDemosBills:
    @pytest.mark.parametrize("key", BUSINESSES)
    def test_are_of_every_kind_in_every_business(self, demo: Simulator, key: str) -> None:
        business = demo.business(key)
        bills = business.bills()
        payments = [business.bill_payment(bill.id) for bill in bills]

        assert {bill.status for bill in bills} == {"OPEN", "PAID"}
        assert any(payment and payment.method == "ONE_TIME_CARD" for payment in payments)
        assert any(
            payment and payment.method == "CHECK" and bill.status == "OPEN"
            for bill, payment in zip(bills, payments, strict=True)
        )
        shared = Counter(bill.payment_id for bill in bills if bill.payment_id)
        assert max(shared.values()) == 2
        numbers = Counter(bill.invoice_number for bill in bills)
        assert max(numbers.values()) > 1
        assert any(bill.currency != business.record.currency for bill in bills)
        assert any(bill.archived_at for bill in bills)
        assert any(bill.inventory_lines for bill in bills)
        assert any(bill.approval_status == "PENDING" for bill in bills)
        assert any(not bill.is_sync_enabled for bill in bills)
        assert len(business.bills(sync_ready=True)) > len(bills) / 2

    def test_have_credits_where_the_money_is_dollars(self, demo: Simulator) -> None:
        for business in demo.businesses():
            granted = business.vendor_credits()
            applied = [credit for credit in granted if credit.applied_minor]
            is_in_dollars = business.record.currency == "USD"
            assert (len(granted), len(applied)) == ((2, 1) if is_in_dollars else (0, 0))


class TestWhatTheDemoBringsAlong:
    def test_is_a_csv_connection_with_accounts_nobody_else_knows(self, demo: Simulator) -> None:
        connections = [demo.business(key).connection for key in BUSINESSES]
        [former] = [one for one in connections if one]

        accounts = list(demo.world.accounts.of_connection(former.id))
        assert (former.business, former.connection_type) == ("blue-mesa-solar", "CSV")
        assert [row.external_id for row in accounts] == ["QB-7100", "QB-7210", "QB-7340"]

    def test_is_31_ready_purchases_coded_to_one_of_them(self, demo: Simulator) -> None:
        client = Client(demo, demo.business("blue-mesa-solar"))

        rows = [
            row
            for row in client.every_row("/transactions", sync_status="SYNC_READY", page_size=100)
            if _account_of(row) == "QB-7100"
        ]

        assert len(rows) == 31
        assert {len(row["line_items"]) for row in rows} == {1}

    def test_are_31_on_the_first_of_a_month_too(self) -> None:
        clock = ManualClock(NOON.replace(day=1, hour=0, minute=5))
        demo = Simulator.with_scenario("demo", clock=clock)

        rows = demo.business("blue-mesa-solar").transactions("SYNC_READY")

        former = [row for row in rows if row.lines[0].account_code == "7100"]
        assert len(former) == 31
        assert all(NOON.replace(day=1, hour=0) <= row.accounting_date <= clock() for row in former)

    @pytest.mark.parametrize("key", BUSINESSES)
    def test_are_vendors_that_nobody_has_linked(self, demo: Simulator, key: str) -> None:
        rows = Client(demo, demo.business(key)).every_row("/vendors")

        unlinked = [row for row in rows if row["accounting_vendor_remote_id"] is None]
        spends = [row["total_spend_last_365_days"]["amount"] for row in unlinked]
        assert {"Uline, Inc.", "Federal Express"} <= {row["name"] for row in unlinked}
        assert sum(spend > 0 for spend in spends) >= 5
        assert [row["name"] for row in rows if not row["is_active"]] == ["Old Mill Printing"]
        assert any(row.get("merchant_id") for row in rows)

    @pytest.mark.parametrize(
        ("key", "name", "email", "method"),
        [
            ("harbor-coffee", "Uline, Inc.", "ar@uline.example", "ACH"),
            (
                "atelier-lumiere",
                "Verrerie du Rhône",
                "billing@verrerie-du-rhone.example",
                "INTERNATIONAL",
            ),
        ],
    )
    def test_vendors_have_someone_to_write_to(
        self, demo: Simulator, key: str, name: str, email: str, method: str
    ) -> None:
        client = Client(demo, demo.business(key))
        [vendor] = client.every_row("/vendors", name=name)

        [contact] = client.every_row(f"/vendors/{vendor['id']}/contacts")
        [account] = client.every_row(f"/vendors/{vendor['id']}/accounts")

        assert vendor["contacts"] == [contact["id"]]
        assert (contact["email"], account["payment_method"]) == (email, method)


class TestTheDemosBusinessWithAnotherProvider:
    @pytest.fixture
    def client(self, demo: Simulator) -> Client:
        return Client(demo, demo.business(MIGRATING))

    def test_has_a_seat_that_ramp_itself_runs(self, client: Client) -> None:
        [seat] = client.get("/accounting/all-connections").json()["connections"]

        assert (seat["connection_type"], seat["is_active"]) == ("DIRECT", True)
        assert seat["remote_provider_name"] == "QuickBooks Online"

    def test_has_little_that_waits_and_much_that_is_synced(self, client: Client) -> None:
        status = Counter(row["sync_status"] for row in client.every_row("/transactions"))

        assert status["SYNC_READY"] == 7
        assert status["SYNCED"] > 30

    def test_is_coded_to_its_own_chart(self, client: Client) -> None:
        rows = client.every_row("/transactions", sync_status="SYNCED", page_size=100)
        selections = [
            one
            for row in rows
            for line in row["line_items"]
            for one in line["accounting_field_selections"]
        ]

        assert {one["provider_name"] for one in selections} == {"QuickBooks Online"}
        assert {"57", "58", "61", "62"} <= {one["external_id"] for one in selections}
        assert any(one["category_info"]["name"] == "Class" for one in selections)

    def test_has_bills_in_flight(self, demo: Simulator) -> None:
        bills = demo.business(MIGRATING).bills()

        assert any(bill.status == "OPEN" and bill.payment_id for bill in bills)
        assert any(bill.approval_status == "PENDING" for bill in bills)

    def test_rests_while_the_others_spend_on(self) -> None:
        demo = play("demo", scale=0.05)
        traffic = Traffic(demo.world, seed=1)
        before = len(demo.business(MIGRATING).transactions())

        for _ in range(200):
            traffic.step()

        assert len(demo.business(MIGRATING).transactions()) == before


def _account_of(row: dict[str, Any]) -> str:
    selections = row["line_items"][0]["accounting_field_selections"]
    return next((one["external_id"] for one in selections if one["type"] == "GL_ACCOUNT"), "")


class TestEveryScenario:
    def test_is_the_same_for_the_same_seed(self) -> None:
        first, second = (list(play("small").ledger()) for _ in range(2))

        assert first == second

    def test_differs_for_another_seed(self) -> None:
        assert list(play("small").ledger()) != list(play("small", seed=2).ledger())

    def test_grows_with_its_scale(self) -> None:
        small, large = (len(list(play("small", scale=scale).ledger())) for scale in (1, 10))

        assert (small, large) == (36, 360)

    def test_has_a_name(self) -> None:
        with pytest.raises(NoSuchScenario, match="empty, small, demo"):
            play("huge")

    def test_can_be_empty(self) -> None:
        sim = play("empty")

        assert [business.key for business in sim.businesses()] == BUSINESSES
        assert list(sim.ledger()) == []
