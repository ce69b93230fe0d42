"""Wishes for links, and how they come to Ramp."""

import uuid
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from connections.models import Connection, RampVendor, VendorLink
from connections.ramp.errors import (
    InvalidRequest,
    OutcomeUnknown,
    RampError,
    RampUnreachable,
    ScopeMissing,
)
from connections.ramp.schemas import RampVendor as Shown
from connections.vendor_book import linking
from connections.vendor_book.links import (
    Pair,
    TooMany,
    proposals,
    want_again,
    want_heirs,
    want_links,
)
from tests.factories import ConnectionFactory, RampVendorFactory, VendorFactory, VendorLinkFactory

pytestmark = pytest.mark.django_db


@dataclass
class FakeRamp:
    """Ramp as far as vendors go. `fails` is raised before or after the link is made."""

    linked: dict[UUID, str] = field(default_factory=dict)
    fails: RampError | None = None
    takes_it_all_the_same: bool = False
    calls: list[str] = field(default_factory=list)

    def link_ramp_vendor(self, vendor_id: UUID, *, accounting_vendor_remote_id: str) -> Shown:
        self.calls.append(f"PATCH {accounting_vendor_remote_id}")
        if self.fails is None or self.takes_it_all_the_same:
            self.linked[vendor_id] = accounting_vendor_remote_id
        if self.fails is not None:
            raise self.fails
        return self.ramp_vendor(vendor_id)

    def ramp_vendor(self, vendor_id: UUID) -> Shown:
        self.calls.append("GET")
        return Shown(
            id=vendor_id, name="X", accounting_vendor_remote_id=self.linked.get(vendor_id, "")
        )


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


@pytest.fixture
def figma(harbor: Connection) -> RampVendor:
    VendorFactory.create(connection=harbor, erp_id="12", name="Figma, Inc.")
    return RampVendorFactory.create(connection=harbor, name="Figma")


def wish(vendor: RampVendor, erp_id: str = "12", batch: uuid.UUID | None = None) -> int:
    return want_links(
        vendor.connection, [Pair(vendor.pk, erp_id)], actor="maya", batch=batch or uuid.uuid4()
    )


class TestPair:
    def test_is_read_as_it_was_written(self) -> None:
        pair = Pair(7, "account.party,4:2")

        assert Pair.parse(str(pair)) == pair

    @pytest.mark.parametrize("text", ["", "7", "7:", ":12", "x:12", "-7:1", "9" * 30 + ":1"])
    def test_nonsense_is_none(self, text: str) -> None:
        assert Pair.parse(text) is None


class TestWantLinks:
    def test_keeps_who_what_and_why(self, figma: RampVendor) -> None:
        assert wish(figma) == 1

        link = VendorLink.objects.get()
        assert (link.state, link.erp_id, link.actor) == ("wanted", "12", "maya")
        assert link.evidence == "same name but for spelling or legal form"

    def test_the_same_confirmation_twice_is_one(self, figma: RampVendor) -> None:
        batch = uuid.uuid4()

        assert [wish(figma, batch=batch), wish(figma, batch=batch)] == [1, 0]
        assert VendorLink.objects.count() == 1

    def test_what_cannot_be_linked_is_kept_with_the_reason(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        VendorFactory.create(connection=harbor, erp_id="9", name="Gone", is_active=False)
        VendorFactory.create(connection=harbor, erp_id="8", name="Old", merged_into="12")
        others = [RampVendorFactory.create(connection=harbor) for _ in range(3)]
        pairs = [Pair(figma.pk, "12"), *map(Pair, (one.pk for one in others), ("9", "8", "?"))]

        assert want_links(harbor, pairs, actor="maya", batch=uuid.uuid4()) == 1

        refusals = VendorLink.objects.filter(state="refused").order_by("erp_id")
        assert [one.refusal.split(".")[0] for one in refusals] == [
            "It was merged into another vendor in the ERP",
            "It is inactive in the ERP",
            "The ERP has no vendor with this id",
        ]

    def test_another_choice_replaces_the_first(self, harbor: Connection, figma: RampVendor) -> None:
        VendorFactory.create(connection=harbor, erp_id="13", name="Figma Europe")
        wish(figma)

        wish(figma, "13")

        assert VendorLink.objects.get(state="wanted").erp_id == "13"
        assert VendorLink.objects.get(erp_id="12").refusal == "maya chose another vendor for it."

    def test_another_customers_vendor_is_left_alone(self, figma: RampVendor) -> None:
        stranger = RampVendorFactory.create()

        assert (
            want_links(
                figma.connection, [Pair(stranger.pk, "12")], actor="maya", batch=uuid.uuid4()
            )
            == 0
        )
        assert not VendorLink.objects.exists()

    def test_there_is_a_limit(self, harbor: Connection) -> None:
        with pytest.raises(TooMany, match="500 at most"):
            want_links(harbor, [Pair(n, "1") for n in range(501)], actor="maya", batch=uuid.uuid4())

    def test_says_beforehand_what_must_be_uploaded_first(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        VendorFactory.create(connection=harbor, erp_id="13", name="Figma", ramp_id=None)

        (proposal,) = proposals(harbor, [Pair(figma.pk, "13")])

        assert proposal.waits_for_upload
        assert proposal.obstacle == ""


class TestLinkDue:
    def test_links_and_remembers(self, harbor: Connection, figma: RampVendor) -> None:
        wish(figma)
        ramp = FakeRamp()

        assert linking.link_due(harbor, ramp) == 1

        figma.refresh_from_db()
        assert figma.linked_erp_id == "12"
        assert VendorLink.objects.get().state == "done"
        assert linking.link_due(harbor, ramp) == 0
        assert ramp.calls == ["PATCH 12", "GET"]

    def test_waits_until_ramp_has_the_accounting_vendor(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        uploaded = VendorFactory.create(connection=harbor, erp_id="13", name="F", ramp_id=None)
        wish(figma, "13")
        ramp = FakeRamp()

        assert linking.link_due(harbor, ramp) == 0
        assert linking.connections_due() == []
        uploaded.ramp_id = uuid.uuid4()
        uploaded.save()

        assert linking.connections_due() == [harbor.pk]
        assert linking.link_due(harbor, ramp) == 1

    def test_a_lost_answer_is_read_again(self, harbor: Connection, figma: RampVendor) -> None:
        wish(figma)
        ramp = FakeRamp(fails=OutcomeUnknown("cut off"), takes_it_all_the_same=True)

        assert linking.link_due(harbor, ramp) == 1
        assert VendorLink.objects.get().state == "done"

    def test_a_lost_answer_without_effect_stays_wished(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        wish(figma)

        with pytest.raises(RampUnreachable):
            linking.link_due(harbor, FakeRamp(fails=OutcomeUnknown("cut off")))

        link = VendorLink.objects.get()
        assert (link.state, link.attempts) == ("wanted", 1)

    def test_answers_that_are_always_lost_end_with_a_person(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        wish(figma)
        VendorLink.objects.update(attempts=linking.PATIENCE - 1)

        assert linking.link_due(harbor, FakeRamp(fails=OutcomeUnknown("cut off"))) == 0

        assert VendorLink.objects.get().state == "refused"

    def test_a_refusal_keeps_its_words_and_trace(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        wish(figma)
        refusal = InvalidRequest("Not an accounting vendor.", status=422, trace_id="t-1")

        assert linking.link_due(harbor, FakeRamp(fails=refusal)) == 0

        link = VendorLink.objects.get()
        assert (link.state, link.trace_id) == ("refused", "t-1")
        assert "Not an accounting vendor." in link.refusal

    def test_a_missing_scope_says_what_to_do(self, harbor: Connection, figma: RampVendor) -> None:
        wish(figma)

        linking.link_due(harbor, FakeRamp(fails=ScopeMissing("403", scopes=("vendors:write",))))

        assert "vendors:write" in VendorLink.objects.get().refusal

    def test_silence_leaves_everything_for_later(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        wish(figma)

        with pytest.raises(RampUnreachable):
            linking.link_due(harbor, FakeRamp(fails=RampUnreachable("refused")))

        assert VendorLink.objects.get().state == "wanted"

    def test_an_answer_without_the_link_is_no_link(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        wish(figma)

        class Forgetful(FakeRamp):
            def ramp_vendor(self, vendor_id: UUID) -> Shown:
                return Shown(id=vendor_id, name="X")

        assert linking.link_due(harbor, Forgetful()) == 0
        assert "shows the vendor without it" in VendorLink.objects.get().refusal

    def test_only_its_own_customers_links_are_made(self, figma: RampVendor) -> None:
        wish(figma)

        assert linking.link_due(ConnectionFactory.create(), FakeRamp()) == 0


class TestAgain:
    def test_refused_ones_of_a_batch_are_tried_again(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        batch = uuid.uuid4()
        wish(figma, batch=batch)
        linking.link_due(harbor, FakeRamp(fails=InvalidRequest("No.", status=422)))

        assert want_again(harbor, batch=batch, actor="tomas") == 1

        assert linking.link_due(harbor, FakeRamp()) == 1

    def test_not_those_that_are_still_in_the_way(
        self, harbor: Connection, figma: RampVendor
    ) -> None:
        batch = uuid.uuid4()
        wish(figma, "nobody", batch=batch)

        assert want_again(harbor, batch=batch, actor="tomas") == 0


class TestWantHeirs:
    def test_leaves_alone_what_people_wished_and_what_ramp_refused(
        self, harbor: Connection
    ) -> None:
        free, wished, refused = (RampVendorFactory.create(connection=harbor) for _ in range(3))
        VendorLinkFactory.create(ramp_vendor=wished, erp_id="1")
        VendorLinkFactory.create(ramp_vendor=refused, erp_id="9", state="refused")
        heirs = {one.pk: "9" for one in (free, wished, refused)}

        assert want_heirs(harbor, heirs, why="merged in the ERP") == 1

        made = VendorLink.objects.get(evidence="merged in the ERP")
        assert (made.ramp_vendor_id, made.erp_id, made.actor) == (free.pk, "9", "")


def test_nothing_is_linked_for_a_customer_that_is_disconnected(
    harbor: Connection, figma: RampVendor
) -> None:
    VendorFactory.create(connection=harbor, erp_id="7", ramp_id=uuid.uuid4())
    VendorLinkFactory.create(connection=harbor, ramp_vendor=figma, erp_id="7")
    assert linking.due(harbor.pk).exists()

    Connection.objects.update(stage=Connection.Stage.CLOSED)

    assert not linking.due(harbor.pk).exists()


def test_another_customers_refused_links_are_not_tried_again(figma: RampVendor) -> None:
    batch = uuid.uuid4()
    VendorFactory.create(connection=figma.connection, erp_id="7")
    link = VendorLinkFactory.create(
        connection=figma.connection, ramp_vendor=figma, erp_id="7", batch=batch, state="refused"
    )

    assert want_again(ConnectionFactory.create(), batch=batch, actor="li") == 0
    link.refresh_from_db()
    assert link.state == VendorLink.State.REFUSED
