"""Merchants become vendors on both sides, and their transactions go through (R-36 to R-39)."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.db import connection as database

from connections import vendor_queue, vendors
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import Master, MasterKind
from connections.erp.records import Vendor as ErpVendor
from connections.erp.refusals import refusal
from connections.models import Vendor, VendorCreation
from connections.ramp_simulator.records import Transaction
from syncing import errands, releases, vendor_saga, vendor_waits
from syncing.errands import Errand
from syncing.models import ItemEvent, SyncItem
from syncing.vendor_saga import RETRY_BUDGET
from tests.syncing.ramp import Customer

pytestmark = pytest.mark.django_db

FLAG = "transaction_accounting_vendor_creation_on_sync_enabled"


class Killed(BaseException):
    """The worker is gone: nothing after this runs."""


class Desk(Customer):
    """A customer whose merchants must be vendors before anything is synced."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.erp = self.world.erp
        seat = self.business.connection
        assert seat is not None
        seat.settings[FLAG] = True
        self.asked: list[str] = []
        self.before: dict[str, Callable[[], object]] = {}
        self.after: dict[str, Callable[[], object]] = {}
        self.wire.intercept = self._watched

    def _watched(self, request: httpx.Request) -> httpx.Response | None:
        """Note the call, and let the test strike before or after it is carried out."""
        path = request.url.path.removeprefix("/developer/v1/").partition("/")[2]
        name = f"{request.method} {path.partition('/')[0]}"
        if request.url.path.startswith("/developer/v1/accounting/"):
            self.asked.append(name)
            if name in self.before:
                self.before.pop(name)()
            if name in self.after:
                strike = self.after.pop(name)
                httpx.WSGITransport.handle_request(self.wire, request).read()
                strike()
        return None

    def waiting(self, merchant: str = "Figma", **details: Any) -> SyncItem:
        """A transaction of a merchant that is no vendor, taken up once."""
        bought = self.spend(merchant=merchant, **details)
        self.pull()
        self.post()
        return SyncItem.objects.get(ramp_id=bought.id)

    def create(self) -> int:
        return vendor_saga.create_due(self.world.worker, self.ramp)

    def erp_vendors(self, name: str = "Figma") -> list[Master]:
        return [
            one
            for one in self.erp.books.masters.values()
            if one.kind == MasterKind.VENDOR and one.name == name
        ]

    def ramp_vendors(self, name: str = "Figma") -> list[Any]:
        return [one for one in self.sim.world.vendors.of(self.business.key) if one.name == name]

    def bought(self, item: SyncItem) -> Transaction:
        return self.business.transaction(str(item.ramp_id))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def fresh(item: SyncItem) -> SyncItem:
    item.refresh_from_db()
    return item


def kill() -> None:
    raise Killed


def refused_by_the_erp(_: ErpVendor) -> Master:
    raise refusal(Code.REJECTED_PAYLOAD, erp="Ledger")


def no_coding(request: httpx.Request) -> httpx.Response | None:
    """Ramp refuses whatever is to be coded."""
    refused = {"error_v2": {"error_code": "DEVELOPER_7001", "message": "It has no such field."}}
    is_coding = request.url.path.endswith("/accounting/codings")
    return httpx.Response(400, json=refused) if is_coding else None


def give_up(creation: VendorCreation, *, again_in: float | None) -> None:
    vendor_queue.record_failure(
        creation, category="user_actionable", code="vendor.several", title="There are several.",
        fix="", detail="", again_in=again_in,
    )  # fmt: skip


def let_creations_age(seconds: float) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE connections_vendorcreation SET due_at = due_at - %s::interval,"
            " lease_until = lease_until - %s::interval",
            [f"{seconds} seconds"] * 2,
        )


class TestATransactionWithoutVendor:
    def test_waits_in_sight_and_is_not_posted(self, desk: Desk) -> None:
        item = desk.waiting()

        assert (item.state, item.due_at) == ("READY", None)
        assert item.error_title == "Waits for the vendor Figma to be created in Ledger."
        assert item.blocked_by.startswith("vendor:")
        assert desk.erp.books.entries == ()
        assert errands.due() == [(Errand.VENDORS, desk.connection.pk)]

    def test_goes_through_once_its_vendor_is_on_both_sides(self, desk: Desk) -> None:
        item = desk.waiting()

        desk.create()
        desk.post()
        desk.report_until_quiet()

        assert fresh(item).state == "ACKED"
        (in_erp,), (in_ramp,) = desk.erp_vendors(), desk.ramp_vendors()
        assert in_ramp.external_id == in_erp.id
        assert desk.bought(item).coded_vendor_id == in_ramp.id
        creation = VendorCreation.objects.get()
        assert (creation.step, creation.due_at, creation.error_title) == ("in_ramp", None, "")
        assert creation.done_at is not None
        kinds = ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", flat=True)
        assert list(kinds) == ["ready", "waiting", "changed", "sent", "posted", "reported"]

    def test_many_of_one_merchant_make_one_vendor(self, desk: Desk) -> None:
        merchant = desk.bought(desk.waiting())
        for _ in range(4):
            desk.waiting()

        desk.create()

        assert VendorCreation.objects.count() == len({merchant.merchant_id})
        assert len(desk.erp_vendors()) == len(desk.ramp_vendors()) == 1
        assert desk.erp.calls.count("upsert_vendor") == 1
        assert desk.asked.count("POST vendors") == 1
        assert desk.asked.count("POST codings") == 5
        assert desk.post() == 5

    def test_one_that_comes_later_needs_no_other_vendor(self, desk: Desk) -> None:
        desk.waiting()
        desk.create()
        desk.post()
        late = desk.spend(merchant="Figma")
        for vendor in desk.ramp_vendors():  # Ramp has not matched it by name
            vendor.matches_from = late.seq + 1
            desk.sim.world.vendors.put(vendor)
        desk.pull()
        desk.post()

        desk.create()
        desk.post()

        assert SyncItem.objects.get(ramp_id=late.id).state == "POSTED"
        assert len(desk.erp_vendors()) == len(desk.ramp_vendors()) == 1

    def test_nothing_is_said_to_ramp_before_the_coding_is_confirmed(self, desk: Desk) -> None:
        item = desk.waiting()
        desk.wire.intercept = lambda request: (
            httpx.Response(201, json={})
            if request.url.path.endswith("/accounting/codings")
            else None
        )
        desk.create()
        desk.post()
        desk.report_until_quiet()

        assert fresh(item).state == "READY"
        assert desk.sent == []
        creation = VendorCreation.objects.get()
        assert creation.error_code == "vendor.not_confirmed"
        assert creation.due_at is not None

    def test_a_vendor_that_a_person_chose_meanwhile_stays(self, desk: Desk) -> None:
        item = desk.waiting()
        desk.business.upload_chart(vendors=[{"id": "V-adobe", "name": "Adobe"}])
        desk.business.edit(str(item.ramp_id), vendor_name="Adobe")
        (adobe,) = desk.ramp_vendors("Adobe")
        desk.bought(item).coded_vendor_id = adobe.id

        desk.create()
        desk.post()

        assert desk.bought(item).coded_vendor_id == adobe.id
        assert "POST codings" not in desk.asked
        assert fresh(item).state == "POSTED"

    def test_switching_the_setting_off_lets_it_through_at_the_next_pull(self, desk: Desk) -> None:
        item = desk.waiting()
        seat = desk.business.connection
        assert seat is not None
        seat.settings[FLAG] = False

        desk.pull()
        desk.post()

        assert fresh(item).state == "POSTED"

    def test_a_pull_in_between_wakes_nobody(self, desk: Desk) -> None:
        item = desk.waiting()

        desk.pull()

        assert desk.post() == 0
        assert fresh(item).due_at is None


class TestAVendorThatIsThereAlready:
    def test_is_adopted_by_its_name_and_not_doubled(self, desk: Desk) -> None:
        desk.erp.books.put(Master(MasterKind.VENDOR, "V7", "FIGMA"))
        Vendor.objects.create(connection=desk.connection, erp_id="V7", name="FIGMA")
        item = desk.waiting()

        desk.create()
        desk.post()

        assert desk.erp.calls.count("upsert_vendor") == 0
        assert VendorCreation.objects.get().erp_id == "V7"
        assert fresh(item).state == "POSTED"

    def test_in_ramp_is_adopted_by_the_erps_id(self, desk: Desk) -> None:
        desk.business.upload_chart(vendors=[{"id": "V7", "name": "Figma Inc."}])
        (uploaded,) = desk.ramp_vendors("Figma Inc.")
        desk.erp.books.put(Master(MasterKind.VENDOR, "V7", "Figma"))
        Vendor.objects.create(connection=desk.connection, erp_id="V7", name="Figma")
        desk.waiting()

        desk.create()

        assert "POST vendors" not in desk.asked
        assert str(VendorCreation.objects.get().ramp_id) == uploaded.id

    def test_that_somebody_uploads_at_that_moment_is_adopted(self, desk: Desk) -> None:
        item = desk.waiting()

        def another_is_faster() -> None:
            (made,) = desk.erp_vendors()
            desk.business.upload_chart(vendors=[{"id": made.id, "name": "Figma"}])

        desk.before["POST vendors"] = another_is_faster
        desk.create()
        desk.post()

        assert len(desk.ramp_vendors()) == 1
        assert fresh(item).state == "POSTED"

    def test_twice_is_a_person_s_choice(self, desk: Desk) -> None:
        for erp_id in ("V7", "V8"):
            Vendor.objects.create(connection=desk.connection, erp_id=erp_id, name="Figma")
        item = desk.waiting()

        desk.create()

        creation = VendorCreation.objects.get()
        assert creation.error_title == "Ledger has several vendors called Figma."
        assert (creation.error_category, creation.due_at) == ("user_actionable", None)
        assert desk.erp_vendors() == []
        assert fresh(item).state == "FAILED"
        assert item.error_title == creation.error_title

        desk.report_until_quiet()
        assert "several vendors called Figma" in str(desk.told(desk.bought(item)))
        desk.business.upload_chart(vendors=[{"id": "V8", "name": "Figma design"}])
        (chosen,) = desk.ramp_vendors("Figma design")
        desk.bought(item).coded_vendor_id = chosen.id  # somebody chooses it in Ramp
        desk.pull()
        desk.post()
        desk.report_until_quiet()
        assert fresh(item).state == "ACKED"

    def test_that_was_deleted_in_ramp_is_offered_again(self, desk: Desk) -> None:
        desk.business.upload_chart(vendors=[{"id": "V7", "name": "Figma Inc."}])
        (uploaded,) = desk.ramp_vendors("Figma Inc.")
        uploaded.is_active = False
        desk.sim.world.vendors.put(uploaded)
        desk.erp.books.put(Master(MasterKind.VENDOR, "V7", "Figma"))
        Vendor.objects.create(
            connection=desk.connection, erp_id="V7", name="Figma", ramp_id=uploaded.id
        )
        item = desk.waiting()

        desk.create()
        desk.post()

        assert desk.ramp_vendors("Figma Inc.")[0].is_active
        assert fresh(item).state == "POSTED"


def lose_erp_answer(desk: Desk) -> None:
    """The vendor is made, and the worker dies before it hears of it."""
    make = desk.erp.upsert_vendor

    def made_and_killed(vendor: ErpVendor) -> Master:
        make(vendor)
        desk.erp.upsert_vendor = make  # type: ignore[method-assign]
        raise Killed

    desk.erp.upsert_vendor = made_and_killed  # type: ignore[method-assign]


@pytest.mark.matrix("X24")
class TestKilledAtEachStep:
    STRIKES: dict[str, Callable[[Desk], None]] = {
        "after the ERP's vendor": lose_erp_answer,
        "before the look in Ramp": lambda desk: desk.before.update({"GET vendors": kill}),
        "before the upload": lambda desk: desk.before.update({"POST vendors": kill}),
        "after the upload": lambda desk: desk.after.update({"POST vendors": kill}),
        "before the coding": lambda desk: desk.before.update({"POST codings": kill}),
        "after the coding": lambda desk: desk.after.update({"POST codings": kill}),
    }

    @pytest.mark.parametrize("strike", STRIKES, ids=lambda name: name.replace(" ", "-"))
    def test_leaves_one_vendor_on_each_side_and_the_item_through(
        self, desk: Desk, strike: str
    ) -> None:
        items = [desk.waiting(), desk.waiting()]
        self.STRIKES[strike](desk)

        with pytest.raises(Killed):
            desk.create()
        assert desk.create() == 0, "it is in the dead worker's hands until its lease is over"
        let_creations_age(vendor_queue.LEASE_SECONDS + 1)
        desk.create()
        desk.post()
        desk.report_until_quiet()

        assert [fresh(item).state for item in items] == ["ACKED", "ACKED"]
        assert (len(desk.erp_vendors()), len(desk.ramp_vendors())) == (1, 1)
        assert len(desk.erp.books.entries) == 2

    @pytest.mark.parametrize("call", ["POST vendors", "POST codings"])
    def test_a_lost_answer_does_the_same(self, desk: Desk, call: str) -> None:
        item = desk.waiting()

        def silence() -> None:
            raise httpx.ReadTimeout("lost on its way back")

        desk.after[call] = silence
        desk.create()
        assert fresh(item).state == "READY"
        let_creations_age(3600)
        desk.create()
        desk.post()

        assert fresh(item).state == "POSTED"
        assert (len(desk.erp_vendors()), len(desk.ramp_vendors())) == (1, 1)

    def test_one_that_no_worker_survives_is_given_up(self, desk: Desk) -> None:
        desk.waiting()
        for _ in range(RETRY_BUDGET):
            desk.before["GET vendors"] = kill
            with pytest.raises(Killed):
                desk.create()
            let_creations_age(vendor_queue.LEASE_SECONDS + 1)

        desk.create()

        creation = VendorCreation.objects.get()
        assert (creation.error_code, creation.due_at) == ("us.poison", None)


class TestWhatStandsInTheWay:
    def test_a_refusal_of_the_erp_is_shown_and_waits_for_a_person(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(_: ErpVendor) -> Master:
            raise refusal(Code.REJECTED_PAYLOAD, erp="Ledger")

        item = desk.waiting()
        with monkeypatch.context() as patch:
            patch.setattr(desk.erp, "upsert_vendor", refuse)
            desk.create()

        creation = VendorCreation.objects.get()
        assert (creation.error_category, creation.due_at) == ("needs_integrator", None)
        assert fresh(item).state == "FAILED"
        assert item.reference in item.error_text
        assert errands.due() == []

        releases.release(desk.connection.pk, ids=[item.pk], why="Retried.")
        desk.post()
        assert fresh(item).state == "READY"
        desk.create()
        desk.post()
        assert fresh(item).state == "POSTED"

    def test_a_silent_erp_uses_up_nothing(self, desk: Desk) -> None:
        item = desk.waiting()
        desk.erp.faults.refuse_with = ErpError(
            Code.ERP_UNAVAILABLE, "Ledger did not answer.", "", Outcome.NOT_POSTED
        )
        for _ in range(RETRY_BUDGET + 3):
            desk.create()
            let_creations_age(3600)

        desk.erp.faults.refuse_with = None
        desk.create()
        desk.post()

        assert fresh(item).state == "POSTED"

    def test_a_transaction_that_cannot_be_coded_says_what_to_do(self, desk: Desk) -> None:
        item, other = desk.waiting(), desk.waiting()
        refused = {"error_v2": {"error_code": "DEVELOPER_7001", "message": "It has no such field."}}

        def refuse_one(request: httpx.Request) -> httpx.Response | None:
            concerns = str(item.ramp_id).encode() in request.read()
            is_coding = request.url.path.endswith("/accounting/codings")
            return httpx.Response(400, json=refused) if is_coding and concerns else None

        desk.wire.intercept = refuse_one
        desk.create()
        desk.post()

        assert fresh(item).state == "FAILED"
        assert item.error_title == "Ramp does not let us put the vendor Figma on this transaction."
        assert item.error_category == "user_actionable"
        assert fresh(other).state == "POSTED"

    def test_one_that_was_told_why_and_cannot_be_coded_is_told_that_instead(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = desk.waiting()
        with monkeypatch.context() as patch:
            patch.setattr(desk.erp, "upsert_vendor", refused_by_the_erp)
            desk.create()
        assert fresh(first).error_code == "erp.rejected_payload"

        desk.wire.intercept = no_coding
        desk.waiting()  # the next transaction of that merchant tries again for all
        desk.create()

        assert (fresh(first).state, first.error_code) == ("FAILED", "vendor.not_codable")
        assert first.blocked_by == "", "so that nobody asks Ramp for it in vain from now on"
        assert errands.due() == []

    def test_a_turn_that_moves_nothing_is_not_followed_by_the_same_at_once(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(vendor_saga, "TRANSACTIONS", 2)
        for item in (desk.waiting(), desk.waiting()):
            desk.sim.world.transactions.remove(desk.bought(item))

        desk.create()

        assert desk.asked.count("GET vendors") <= 2, "one turn, and not as many as fit"
        creation = VendorCreation.objects.get()
        assert creation.error_code == "vendor.not_confirmed"
        assert errands.due() == []

    def test_without_a_merchant_a_person_must_choose(self, desk: Desk) -> None:
        bought = desk.spend(merchant="Figma")
        bought.merchant_name = ""
        desk.pull()

        desk.post()

        item = SyncItem.objects.get(ramp_id=bought.id)
        assert (item.state, item.error_code) == ("FAILED", "data.no_merchant")
        assert not VendorCreation.objects.exists()

    def test_one_that_ramp_no_longer_has_holds_up_no_other(self, desk: Desk) -> None:
        gone, other = desk.waiting(), desk.waiting()
        desk.sim.world.transactions.remove(desk.bought(gone))

        desk.create()
        desk.post()

        assert fresh(other).state == "POSTED"
        assert fresh(gone).state == "READY"

    def test_what_was_told_why_goes_through_once_the_vendor_is_there(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = desk.waiting()

        def refuse(vendor: ErpVendor) -> Master:
            raise refusal(Code.REJECTED_PAYLOAD, erp="Ledger")

        with monkeypatch.context() as patch:
            patch.setattr(desk.erp, "upsert_vendor", refuse)
            desk.create()
        assert fresh(first).state == "FAILED"

        second = desk.waiting()  # the next transaction of that merchant tries again for all
        desk.create()
        desk.post()

        assert [fresh(one).state for one in (first, second)] == ["POSTED", "POSTED"]


class TestTheQueue:
    def test_a_wish_made_while_a_worker_finishes_is_not_lost(self, desk: Desk) -> None:
        desk.waiting()
        token = uuid.uuid4()
        (creation,) = vendor_queue.claim(desk.connection, token, 1)

        vendor_queue.want(
            desk.connection.pk, [vendor_queue.Merchant(creation.merchant_id, "Figma")]
        )
        vendor_queue.done(creation)

        assert errands.due() == [(Errand.VENDORS, desk.connection.pk)]

    def test_a_wish_made_while_a_worker_gives_up_is_not_lost(self, desk: Desk) -> None:
        """Its transaction came too late to be told why, and nothing else would ever wake it."""
        desk.waiting()
        (creation,) = vendor_queue.claim(desk.connection, uuid.uuid4(), 1)

        vendor_queue.want(
            desk.connection.pk, [vendor_queue.Merchant(creation.merchant_id, "Figma")]
        )
        give_up(creation, again_in=None)

        assert errands.due() == [(Errand.VENDORS, desk.connection.pk)]

    def test_a_wish_made_while_a_worker_fails_waits_as_long_as_it_does(self, desk: Desk) -> None:
        desk.waiting()
        (creation,) = vendor_queue.claim(desk.connection, uuid.uuid4(), 1)

        vendor_queue.want(
            desk.connection.pk, [vendor_queue.Merchant(creation.merchant_id, "Figma")]
        )
        give_up(creation, again_in=60)

        assert errands.due() == []

    def test_a_wish_calls_no_second_worker_in(self, desk: Desk) -> None:
        desk.waiting()
        (creation,) = vendor_queue.claim(desk.connection, uuid.uuid4(), 1)

        vendor_queue.want(
            desk.connection.pk, [vendor_queue.Merchant(creation.merchant_id, "Figma")]
        )

        assert errands.due() == []
        assert vendor_queue.claim(desk.connection, uuid.uuid4(), 1) == []

    def test_a_wish_does_not_cut_a_back_off_short(self, desk: Desk) -> None:
        item = desk.waiting()
        desk.erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")
        desk.create()
        merchant = item.blocked_by.removeprefix("vendor:")

        vendor_queue.want(desk.connection.pk, [vendor_queue.Merchant(merchant, "Figma")])

        assert errands.due() == []

    @pytest.mark.matrix("X12")
    def test_who_lost_its_lease_writes_nothing(self, desk: Desk) -> None:
        desk.waiting()
        (creation,) = vendor_queue.claim(desk.connection, uuid.uuid4(), 1)
        creation.lease_token = uuid.uuid4()

        with pytest.raises(vendor_queue.LeaseLost):
            vendors.advance(creation, desk.erp, desk.ramp)

        assert VendorCreation.objects.get().step == "wanted"

    def test_items_of_another_merchant_are_not_coded(self, desk: Desk) -> None:
        figma, adobe = desk.waiting("Figma"), desk.waiting("Adobe")

        desk.create()
        desk.post()

        vendors_of = {desk.bought(item).coded_vendor_id for item in (figma, adobe)}
        assert len(vendors_of) == 2
        assert vendor_waits.cause_of(desk.bought(figma).merchant_id) != vendor_waits.cause_of(
            desk.bought(adobe).merchant_id
        )
